// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include <criterion/criterion.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "host/endpoint.h"

/* As the system writes it: "address port". */
static const char *written(const char *text)
{
	static char line[128];
	struct sockaddr_storage address;
	char host[64], port[16];
	socklen_t size = 0;

	if (endpoint_parse(text, &address, &size) < 0)
		return "no";
	cr_assert_eq(getnameinfo((struct sockaddr *)&address, size, host, sizeof(host), port, sizeof(port),
				 NI_NUMERICHOST | NI_NUMERICSERV),
		     0);
	snprintf(line, sizeof(line), "%s %s %s", host, port, endpoint_is_local(&address) ? "local" : "open");
	return line;
}

Test(endpoint, addresses_and_ports)
{
	cr_expect_str_eq(written("127.0.0.1:9477"), "127.0.0.1 9477 local");
	cr_expect_str_eq(written("127.9.0.1:1"), "127.9.0.1 1 local");
	cr_expect_str_eq(written("0.0.0.0:65535"), "0.0.0.0 65535 open");
	cr_expect_str_eq(written("[::1]:9477"), "::1 9477 local");
	cr_expect_str_eq(written("[::]:9477"), ":: 9477 open");
	cr_expect_str_eq(written("[2001:db8::7]:80"), "2001:db8::7 80 open");
}

Test(endpoint, all_else_is_refused)
{
	static const char *const texts[] = { "",
					     ":",
					     "9477",
					     "127.0.0.1",
					     "127.0.0.1:",
					     "127.0.0.1:0",
					     "127.0.0.1:65536",
					     "127.0.0.1:+1",
					     "127.0.0.1: 1",
					     "127.0.0.1:1x",
					     "::1:9477",
					     "[::1]",
					     "[::1]9477",
					     "[127.0.0.1]:1",
					     "[]:1",
					     "[:1",
					     "]:1",
					     "localhost:1",
					     "1.2.3:1",
					     "127.0.0.1:1:1",
					     "[::1%lo]:1",
					     "127.0.0.1:99999999999999999999",
					     "[1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa]:1" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		cr_expect_str_eq(written(texts[i]), "no", "%s", texts[i]);
}
