/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flood - output without end, whose reader can tell whether anything is missing
 *
 *	flood MEGABYTES [STREAM…]   1 and 2 are the streams; both when none is named
 *
 * So many megabytes in each stream, in turn, as lines of LINE_BYTES: the stream's number, the line's, and
 * a filling that depends on it. Written in pieces that do not end where lines do.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/parse.h"

#define LINE_BYTES 100
#define PIECE_BYTES 65521 /* a prime number */

struct stream {
	int fd;
	uint64_t line;
	char line_text[LINE_BYTES];
	size_t offset; /* into line_text */
	char piece[PIECE_BYTES];
};

static void next_line(struct stream *stream)
{
	int n = snprintf(stream->line_text, LINE_BYTES, "%d %llu ", stream->fd,
			 (unsigned long long)stream->line);

	memset(stream->line_text + n, 'a' + (int)(stream->line % 26), (size_t)(LINE_BYTES - n));
	stream->line_text[LINE_BYTES - 1] = '\n';
	stream->line++;
	stream->offset = 0;
}

static size_t fill(struct stream *stream, uint64_t lines)
{
	size_t used = 0;

	while (used < PIECE_BYTES) {
		size_t part = LINE_BYTES - stream->offset;

		if (part == 0) {
			if (stream->line == lines)
				break;
			next_line(stream);
			continue;
		}
		if (part > PIECE_BYTES - used)
			part = PIECE_BYTES - used;
		memcpy(stream->piece + used, stream->line_text + stream->offset, part);
		stream->offset += part;
		used += part;
	}
	return used;
}

static int write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0)
			return -1;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

int main(int argc, char **argv)
{
	static struct stream streams[2] = {{.fd = 1, .offset = LINE_BYTES},
					   {.fd = 2, .offset = LINE_BYTES}};
	int first = argc == 3 && strcmp(argv[2], "2") == 0 ? 1 : 0;
	int last = argc == 3 && strcmp(argv[2], "1") == 0 ? 0 : 1;
	uint64_t lines;
	uint32_t megabytes;
	size_t n, left = 1;

	if (argc < 2 || parse_u32(argv[1], &megabytes) < 0) {
		(void)fprintf(stderr, "usage: flood MEGABYTES [1|2]\n");
		return 2;
	}
	lines = (uint64_t)megabytes * 1000000 / LINE_BYTES;
	while (left > 0) {
		left = 0;
		for (int i = first; i <= last; i++) {
			n = fill(&streams[i], lines);
			if (write_all(streams[i].fd, streams[i].piece, n) < 0)
				return 1;
			left += n;
		}
	}
	return 0;
}
