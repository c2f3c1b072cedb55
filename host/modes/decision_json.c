// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/modes/decision_json.h"

#include "host/modes/choose.h"

json_t *decision_json_probe(const struct probe *probe)
{
	return json_pack("{s:b, s:s, s:s?}", "possible", probe->possible, "reason", probe->reason, "fix",
			 *probe->fix ? probe->fix : NULL);
}

json_t *decision_json_options(const struct decision *decision)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < decision->count; i++) {
		json_t *option = decision_json_probe(&decision->option[i].probe);

		json_object_set_new(option, "mode", json_string(decision->option[i].mode));
		json_array_append_new(list, option);
	}
	return list;
}

json_t *decision_json_tiers(const struct decision *decision)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < decision->tiers; i++)
		json_array_append_new(list, json_string(decision->tier[i]));
	return list;
}
