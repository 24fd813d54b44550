/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "engine/stream_internal.h"

/*
 * theory: Our descriptors are shared with the shell and others, so O_NONBLOCK, which belongs to the
 * open file and not to the descriptor, is not ours to set. A pipe whose reader is slow would keep
 * us in write(2) while signals wait to be forwarded. So a pipe is written with RWF_NOWAIT (pipes
 * know it since Linux 6.4), or else in pieces that poll(2) promises to fit; a socket with
 * MSG_DONTWAIT. Files and terminals are simply written: they take their time, but they take it.
 */

void stream_output_init(struct stream_output *output, int fd)
{
	struct stat st;

	*output = (struct stream_output){.fd = fd};
	if (fd >= 0 && fstat(fd, &st) == 0)
		output->type = st.st_mode & S_IFMT;
}

static ssize_t write_pipe(struct stream_output *output, const uint8_t *data, size_t len,
			  bool is_ready)
{
	struct iovec iov = {.iov_base = (void *)data, .iov_len = len};
	ssize_t n;

	if (!output->cannot_nowait) {
		n = pwritev2(output->fd, &iov, 1, -1, RWF_NOWAIT);
		if (n >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL))
			return n;
		/* FIXME(kernel 6.4): drop when it is our minimum. */
		output->cannot_nowait = true;
	}
	if (!is_ready) {
		errno = EAGAIN;
		return -1;
	}
	return write(output->fd, data, len < PIPE_BUF ? len : PIPE_BUF);
}

ssize_t stream_output_write(struct stream_output *output, const uint8_t *data, size_t len,
			    bool is_ready)
{
	ssize_t n;

	if (output->fd < 0)
		return (ssize_t)len;
	do {
		if (output->type == S_IFIFO)
			n = write_pipe(output, data, len, is_ready);
		else if (output->type == S_IFSOCK)
			n = send(output->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		else
			n = write(output->fd, data, len);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}
