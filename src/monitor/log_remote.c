/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/log_remote.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/parse.h"

#define JOURNAL_ADDRESS "unixgram:///run/systemd/journal/socket"
#define NS_PER_MS INT64_C(1000000)
#define SYSLOG_PORT 514

struct log_remote {
	enum log_driver driver;
	struct log_context context;
	int fd; /* owned; NO_FD: not connected */
	bool is_stream;
	int64_t retry_at_ns; /* CLOCK_MONOTONIC */
	struct strbuf kept;  /* non-blocking: messages with their length (uint32_t) before them */
	size_t sent;         /* of the first one, on a stream */
	char host[65];
};

/* ---- connecting ---- */

union address {
	struct sockaddr any;
	struct sockaddr_un un;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

struct target {
	union address address;
	socklen_t len;
	int types[2]; /* SOCK_*, tried in this order; 0: no more */
};

static int parse_unix(const char *path, struct target *target)
{
	if (strlen(path) >= sizeof(target->address.un.sun_path))
		return -ENAMETOOLONG;
	target->address.un.sun_family = AF_UNIX;
	memcpy(target->address.un.sun_path, path, strlen(path) + 1);
	target->len = sizeof(target->address.un);
	return 0;
}

/* "127.0.0.1", "127.0.0.1:514", "[::1]:514". */
static int parse_ip(const char *text, struct target *target)
{
	const char *colon = strrchr(text, ':');
	const char *bracket = strchr(text, ']');
	auto_free char *host = NULL;
	uint32_t port = SYSLOG_PORT;

	if (colon && bracket && colon < bracket)
		colon = NULL;
	if (colon && (parse_u32(colon + 1, &port) < 0 || port == 0 || port > UINT16_MAX))
		return -EINVAL;
	host = xstrndup(text, colon ? (size_t)(colon - text) : strlen(text));
	if (host[0] == '[' && host[strlen(host) - 1] == ']') {
		host[strlen(host) - 1] = '\0';
		memmove(host, host + 1, strlen(host));
	}
	if (strcmp(host, "localhost") == 0) {
		free(host);
		host = xstrdup("127.0.0.1");
	}
	if (inet_pton(AF_INET, host, &target->address.in.sin_addr) == 1) {
		target->address.in.sin_family = AF_INET;
		target->address.in.sin_port = htons((uint16_t)port);
		target->len = sizeof(target->address.in);
		return 0;
	}
	if (inet_pton(AF_INET6, host, &target->address.in6.sin6_addr) != 1)
		return -EINVAL;
	target->address.in6.sin6_family = AF_INET6;
	target->address.in6.sin6_port = htons((uint16_t)port);
	target->len = sizeof(target->address.in6);
	return 0;
}

static int parse_target(const char *text, struct target *target)
{
	static const struct {
		const char *scheme;
		int (*parse)(const char *text, struct target *target);
		int types[2];
	} schemes[] = {
		{"unix://", parse_unix, {SOCK_DGRAM, SOCK_STREAM}},
		{"unixgram://", parse_unix, {SOCK_DGRAM}},
		{"udp://", parse_ip, {SOCK_DGRAM}},
		{"tcp://", parse_ip, {SOCK_STREAM}},
	};

	*target = (struct target){0};
	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
		size_t len = strlen(schemes[i].scheme);

		if (strncmp(text, schemes[i].scheme, len) != 0)
			continue;
		memcpy(target->types, schemes[i].types, sizeof(target->types));
		return schemes[i].parse(text + len, target);
	}
	return -EINVAL;
}

static int connect_socket(const struct target *target, int type, int *ret_fd)
{
	const struct timeval timeout = {.tv_sec = LOG_REMOTE_TIMEOUT_MS / 1000};
	auto_close int fd = socket(target->address.any.sa_family, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	/* Bounds connect(2) too. */
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	if (connect(fd, &target->address.any, target->len) < 0)
		return errno == EINPROGRESS ? -ETIMEDOUT : -errno;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static const char *address_of(const struct log_remote *remote)
{
	return remote->driver == LOG_DRIVER_JOURNALD ? JOURNAL_ADDRESS : remote->context.address;
}

static int reconnect(struct log_remote *remote)
{
	struct target target;
	int r;

	r = parse_target(address_of(remote), &target);
	for (size_t i = 0; i < 2 && target.types[i] != 0; i++) {
		if (r < 0 && i == 0)
			return r;
		r = connect_socket(&target, target.types[i], &remote->fd);
		remote->is_stream = target.types[i] == SOCK_STREAM;
		if (r != -EPROTOTYPE) /* a socket of the other type is there */
			break;
	}
	return r;
}

int log_remote_open(enum log_driver driver, struct log_context *context,
		    struct log_remote **ret_remote, struct error *err)
{
	auto_(log_remote_free) struct log_remote *remote = xcalloc(1, sizeof(*remote));
	struct utsname names;
	int r;

	remote->fd = NO_FD;
	remote->driver = driver;
	remote->context = *context;
	*context = (struct log_context){0};
	if (uname(&names) == 0)
		(void)snprintf(remote->host, sizeof(remote->host), "%.64s", names.nodename);
	r = reconnect(remote);
	if (r < 0)
		return err_set(err, ERR_UNAVAILABLE, -r,
			       "failed to initialize logging driver: connect to '%s'",
			       address_of(remote));
	*ret_remote = TAKE_PTR(remote);
	return 0;
}

/* ---- sending ---- */

static void disconnect(struct log_remote *remote, int error)
{
	log_debug("monitor", "log driver %s: %s", log_driver_name(remote->driver),
		  errno_text(error));
	cleanup_close_fd(&remote->fd);
	remote->sent = 0;
	remote->retry_at_ns = clock_monotonic_ns() + LOG_REMOTE_RETRY_MS * NS_PER_MS;
}

static bool is_connected(struct log_remote *remote)
{
	if (remote->fd >= 0)
		return true;
	if (clock_monotonic_ns() < remote->retry_at_ns)
		return false;
	if (reconnect(remote) < 0)
		remote->retry_at_ns = clock_monotonic_ns() + LOG_REMOTE_RETRY_MS * NS_PER_MS;
	return remote->fd >= 0;
}

static ssize_t send_some(struct log_remote *remote, const char *data, size_t len, int flags)
{
	ssize_t n;

	do
		n = send(remote->fd, data, len, flags | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* Waits as long as the socket's timeout; tries once more on a connection that has just ended. */
static void send_blocking(struct log_remote *remote, const struct strbuf *message)
{
	for (int attempt = 0; attempt < 2 && is_connected(remote); attempt++) {
		size_t done = 0;
		ssize_t n = 0;

		while (done < message->len) {
			n = send_some(remote, message->data + done, message->len - done, 0);
			if (n < 0)
				break;
			done += (size_t)n;
		}
		if (n >= 0)
			return;
		if (n == -EMSGSIZE) /* more than a datagram can hold: it is lost */
			return;
		disconnect(remote, (int)-n);
		if (n == -EAGAIN)
			return;
		remote->retry_at_ns = 0;
	}
}

/* ---- without blocking ---- */

static void keep(struct log_remote *remote, const struct strbuf *message)
{
	uint32_t size = (uint32_t)message->len;

	if (remote->kept.len + message->len > remote->context.buffer_bytes)
		return;
	strbuf_add(&remote->kept, &size, sizeof(size));
	strbuf_add(&remote->kept, message->data, message->len);
}

/* True when nothing is kept any more. */
static bool send_kept(struct log_remote *remote)
{
	size_t done = 0;

	while (done < remote->kept.len && is_connected(remote)) {
		uint32_t size;
		ssize_t n;

		memcpy(&size, remote->kept.data + done, sizeof(size));
		n = send_some(remote, remote->kept.data + done + sizeof(size) + remote->sent,
			      size - remote->sent, MSG_DONTWAIT);
		if (n == -EAGAIN)
			break;
		if (n < 0 && n != -EMSGSIZE) {
			disconnect(remote, (int)-n);
			break;
		}
		remote->sent += n < 0 ? size : (size_t)n;
		if (remote->sent < size)
			break;
		remote->sent = 0;
		done += sizeof(size) + size;
	}
	if (done > 0) {
		memmove(remote->kept.data, remote->kept.data + done, remote->kept.len - done);
		remote->kept.len -= done;
	}
	return remote->kept.len == 0;
}

void log_remote_send(void *context, enum json_log_stream stream, const char *text, size_t len,
		     bool newline, int64_t now_ns)
{
	struct log_remote *remote = context;
	const struct log_line line = {stream, text, len, newline, now_ns};
	auto_(strbuf_release) struct strbuf message = {0};

	if (remote->driver == LOG_DRIVER_JOURNALD)
		journald_format(&remote->context, &line, &message);
	else
		syslog_format(&remote->context, remote->host, (int)getpid(), &line, &message);
	if (!remote->context.non_blocking) {
		send_blocking(remote, &message);
		return;
	}
	keep(remote, &message);
	(void)send_kept(remote);
}

bool log_remote_is_behind(const struct log_remote *remote)
{
	return remote && remote->kept.len > 0;
}

void log_remote_flush(struct log_remote *remote)
{
	(void)send_kept(remote);
}

void log_remote_free(struct log_remote *remote)
{
	int64_t deadline_ns = clock_monotonic_ns() + LOG_REMOTE_TIMEOUT_MS * NS_PER_MS;

	while (remote->kept.len > 0 && remote->fd >= 0 && clock_monotonic_ns() < deadline_ns &&
	       !send_kept(remote)) {
		struct pollfd set = {.fd = remote->fd, .events = POLLOUT};

		(void)poll(&set, 1, LOG_REMOTE_TIMEOUT_MS);
	}
	cleanup_close_fd(&remote->fd);
	strbuf_release(&remote->kept);
	log_context_release(&remote->context);
	free(remote);
}
