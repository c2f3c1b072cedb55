// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// The program as user space runs it, one packet at a time.

#include <stdlib.h>
#include <string.h>
#include <linux/errno.h>

#include "host/engine/user_program.h"
#include "tests/conformance/runner.h"

#define HEADROOM 64 // for tags
#define BUFFER   (HEADROOM + RUNNER_FRAME)

struct user {
	struct image_store *store;
	__u8 *buffer; // the frame lies at its end, so that a sanitizer sees what reads behind it
};

static void user_close(void *runner)
{
	struct user *user = runner;

	free(user->buffer);
	free(user);
}

static int user_open(struct image_store *store, __u32 ports, void **ret_runner)
{
	struct user *user = calloc(1, sizeof(*user));

	if (!user)
		return -ENOMEM;
	user->store = store;
	user->buffer = malloc(BUFFER);
	if (!user->buffer) {
		free(user);
		return -ENOMEM;
	}
	*ret_runner = user;
	return 0;
}

static int user_run(void *runner, __u16 port, const __u8 *frame, __u32 length,
		    struct runner_outcome *ret_outcome)
{
	struct user *user = runner;
	struct user_frame run = { .data = user->buffer + BUFFER - length,
				  .length = length,
				  .headroom = HEADROOM };
	struct verdict result;

	memcpy(run.data, frame, length);
	result = user_program_run(user->store, port, &run);
	ret_outcome->action = result.action;
	ret_outcome->reason = result.reason;
	ret_outcome->port = result.action == ACTION_FORWARD ? result.port : -1;
	ret_outcome->length = run.length;
	memcpy(ret_outcome->frame, run.data, run.length);
	return 0;
}

const struct runner_ops runner_user = {
	.name = "user",
	.open = user_open,
	.close = user_close,
	.run = user_run,
};
