// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
#include "host/control/api.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <microhttpd.h>

#include "host/endpoint.h"
#include "host/log.h"
#include "host/loop.h"

#define CONNECTION_LIMIT   32
#define CONNECTION_TIMEOUT 5           /* seconds of silence */
#define CONNECTION_MEMORY  (16 * 1024) /* for the request with all its headers */
#define REQUEST_TIME       10000       /* ms for a request to arrive, however it drips */
#define BODY_LIMIT         (64 * 1024) /* bytes that are thrown away before the connection is */
#define WATCH              1000        /* ms between looks at who takes too long */

struct guest { /* a connection */
	int fd;
	bool here;
	uint64_t deadline; /* ms; 0: it has asked, and is being answered */
	size_t body;       /* bytes of the request's */
};

struct api {
	struct loop *loop;
	struct MHD_Daemon *daemon;
	struct loop_timer *timer;
	const struct api_route *routes;
	void *arg;
	int epoll;
	struct guest guests[CONNECTION_LIMIT];
	char name[108]; /* path of the socket, or address and port */
	bool tcp;
};

struct api_request {
	struct MHD_Connection *connection;
};

static bool is_owner(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct ucred peer;
	socklen_t size = sizeof(peer);

	return info && getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
	       (peer.uid == 0 || peer.uid == geteuid());
}

/* The body as it goes out; the caller frees it. */
static char *body_text(const json_t *body)
{
	if (json_is_string(body))
		return strdup(json_string_value(body));
	return body ? json_dumps(body, JSON_COMPACT) : NULL;
}

static enum MHD_Result reply(struct MHD_Connection *connection, unsigned int status, json_t *body)
{
	bool plain = json_is_string(body);
	char *text = body_text(body);
	struct MHD_Response *response;
	enum MHD_Result result;

	json_decref(body);
	if (!text)
		return MHD_NO;
	response = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
	if (!response) {
		free(text);
		return MHD_NO;
	}
	(void)MHD_add_response_header(response, "Content-Type",
				      plain ? "text/plain; version=0.0.4; charset=utf-8"
					    : "application/json");
	(void)MHD_add_response_header(response, "Cache-Control", "no-store");
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result reply_error(struct MHD_Connection *connection, unsigned int status, const char *text)
{
	return reply(connection, status, json_pack("{s:s}", "error", text));
}

static unsigned int status_of(int error)
{
	switch (-error) {
	case EINVAL:
		return MHD_HTTP_BAD_REQUEST;
	case ENOENT:
	case ENODEV:
		return MHD_HTTP_NOT_FOUND;
	case EAGAIN:
		return MHD_HTTP_SERVICE_UNAVAILABLE;
	default:
		return MHD_HTTP_INTERNAL_SERVER_ERROR;
	}
}

static enum MHD_Result run_route(struct api *api, const struct api_route *route,
				 struct MHD_Connection *connection, const char *method)
{
	struct api_request request = { connection };
	struct why why = { "failed" };
	json_t *body = NULL;
	int error;

	if (strcmp(method, route->writes ? "POST" : "GET") != 0)
		return reply_error(connection, MHD_HTTP_METHOD_NOT_ALLOWED,
				   route->writes ? "use POST" : "use GET");
	if (route->writes && (api->tcp || !is_owner(connection)))
		return reply_error(connection, MHD_HTTP_FORBIDDEN,
				   "only root and the daemon's user may do this");
	error = route->answer(api->arg, &request, &body, &why);
	if (error < 0)
		return reply_error(connection, status_of(error), why.text);
	return reply(connection, MHD_HTTP_OK, body);
}

/* A path may have one route to read and one to write; what fits the path alone explains the refusal. */
static const struct api_route *find_route(const struct api *api, const char *path, const char *method)
{
	bool writes = strcmp(method, "POST") == 0;
	const struct api_route *found = NULL;

	for (const struct api_route *route = api->routes; route->path; route++)
		if (strcmp(route->path, path) == 0 && (!found || route->writes == writes))
			found = route;
	return found;
}

static struct guest *guest_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

static void guest_comes(struct api *api, struct MHD_Connection *connection, void **context)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	for (int i = 0; info && i < CONNECTION_LIMIT; i++)
		if (!api->guests[i].here) {
			api->guests[i] = (struct guest){ .fd = info->connect_fd,
							 .here = true,
							 .deadline = loop_now() + REQUEST_TIME };
			*context = &api->guests[i];
			return;
		}
}

static void connection_changed(void *arg, struct MHD_Connection *connection, void **context,
			       enum MHD_ConnectionNotificationCode code)
{
	struct guest *guest = *context;

	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		guest_comes(arg, connection, context);
	else if (guest)
		guest->here = false;
}

/* The next request of the connection has its own time. */
static void request_ended(void *arg, struct MHD_Connection *connection, void **state,
			  enum MHD_RequestTerminationCode code)
{
	struct guest *guest = guest_of(connection);

	if (guest)
		guest->deadline = loop_now() + REQUEST_TIME;
}

/* Silence ends a connection; so does a request that never gets complete. Returns whether anybody is here. */
static bool watch_guests(struct api *api)
{
	bool any = false;

	for (int i = 0; i < CONNECTION_LIMIT; i++) {
		struct guest *guest = &api->guests[i];

		if (guest->here && guest->deadline && loop_now() > guest->deadline)
			(void)shutdown(guest->fd, SHUT_RDWR);
		any = any || guest->here;
	}
	return any;
}

static enum MHD_Result handle(void *arg, struct MHD_Connection *connection, const char *url,
			      const char *method, const char *version, const char *upload,
			      size_t *upload_size, void **state)
{
	struct guest *guest = guest_of(connection);
	const struct api_route *route;
	struct api *api = arg;

	if (!guest)
		return MHD_NO;
	if (!*state) { /* headers are here; the body, if any, comes with later calls */
		*state = guest;
		guest->body = 0;
		return MHD_YES;
	}
	if (*upload_size) {
		guest->body += *upload_size;
		*upload_size = 0; /* no route takes a body */
		return guest->body > BODY_LIMIT ? MHD_NO : MHD_YES;
	}
	guest->deadline = 0;
	route = find_route(api, url, method);
	if (route)
		return run_route(api, route, connection, method);
	return reply_error(connection, MHD_HTTP_NOT_FOUND, "no such resource");
}

/* Lets the library work, then wakes it in time for its next timeout. */
static void run(struct api *api)
{
	MHD_UNSIGNED_LONG_LONG timeout = WATCH;
	bool watched = watch_guests(api);

	(void)MHD_run(api->daemon);
	if (MHD_get_timeout(api->daemon, &timeout) == MHD_YES || watched)
		loop_timer_set(api->timer, timeout < WATCH ? (uint32_t)timeout : WATCH, 0);
	else
		loop_timer_cancel(api->timer);
}

static void epoll_ready(void *arg, uint32_t events)
{
	run(arg);
}

static void timer_fired(void *arg)
{
	run(arg);
}

static int set_access(const char *path, const char *name, struct why *why)
{
	struct group *group = NULL;

	if (name) {
		errno = 0;
		group = getgrnam(name);
		if (!group)
			return why_set(why, ENOENT, "group '%s' for the API does not exist: groupadd %s",
				       name, name);
	}
	if (chmod(path, 0660) < 0 || (group && chown(path, (uid_t)-1, group->gr_gid) < 0))
		return why_set(why, errno, "%s: cannot set owner and mode: %s", path, strerror(errno));
	return 0;
}

static int listen_at(const char *path, const char *group, struct why *why)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	mode_t mask;
	int error;

	if (fd < 0)
		return why_set(why, errno, "cannot make a socket: %s", strerror(errno));
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	(void)unlink(path); /* a dead daemon's: we hold the lock */
	mask = umask(0177);
	error = bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
	umask(mask);
	if (error == 0)
		error = set_access(path, group, why);
	else
		(void)why_set(why, -error, "%s: cannot bind: %s", path, strerror(-error));
	if (error == 0 && listen(fd, CONNECTION_LIMIT) < 0)
		error = why_set(why, errno, "%s: cannot listen: %s", path, strerror(errno));
	if (error < 0) {
		close(fd);
		(void)unlink(path);
		return error;
	}
	return fd;
}

static int start_daemon(struct api *api, int fd, struct why *why)
{
	const union MHD_DaemonInfo *info;

	api->daemon = MHD_start_daemon(
		MHD_USE_EPOLL, 0, NULL, NULL, handle, api, MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned int)CONNECTION_LIMIT, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned int)CONNECTION_TIMEOUT, MHD_OPTION_NOTIFY_CONNECTION, connection_changed, api,
		MHD_OPTION_NOTIFY_COMPLETED, request_ended, api, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)CONNECTION_MEMORY, MHD_OPTION_END);
	if (!api->daemon)
		return why_set(why, EIO, "%s: cannot start the HTTP server", api->name);
	info = MHD_get_daemon_info(api->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	api->epoll = info ? info->epoll_fd : -1;
	return api->epoll >= 0 ? 0 : why_set(why, EIO, "%s: the HTTP server lacks epoll", api->name);
}

static int listen_tcp(const char *endpoint, struct why *why)
{
	struct sockaddr_storage address;
	int fd, on = 1, error = 0;
	socklen_t size;

	if (endpoint_parse(endpoint, &address, &size) < 0)
		return why_set(why, EINVAL, "%s: not an address and a port", endpoint);
	fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return why_set(why, errno, "cannot make a socket: %s", strerror(errno));
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, CONNECTION_LIMIT) < 0)
		error = why_set(why, errno, "%s: cannot listen: %s", endpoint, strerror(errno));
	if (error < 0) {
		close(fd);
		return error;
	}
	if (!endpoint_is_local(&address))
		log_warning("whoever reaches %s can read the metrics", endpoint);
	return fd;
}

/* Takes over the fd. */
static int serve(struct api *api, int fd, struct why *why)
{
	int error = start_daemon(api, fd, why);

	if (!api->daemon)
		close(fd); /* else the daemon's */
	if (error == 0)
		error = loop_timer_new(api->loop, timer_fired, api, &api->timer);
	if (error == 0)
		error = loop_fd_add(api->loop, api->epoll, EPOLLIN, epoll_ready, api);
	if (error == 0)
		return 0;
	loop_timer_free(api->timer);
	if (api->daemon)
		MHD_stop_daemon(api->daemon);
	return error;
}

static int open_at(struct loop *loop, const char *name, const char *group, bool tcp,
		   const struct api_route *routes, void *arg, struct api **ret, struct why *why)
{
	struct api *api = calloc(1, sizeof(*api));
	int error, fd;

	if (!api)
		return why_set(why, ENOMEM, "out of memory");
	*api = (struct api){ .loop = loop, .routes = routes, .arg = arg, .epoll = -1, .tcp = tcp };
	snprintf(api->name, sizeof(api->name), "%s", name);
	fd = error = tcp ? listen_tcp(name, why) : listen_at(name, group, why);
	if (fd >= 0)
		error = serve(api, fd, why);
	if (error < 0) {
		if (fd >= 0 && !tcp)
			(void)unlink(name);
		free(api);
		return error;
	}
	*ret = api;
	return 0;
}

int api_open(struct loop *loop, const char *socket, const char *group, const struct api_route *routes,
	     void *arg, struct api **ret, struct why *why)
{
	return open_at(loop, socket, group, false, routes, arg, ret, why);
}

int api_open_tcp(struct loop *loop, const char *endpoint, const struct api_route *routes, void *arg,
		 struct api **ret, struct why *why)
{
	return open_at(loop, endpoint, NULL, true, routes, arg, ret, why);
}

void api_close(struct api *api)
{
	if (!api)
		return;
	loop_fd_remove(api->loop, api->epoll);
	loop_timer_free(api->timer);
	MHD_stop_daemon(api->daemon);
	if (!api->tcp)
		(void)unlink(api->name);
	free(api);
}

const char *api_argument(const struct api_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}
