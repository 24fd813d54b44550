/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "monitor/json_log.h"
#include "runtime/state.h"

/* One name: what a compressor that was killed leaves is overwritten by the next one. */
#define TEMPORARY_NAME "log.gz.tmp"

#define CHUNK_BYTES 65536

struct log_name {
	char text[40];
};

static struct log_name log_name(const char *base, uint32_t index, const char *suffix)
{
	struct log_name name;

	if (index == 0)
		(void)snprintf(name.text, sizeof(name.text), "%s", base);
	else
		(void)snprintf(name.text, sizeof(name.text), "%s.%u%s", base, index, suffix);
	return name;
}

static int move(int dir_fd, struct log_name from, struct log_name to)
{
	if (renameat(dir_fd, from.text, dir_fd, to.text) < 0 && errno != ENOENT)
		return -errno;
	return 0;
}

static const char *const suffixes[] = {"", ".gz"};

static bool is_taken(int dir_fd, const char *base, uint32_t index)
{
	for (size_t s = 0; s < ARRAY_SIZE(suffixes); s++)
		if (faccessat(dir_fd, log_name(base, index, suffixes[s]).text, F_OK,
			      AT_SYMLINK_NOFOLLOW) == 0)
			return true;
	return false;
}

/*
 * Everything up to the first free number moves by one, or up to the last number, whose file goes.
 * From the oldest to the newest: at no moment do two files want one place.
 */
int log_rotate(int dir_fd, const char *base, uint32_t max_files)
{
	uint32_t top = 1;
	int r = 0;

	if (max_files < 2)
		return unlinkat(dir_fd, base, 0) < 0 && errno != ENOENT ? -errno : 0;
	while (top < max_files - 1 && is_taken(dir_fd, base, top))
		top++;
	for (size_t s = 0; s < ARRAY_SIZE(suffixes); s++)
		(void)unlinkat(dir_fd, log_name(base, top, suffixes[s]).text, 0);
	for (uint32_t i = top; i > 1 && r == 0; i--)
		for (size_t s = 0; s < ARRAY_SIZE(suffixes) && r == 0; s++)
			r = move(dir_fd, log_name(base, i - 1, suffixes[s]),
				 log_name(base, i, suffixes[s]));
	return r < 0 ? r : move(dir_fd, log_name(base, 0, ""), log_name(base, 1, ""));
}

static int deflate_chunk(z_stream *stream, int to_fd, int flush)
{
	unsigned char out[16384];
	int r;

	do {
		stream->next_out = out;
		stream->avail_out = sizeof(out);
		if (deflate(stream, flush) == Z_STREAM_ERROR)
			return -EIO;
		r = fd_write_all(to_fd, out, sizeof(out) - stream->avail_out);
		if (r < 0)
			return r;
	} while (stream->avail_out == 0);
	return 0;
}

static int compress_stream(z_stream *stream, int from_fd, int to_fd)
{
	static unsigned char in[CHUNK_BYTES];
	ssize_t n;
	int r;

	do {
		n = fd_read_full(from_fd, in, sizeof(in));
		if (n < 0)
			return (int)n;
		stream->next_in = in;
		stream->avail_in = (uInt)n;
		r = deflate_chunk(stream, to_fd, n == sizeof(in) ? Z_NO_FLUSH : Z_FINISH);
		if (r < 0)
			return r;
	} while (n == sizeof(in));
	return 0;
}

/* windowBits 15 + 16 makes a gzip header instead of zlib's. */
static int compress_file(int from_fd, int to_fd)
{
	z_stream stream = {0};
	int r;

	if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	r = compress_stream(&stream, from_fd, to_fd);
	(void)deflateEnd(&stream);
	return r;
}

static int compress_one(int dir_fd, struct log_name from, struct log_name to)
{
	auto_close int from_fd = NO_FD;
	auto_close int to_fd = NO_FD;
	int r;

	from_fd = openat(dir_fd, from.text, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (from_fd < 0)
		return errno == ENOENT ? 0 : -errno;
	to_fd = openat(dir_fd, TEMPORARY_NAME,
		       O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (to_fd < 0)
		return -errno;
	r = compress_file(from_fd, to_fd);
	if (r == 0 && renameat(dir_fd, TEMPORARY_NAME, dir_fd, to.text) < 0)
		r = -errno;
	if (r == 0 && unlinkat(dir_fd, from.text, 0) < 0)
		r = -errno;
	if (r < 0)
		(void)unlinkat(dir_fd, TEMPORARY_NAME, 0);
	return r;
}

int log_compress_all(int dir_fd, const char *base, uint32_t max_files)
{
	for (uint32_t i = 1; i < max_files; i++) {
		int r = compress_one(dir_fd, log_name(base, i, ""), log_name(base, i, ".gz"));

		if (r < 0)
			return r;
	}
	return 0;
}
