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
	uint32_t point;     /* enum sync_point */
	int32_t error_kind; /* enum error_kind */
	int32_t errnum;
	char text[SYNC_TEXT_MAX];
};

#define SYNC_HEADER_SIZE offsetof(struct sync_message, text)

int sync_pair(int ret_socks[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_socks) < 0 ? -errno : 0;
}

int sync_send_fds(int sock, enum sync_point point, const int *fds, size_t count)
{
	struct sync_message m = {.version = SYNC_VERSION, .point = (uint32_t)point};
	ssize_t n = fd_send(sock, &m, SYNC_HEADER_SIZE, fds, count);

	return n < 0 ? (int)n : 0;
}

int sync_send(int sock, enum sync_point point, int fd)
{
	return sync_send_fds(sock, point, &fd, fd >= 0 ? 1 : 0);
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

static void close_all(int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		cleanup_close_fd(&fds[i]);
}

/* 1: the message of this point came; 0: end of file. Fills `fds` only on 1. */
static int receive(int sock, enum sync_point point, int *fds, size_t *ret_count, struct error *err)
{
	struct sync_message m;
	size_t count = 0;
	ssize_t n;

	n = fd_recv(sock, &m, sizeof(m), fds, SYNC_FDS_MAX, &count);
	/* It ended without having read what we sent. That is told once; its last words are still there. */
	if (n == -ECONNRESET)
		n = fd_recv(sock, &m, sizeof(m), fds, SYNC_FDS_MAX, &count);
	if (n == 0 || n == -ECONNRESET)
		return 0;
	if (n < 0)
		return err_set(err, ERR_SYSTEM, (int)-n, "hear from the other side of the start");
	if ((size_t)n >= SYNC_HEADER_SIZE && m.version == SYNC_VERSION &&
	    m.point == (uint32_t)point && point != SYNC_FAILED) {
		*ret_count = count;
		return 1;
	}
	close_all(fds, count);
	if ((size_t)n < SYNC_HEADER_SIZE || m.version != SYNC_VERSION)
		return err_set(err, ERR_INTERNAL, 0, "malformed word at a sync point");
	if (m.point == SYNC_FAILED)
		return take_failure(&m, (size_t)n, err);
	return err_set(err, ERR_INTERNAL, 0, "expected sync point %d, got %u", point, m.point);
}

int sync_expect_fds(int sock, enum sync_point point, int ret_fds[SYNC_FDS_MAX], size_t *ret_count,
		    struct error *err)
{
	int r = receive(sock, point, ret_fds, ret_count, err);

	if (r == 0)
		return err_set(err, ERR_INTERNAL, 0,
			       "the other side of the start ended without a word");
	return r < 0 ? r : 0;
}

int sync_expect(int sock, enum sync_point point, int *ret_fd, struct error *err)
{
	int fds[SYNC_FDS_MAX];
	size_t count = 0;
	int r;

	r = sync_expect_fds(sock, point, fds, &count, err);
	if (r < 0)
		return r;
	if (count != (ret_fd ? 1 : 0)) {
		close_all(fds, count);
		return err_set(err, ERR_INTERNAL, 0, "sync point %d came with %zu descriptors",
			       point, count);
	}
	if (ret_fd)
		*ret_fd = fds[0];
	return 0;
}

int sync_expect_exec(int sock, struct error *err)
{
	int fds[SYNC_FDS_MAX];
	size_t count;

	return receive(sock, SYNC_FAILED, fds, &count, err);
}
