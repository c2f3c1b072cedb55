// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* The API's server against raw sockets: right answers, right refusals, limits that hold. */
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/control/api.h"
#include "host/loop.h"

static struct loop *loop;
static struct api *api;
static struct why why;
static char directory[64], path[100];
static int writes;

static int answer_hello(void *arg, const struct api_request *request, json_t **ret, struct why *ret_why)
{
	const char *name = api_argument(request, "name");

	*ret = json_pack("{s:s}", "hello", name ? name : "nobody");
	return 0;
}

static int answer_write(void *arg, const struct api_request *request, json_t **ret, struct why *ret_why)
{
	writes++;
	*ret = json_object();
	return 0;
}

static int answer_refusal(void *arg, const struct api_request *request, json_t **ret, struct why *ret_why)
{
	return why_set(ret_why, EINVAL, "'%s' is not a number", "x\"y");
}

static int answer_text(void *arg, const struct api_request *request, json_t **ret, struct why *ret_why)
{
	*ret = json_string("line 1\nline 2\n");
	return 0;
}

static const struct api_route routes[] = {
	{ "/text", false, answer_text },
	{ "/hello", false, answer_hello },
	{ "/write", true, answer_write },
	{ "/refuse", false, answer_refusal },
	{ "/both", false, answer_hello },
	{ "/both", true, answer_write },
	{ NULL, false, NULL },
};

static void setup(void)
{
	strcpy(directory, "/tmp/penstock-api-XXXXXX");
	cr_assert_not_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/sock", directory);
	cr_assert_eq(loop_new(&loop), 0);
	cr_assert_eq(api_open(loop, path, NULL, routes, NULL, &api, &why), 0, "%s", why.text);
}

static void teardown(void)
{
	api_close(api);
	cr_expect_eq(access(path, F_OK), -1, "the socket goes with the server");
	loop_free(loop);
	rmdir(directory);
}

TestSuite(api, .init = setup, .fini = teardown);

static int tcp_port; /* not 0: there instead of at the socket */

static int dial_tcp(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((in_port_t)tcp_port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -1 : fd;
}

static int dial(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval timeout = { .tv_sec = 20 };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (tcp_port) {
		close(fd);
		return dial_tcp();
	}
	strcpy(address.sun_path, path);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Clients run in a thread and end the loop when they are through. */
struct client {
	char *request;
	size_t size;
	char answer[65536];
	uid_t uid; /* not 0: a child of this user asks */
};

static void read_answer(int fd, struct client *client)
{
	size_t got = 0;
	ssize_t size;

	while ((size = read(fd, client->answer + got, sizeof(client->answer) - 1 - got)) > 0)
		got += (size_t)size;
	client->answer[got] = 0;
}

static void ask_as(struct client *client)
{
	int fds[2];
	pid_t child;

	cr_assert_eq(pipe(fds), 0);
	child = fork();
	if (child == 0) {
		int fd;

		close(fds[0]);
		if (setuid(client->uid) < 0)
			_exit(1);
		fd = dial();
		if (fd < 0 || write(fd, client->request, client->size) < 0)
			_exit(1);
		read_answer(fd, client);
		_exit(write(fds[1], client->answer, strlen(client->answer)) < 0);
	}
	close(fds[1]);
	read_answer(fds[0], client);
	close(fds[0]);
	waitpid(child, NULL, 0);
}

static void *ask_thread(void *arg)
{
	struct client *client = arg;
	int fd;

	if (client->uid) {
		ask_as(client);
	} else {
		fd = dial();
		cr_assert_geq(fd, 0);
		(void)!write(fd, client->request, client->size);
		read_answer(fd, client);
		close(fd);
	}
	kill(getpid(), SIGUSR1);
	return NULL;
}

static void stop(void *arg, int signal)
{
	loop_stop(loop, 0);
}

static const char *ask_bytes(const char *request, size_t size, uid_t uid)
{
	static struct client client;
	pthread_t thread;

	client = (struct client){ .request = (char *)request, .size = size, .uid = uid };
	cr_assert_eq(loop_signal_add(loop, SIGUSR1, stop, NULL), 0);
	cr_assert_eq(pthread_create(&thread, NULL, ask_thread, &client), 0);
	cr_assert_eq(loop_run(loop), 0);
	pthread_join(thread, NULL);
	return client.answer;
}

static const char *ask(const char *line)
{
	char request[1024];
	int size = snprintf(request, sizeof(request), "%s HTTP/1.0\r\n\r\n", line);

	return ask_bytes(request, (size_t)size, 0);
}

static void expect_answer(const char *answer, int status, const char *body)
{
	int got = 0;

	cr_expect_eq(sscanf(answer, "HTTP/%*d.%*d %d", &got), 1, "'%s'", answer);
	cr_expect_eq(got, status, "'%s'", answer);
	cr_expect_not_null(strstr(answer, body), "'%s' lacks '%s'", answer, body);
}

Test(api, reads_are_answered)
{
	expect_answer(ask("GET /hello"), 200, "{\"hello\":\"nobody\"}");
	expect_answer(ask("GET /hello?name=a%20b"), 200, "{\"hello\":\"a b\"}");
	expect_answer(ask("GET /hello"), 200, "application/json");
}

Test(api, the_socket_is_closed_to_others)
{
	struct stat status;

	cr_assert_eq(stat(path, &status), 0);
	cr_expect_eq(status.st_mode & 0777, 0660);
}

Test(api, refusals_are_json_too)
{
	expect_answer(ask("GET /nothing"), 404, "{\"error\":\"no such resource\"}");
	expect_answer(ask("GET /write"), 405, "use POST");
	expect_answer(ask("POST /hello"), 405, "use GET");
	expect_answer(ask("DELETE /hello"), 405, "use GET");
	expect_answer(ask("GET /refuse"), 400, "{\"error\":\"'x\\\"y' is not a number\"}");
	cr_expect_eq(writes, 0);
}

Test(api, the_owner_may_write)
{
	expect_answer(ask("POST /write"), 200, "{}");
	cr_expect_eq(writes, 1);
}

Test(api, a_path_may_have_two_methods)
{
	expect_answer(ask("GET /both"), 200, "nobody");
	cr_expect_eq(writes, 0);
	expect_answer(ask("POST /both"), 200, "{}");
	cr_expect_eq(writes, 1);
}

Test(api, a_body_is_not_read_but_does_no_harm)
{
	static const char request[] = "POST /write HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello";

	expect_answer(ask_bytes(request, sizeof(request) - 1, 0), 200, "{}");
}

Test(api, others_may_read_but_not_write)
{
	static const char get[] = "GET /hello HTTP/1.0\r\n\r\n", post[] = "POST /write HTTP/1.0\r\n\r\n";

	if (geteuid() != 0)
		cr_skip_test("needs root, to be somebody else");
	chmod(directory, 0755);
	chmod(path, 0666); /* as if the user were in the group */
	expect_answer(ask_bytes(get, sizeof(get) - 1, 65534), 200, "nobody");
	expect_answer(ask_bytes(post, sizeof(post) - 1, 65534), 403, "only root");
	cr_expect_eq(writes, 0);
}

Test(api, a_request_that_is_too_long_is_refused)
{
	size_t size = 200000;
	char *request = malloc(size);
	const char *answer;

	memset(request, 'a', size);
	memcpy(request, "GET /hello?name=", 16);
	answer = ask_bytes(request, size, 0);
	cr_expect(*answer == 0 || strstr(answer, " 414 ") || strstr(answer, " 431 ") ||
			  strstr(answer, " 413 "),
		  "'%.100s'", answer);
	free(request);
	expect_answer(ask("GET /hello"), 200, "nobody");
}

Test(api, rubbish_does_not_kill_it)
{
	static const char rubbish[] = "\x16\x03\x01\x02\0\x01\0\x01\xfc\r\n\r\n";

	(void)ask_bytes(rubbish, sizeof(rubbish) - 1, 0);
	expect_answer(ask("GET /hello"), 200, "nobody");
}

/* 40 silent connections: 32 are held until their time is up, and then who comes after them is served. */
static void *crowd_thread(void *arg)
{
	int fd[40];

	for (int i = 0; i < 40; i++)
		fd[i] = dial();
	ask_thread(arg);
	for (int i = 0; i < 40; i++)
		close(fd[i]);
	return NULL;
}

Test(api, silent_clients_lose_their_place)
{
	static char request[] = "GET /hello HTTP/1.0\r\n\r\n";
	static struct client client = { .request = request, .size = sizeof(request) - 1 };
	pthread_t thread;

	cr_assert_eq(loop_signal_add(loop, SIGUSR1, stop, NULL), 0);
	cr_assert_eq(pthread_create(&thread, NULL, crowd_thread, &client), 0);
	cr_assert_eq(loop_run(loop), 0);
	pthread_join(thread, NULL);
	expect_answer(client.answer, 200, "nobody");
}

/* Clients that are never silent for long, and never through: a byte of the request in a while, a body without
 * end. */
struct drip {
	const char *head;
	size_t chunk;
	unsigned int pause_ms;
	bool ended; /* by the other side */
};

static void *drip_thread(void *arg)
{
	static char chunk[4096];
	struct drip *drip = arg;
	int fd = dial();

	memset(chunk, 'a', sizeof(chunk));
	cr_assert_geq(fd, 0);
	cr_assert_eq(send(fd, drip->head, strlen(drip->head), MSG_NOSIGNAL), (ssize_t)strlen(drip->head));
	for (int i = 0; i < 1000 && !drip->ended; i++) {
		drip->ended = send(fd, chunk, drip->chunk, MSG_NOSIGNAL) < 0;
		usleep(drip->pause_ms * 1000);
	}
	close(fd);
	kill(getpid(), SIGUSR1);
	return NULL;
}

static void expect_cut(struct drip drip)
{
	pthread_t thread;

	cr_assert_eq(loop_signal_add(loop, SIGUSR1, stop, NULL), 0);
	cr_assert_eq(pthread_create(&thread, NULL, drip_thread, &drip), 0);
	cr_assert_eq(loop_run(loop), 0);
	pthread_join(thread, NULL);
	cr_expect(drip.ended, "'%s' may go on for ever", drip.head);
}

Test(api, a_request_that_drips_is_cut_off)
{
	expect_cut((struct drip){ .head = "GET /hello?name=", .chunk = 1, .pause_ms = 300 });
	expect_answer(ask("GET /hello"), 200, "nobody");
}

Test(api, a_body_without_end_is_cut_off)
{
	expect_cut((struct drip){ .head = "POST /write HTTP/1.0\r\nContent-Length: 99999999\r\n\r\n",
				  .chunk = 4096,
				  .pause_ms = 1 });
	cr_expect_eq(writes, 0);
	expect_answer(ask("GET /hello"), 200, "nobody");
}

Test(api, a_body_that_drips_is_cut_off)
{
	expect_cut((struct drip){ .head = "POST /write HTTP/1.0\r\nContent-Length: 60000\r\n\r\n",
				  .chunk = 1,
				  .pause_ms = 300 });
	cr_expect_eq(writes, 0);
}

Test(api, what_is_no_json_goes_out_as_text)
{
	expect_answer(ask("GET /text"), 200, "line 1\nline 2\n");
	expect_answer(ask("GET /text"), 200, "text/plain; version=0.0.4");
}

Test(api, tcp_is_for_reading)
{
	char endpoint[32];
	struct api *other = NULL;

	cr_expect_eq(api_open_tcp(loop, "localhost:1", routes, NULL, &other, &why), -EINVAL);
	tcp_port = 20000 + getpid() % 20000;
	snprintf(endpoint, sizeof(endpoint), "127.0.0.1:%d", tcp_port);
	cr_assert_eq(api_open_tcp(loop, endpoint, routes, NULL, &other, &why), 0, "%s", why.text);
	expect_answer(ask("GET /hello"), 200, "nobody");
	expect_answer(ask("POST /write"), 403, "only root"); /* though we are */
	cr_expect_eq(writes, 0);
	tcp_port = 0;
	api_close(other);
	cr_expect_eq(access(path, F_OK), 0, "the other's socket is left alone");
}

Test(api, an_unknown_group_is_named)
{
	struct api *other = NULL;
	char second[120];

	snprintf(second, sizeof(second), "%s/second", directory);
	cr_expect_eq(api_open(loop, second, "no-such-group", routes, NULL, &other, &why), -ENOENT);
	cr_expect_not_null(strstr(why.text, "groupadd no-such-group"), "%s", why.text);
	cr_expect_eq(access(second, F_OK), -1);
}
