/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_log_read.c - log files: lines, records, the last lines, compressed ones
 *
 * The first byte says whether the rest is compressed, and how many lines are wanted.
 */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "engine/log_files.h"
#include "engine/log_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t read_lines(struct log_file *file)
{
	struct log_record record;
	uint64_t count = 0;
	char *line;
	size_t len;

	while (log_file_next(file, &line, &len) > 0) {
		count++;
		/* The byte after a local record's line is its newline, which may belong to the text. */
		if (local_record_parse(line, len, &record) == 0) {
			if (record.len > len)
				abort();
			line[len] = '\0';
		} else if (log_record_parse(line, len, &record) == 0 &&
			   (record.len > len || record.attributes_len > len)) {
			abort();
		}
	}
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_(log_files_close) struct log_files files = {0};
	uint64_t wanted;
	int fd;

	if (size < 1)
		return 0;
	wanted = data[0] & 0x7f;
	fd = memfd_create("log", MFD_CLOEXEC);
	if (fd < 0 || fd_write_all(fd, data + 1, size - 1) < 0)
		abort();
	(void)lseek(fd, 0, SEEK_SET);

	files.items = xcalloc(1, sizeof(*files.items));
	files.count = 1;
	files.items[0] = (struct log_file){.fd = fd, .is_compressed = data[0] & 0x80};
	if (data[0] % 2 == 0)
		(void)read_lines(&files.items[0]);
	else if (log_files_seek_tail(&files, wanted) >= 0 && read_lines(&files.items[0]) > wanted)
		abort();
	return 0;
}
