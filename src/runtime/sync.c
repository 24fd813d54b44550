/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/sync.h"

#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"

#define SYNC_VERSION 1
#define SYNC_TEXT_MAX 2048

struct sync_message {
	uint32_t version;
	uint32_t point; /* enum sync_point */
	int32_t value;
	int32_t error_kind; /* enum error_kind */
	int32_t errnum;
	char text[SYNC_TEXT_MAX];
};

#define SYNC_HEADER_SIZE offsetof(struct sync_message, text)

int sync_pair(int ret_socks[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_socks) < 0 ? -errno : 0;
}

int sync_send(int sock, enum sync_point point, int fd, int value)
{
	struct sync_message m = {
		.version = SYNC_VERSION,
		.point = (uint32_t)point,
		.value = value,
	};
	ssize_t n;

	n = fd_send(sock, &m, SYNC_HEADER_SIZE, &fd, fd >= 0 ? 1 : 0);
	return n < 0 ? (int)n : 0;
}

void sync_fail(int sock, const struct error *err)
{
	struct sync_message m = {
		.version = SYNC_VERSION,
		.point = SYNC_FAILED,
		.error_kind = err->kind,
		.errnum = err->errnum,
	};
	size_t len = strlen(err_message(err));

	if (len > SYNC_TEXT_MAX)
		len = SYNC_TEXT_MAX;
	memcpy(m.text, err_message(err), len);
	/* Nobody left to tell means that nobody waits: ignoring. */
	(void)fd_send(sock, &m, SYNC_HEADER_SIZE + len, NULL, 0);
}

static int take_failure(const struct sync_message *m, size_t len, struct error *err)
{
	size_t text_len = len - SYNC_HEADER_SIZE;
	enum error_kind kind = ERR_INTERNAL;

	if (m->error_kind > ERR_NONE && m->error_kind < ERROR_KIND_COUNT)
		kind = (enum error_kind)m->error_kind;
	/* The text of the errno is in the message already. */
	(void)err_set(err, ERR_INTERNAL, 0, "%.*s", (int)text_len, m->text);
	err->kind = kind;
	err->errnum = m->errnum > 0 ? m->errnum : 0;
	return err_result(err);
}

/* 1: a message; 0: end of file. */
static int receive(int sock, struct sync_message *m, size_t *ret_len, int *ret_fd,
		   struct error *err)
{
	int fd = NO_FD;
	size_t nfds = 0;
	ssize_t n;

	n = fd_recv(sock, m, sizeof(*m), &fd, 1, &nfds);
	if (n == 0 || n == -ECONNRESET)
		return 0;
	if (n < 0)
		return err_set(err, ERR_SYSTEM, (int)-n, "hear from the container's first process");
	if ((size_t)n < SYNC_HEADER_SIZE || m->version != SYNC_VERSION) {
		cleanup_close_fd(&fd);
		return err_set(err, ERR_INTERNAL, 0, "malformed word from the first process");
	}
	*ret_len = (size_t)n;
	*ret_fd = fd;
	return 1;
}

int sync_expect(int sock, enum sync_point point, int *ret_fd, int *ret_value, struct error *err)
{
	auto_close int fd = NO_FD;
	struct sync_message m;
	size_t len = 0;
	int r;

	r = receive(sock, &m, &len, &fd, err);
	if (r < 0)
		return r;
	if (r == 0)
		return err_set(err, ERR_INTERNAL, 0,
			       "the container's first process ended without a word");
	if (m.point == SYNC_FAILED)
		return take_failure(&m, len, err);
	if (m.point != (uint32_t)point)
		return err_set(err, ERR_INTERNAL, 0, "expected sync point %d, got %u", point,
			       m.point);
	if (ret_fd)
		*ret_fd = TAKE_FD(fd);
	if (ret_value)
		*ret_value = m.value;
	return 0;
}

int sync_expect_exec(int sock, struct error *err)
{
	auto_close int fd = NO_FD;
	struct sync_message m;
	size_t len = 0;
	int r;

	r = receive(sock, &m, &len, &fd, err);
	if (r <= 0)
		return r;
	if (m.point == SYNC_FAILED)
		return take_failure(&m, len, err);
	return err_set(err, ERR_INTERNAL, 0, "expected the exec, got sync point %u", m.point);
}
