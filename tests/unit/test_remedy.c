// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* No reason of the list is without a word on what to do about it, even if that is nothing. */
#include <criterion/criterion.h>
#include <string.h>

#include "host/control/remedy.h"
#include "xdp/verdict.h"

Test(remedy, every_reason_has_one)
{
#define X(number, name, action, string, text)                                                                \
	cr_expect(remedy_known(number), "%s: say in host/control/remedy.c what to do about it", string);
	REASONS(X)
#undef X
}

Test(remedy, what_is_meant_to_be_so_needs_nothing)
{
	cr_expect_null(remedy_text(REASON_LOCAL));
	cr_expect_null(remedy_text(REASON_FORWARDED));
	cr_expect_null(remedy_text(REASON_MAX));
	cr_expect_not(remedy_known(REASON_MAX));
	cr_expect_not_null(strstr(remedy_text(REASON_RPF), "rp_filter"));
}
