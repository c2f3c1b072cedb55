// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* Facts as lines and as JSON: what is printed can be read again; cards on a PCI bus made of files. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/modes/capability.h"
#include "host/modes/fact.h"
#include "host/modes/pci.h"
#include "host/modes/platform.h"

/* Reads lines as fact_print() writes them. */
static void read_back(const struct fact *table, void *object, char *text)
{
	char *state = NULL;

	for (char *line = strtok_r(text, "\n", &state); line; line = strtok_r(NULL, "\n", &state)) {
		char *value = strchr(line, ':');

		cr_assert_not_null(value, "%s", line);
		*value++ = 0;
		cr_assert_eq(fact_set(table, object, line, value + (*value == ' ')), 0, "%s", line);
	}
}

/* Every fact gets a value of its own, whatever its type. */
static const char *made_up(const struct fact *fact, unsigned int seed, char *buffer, size_t size)
{
	switch (fact->kind) {
	case FACT_TEXT:
		snprintf(buffer, size, "text %u", seed);
		break;
	case FACT_BOOL:
		snprintf(buffer, size, "%s", seed % 2 ? "yes" : "no");
		break;
	case FACT_BITS:
		snprintf(buffer, size, "%s", fact->bits[seed % 3]);
		break;
	case FACT_INT:
		snprintf(buffer, size, "-%u", seed + 2);
		break;
	default:
		snprintf(buffer, size, "%u", seed + 100);
	}
	return buffer;
}

static void round_trip(const struct fact *table, void *object, void *again, const void *usual, size_t size)
{
	char text[64], *printed = NULL;
	size_t length = 0;
	FILE *stream = open_memstream(&printed, &length);

	for (unsigned int i = 0; table[i].name; i++)
		cr_assert_eq(
			fact_set(table, object, table[i].name, made_up(&table[i], i, text, sizeof(text))), 0,
			"%s", table[i].name);
	fact_print(table, object, usual, stream);
	fclose(stream);
	read_back(table, again, printed);
	free(printed);
	cr_expect_eq(memcmp(object, again, size), 0);
}

Test(fact, what_is_printed_can_be_read_again)
{
	struct capability port, port_again, port_usual;
	struct platform box, box_again, box_usual;

	fact_default_port(&port_usual);
	port = port_again = port_usual;
	round_trip(fact_port, &port, &port_again, &port_usual, sizeof(port));
	fact_default_platform(&box_usual);
	box = box_again = box_usual;
	round_trip(fact_platform, &box, &box_again, &box_usual, sizeof(box));
}

Test(fact, what_is_usual_is_not_printed)
{
	struct capability port;
	char *printed = NULL;
	size_t length = 0;
	FILE *stream = open_memstream(&printed, &length);

	fact_default_port(&port);
	fact_print(fact_port, &port, &port, stream);
	fclose(stream);
	cr_expect_str_empty(printed);
	free(printed);
}

Test(fact, nonsense_is_refused)
{
	struct capability port;

	fact_default_port(&port);
	cr_expect_eq(fact_set(fact_port, &port, "colour", "red"), -ENOENT);
	cr_expect_eq(fact_set(fact_port, &port, "mtu", "many"), -EINVAL);
	cr_expect_eq(fact_set(fact_port, &port, "mtu", ""), -EINVAL);
	cr_expect_eq(fact_set(fact_port, &port, "lro", "perhaps"), -EINVAL);
	cr_expect_eq(fact_set(fact_port, &port, "xdp_features", "basic wings"), -EINVAL);
	cr_expect_eq(fact_set(fact_port, &port, "name", "a-name-of-16-chr"), -EINVAL);
	cr_expect_not(port.features_known);
}

Test(fact, json_has_null_for_what_nobody_knows)
{
	struct capability port;
	json_t *facts;

	fact_default_port(&port);
	facts = fact_json(fact_port, &port);
	cr_expect(json_is_null(json_object_get(facts, "xdp_features")));
	cr_expect(json_is_null(json_object_get(facts, "kind")));
	cr_expect_eq(json_integer_value(json_object_get(facts, "mtu")), 1500);
	json_decref(facts);
	(void)fact_set(fact_port, &port, "xdp_features", "");
	facts = fact_json(fact_port, &port);
	cr_expect(json_is_array(json_object_get(facts, "xdp_features")));
	json_decref(facts);
}

static void shell(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void shell(const char *format, ...)
{
	char command[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	cr_assert_eq(system(command), 0, "%s", command);
}

static void make_card(const char *sysfs, const char *address, const char *class, const char *driver)
{
	shell("mkdir -p %s/bus/pci/devices/%s %s/drivers/x && cd %s/bus/pci/devices/%s && echo %s >class && "
	      "echo 0x8086 >vendor && echo 0x1583 >device && echo 1 >numa_node",
	      sysfs, address, sysfs, sysfs, address, class);
	if (driver)
		shell("ln -s ../../../../bus/pci/drivers/%s %s/bus/pci/devices/%s/driver", driver, sysfs,
		      address);
}

Test(pci, lists_network_cards_and_who_has_them)
{
	char sysfs[] = "/tmp/penstock-pci-XXXXXX";
	struct pci_device cards[4];

	cr_assert_not_null(mkdtemp(sysfs));
	cr_expect_eq(pci_list(sysfs, cards, 4), 0, "a box without PCI");
	make_card(sysfs, "0000:02:00.1", "0x020000", NULL);
	make_card(sysfs, "0000:02:00.0", "0x020000", "vfio-pci");
	make_card(sysfs, "0000:01:00.0", "0x030000", "nouveau");
	make_card(sysfs, "0001:01:00.0", "0x020000", "i40e");
	cr_expect_eq(pci_list(sysfs, cards, 4), 3);
	cr_expect_str_eq(cards[0].address, "0000:02:00.0");
	cr_expect_str_eq(cards[0].driver, "vfio-pci");
	cr_expect_eq(cards[0].vendor, 0x8086);
	cr_expect_eq(cards[0].numa, 1);
	cr_expect(pci_driver_for_users(cards[0].driver));
	cr_expect_str_empty(cards[1].driver);
	cr_expect_str_eq(cards[2].driver, "i40e");
	cr_expect_not(pci_driver_for_users(cards[2].driver));
	cr_expect_eq(pci_list(sysfs, cards, 1), 3, "more than fit are counted");
	cr_expect_eq(pci_read(sysfs, "0000:01:00.0", &cards[0]), -ENODEV, "no network card");
	cr_expect_eq(pci_read(sysfs, "../../../etc", &cards[0]), -ENODEV);
	shell("rm -r %s", sysfs);
}
