// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/cli/client.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "host/instance.h"

#define ANSWER_LIMIT (64u << 20)
#define TIMEOUT      30 /* seconds; an audit looks at many routes */

static int connect_to(const char *path, struct why *why)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval timeout = { .tv_sec = TIMEOUT };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int error;

	if (fd < 0)
		return why_set(why, errno, "cannot make a socket: %s", strerror(errno));
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	error = errno;
	close(fd);
	switch (error) {
	case ENOENT:
	case ECONNREFUSED:
		return why_set(why, ENOENT, "%s: no penstock answers there; is it running?", path);
	case EACCES:
		return why_set(why, EACCES, "%s: no permission; be root or in the group that may use it",
			       path);
	default:
		return why_set(why, error, "%s: cannot connect: %s", path, strerror(error));
	}
}

static int send_all(int fd, const char *text, size_t size)
{
	while (size) {
		ssize_t sent = send(fd, text, size, MSG_NOSIGNAL);

		if (sent < 0)
			return -errno;
		text += sent;
		size -= (size_t)sent;
	}
	return 0;
}

/* Everything up to the end of the connection, NUL-terminated. */
static int receive_all(int fd, char **ret, size_t *ret_size)
{
	size_t size = 0, room = 65536;
	char *text = malloc(room + 1);

	while (text) {
		ssize_t got;
		char *more;

		if (size == room) {
			more = room < ANSWER_LIMIT ? realloc(text, 2 * room + 1) : NULL;
			if (!more) {
				free(text);
				return -E2BIG;
			}
			text = more;
			room *= 2;
		}
		got = recv(fd, text + size, room - size, 0);
		if (got < 0) {
			int error = errno == EAGAIN ? -ETIMEDOUT : -errno;

			free(text);
			return error;
		}
		if (got == 0) {
			text[size] = 0;
			*ret = text;
			*ret_size = size;
			return 0;
		}
		size += (size_t)got;
	}
	return -ENOMEM;
}

/* HTTP/1.0: a status line, headers, an empty line, the body up to the end. */
static int parse_answer(const char *text, size_t size, json_t **ret, struct why *why)
{
	const char *body = strstr(text, "\r\n\r\n");
	json_error_t problem;
	json_t *document;
	int status = 0;

	if (sscanf(text, "HTTP/%*d.%*d %d", &status) != 1 || !body)
		return why_set(why, EPROTO, "the daemon's answer is not HTTP");
	body += 4;
	document = json_loadb(body, size - (size_t)(body - text), JSON_DECODE_ANY, &problem);
	if (!document)
		return why_set(why, EPROTO, "the daemon's answer is not JSON: %s", problem.text);
	if (status != 200) {
		const char *error = json_string_value(json_object_get(document, "error"));

		(void)why_set(why, EIO, "%s", error ? error : "the daemon refused without saying why");
		json_decref(document);
		return -EIO;
	}
	*ret = document;
	return 0;
}

static int exchange(const char *name, const char *method, const char *path, json_t **ret, struct why *why)
{
	char socket_path[108], request[2048];
	char *text = NULL;
	size_t size = 0;
	int error = instance_find(name, socket_path, sizeof(socket_path), why);
	int fd, length;

	if (error < 0)
		return error;
	length = snprintf(request, sizeof(request), "%s %s HTTP/1.0\r\nHost: penstock\r\n\r\n", method, path);
	if ((size_t)length >= sizeof(request))
		return why_set(why, E2BIG, "the question is too long");
	fd = connect_to(socket_path, why);
	if (fd < 0)
		return fd;
	error = send_all(fd, request, (size_t)length);
	if (error == 0)
		error = receive_all(fd, &text, &size);
	close(fd);
	if (error < 0)
		return why_set(why, -error, "%s: the daemon does not answer: %s", socket_path,
			       strerror(-error));
	error = parse_answer(text, size, ret, why);
	free(text);
	return error;
}

int client_get(const char *name, const char *path, json_t **ret, struct why *why)
{
	return exchange(name, "GET", path, ret, why);
}

int client_post(const char *name, const char *path, json_t **ret, struct why *why)
{
	return exchange(name, "POST", path, ret, why);
}

void client_escape(const char *text, char *ret, size_t size)
{
	size_t length = 0;

	for (; *text && length + 4 <= size; text++) {
		bool plain = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') ||
			     (*text >= '0' && *text <= '9') || strchr("-._~:/", *text);

		length += (size_t)snprintf(ret + length, size - length, plain ? "%c" : "%%%02X",
					   (unsigned char)*text);
	}
	if (size)
		ret[length] = 0;
}
