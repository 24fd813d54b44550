/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_archive_source.c - from an archive's index to the images in it
 *
 * The input is the helper's answer as JSON, an empty line, and the bytes that offsets point into.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "image/archive_source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int memory_file(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || fd_write_all(fd, data, size) < 0)
		abort();
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_(source_images_release) struct source_images images = {0};
	auto_(archive_free) struct archive *archive = NULL;
	auto_(json_decref) json_t *index = NULL;
	auto_(platform_release) struct platform platform = {0};
	auto_(error_release) struct error err = {0};
	auto_close int fd = NO_FD;
	const struct source_request request = {.platform = &platform};
	const uint8_t *split = memmem(data, size, "\n\n", 2);

	if (!split || platform_parse("linux/amd64", &platform, &err) < 0)
		return 0;
	if (json_parse((const char *)data, (size_t)(split - data), "index", &index, &err) < 0)
		return 0;
	fd = memory_file(split + 2, size - (size_t)(split + 2 - data));
	if (archive_new_tar(index, fd, NO_FD, &archive, &err) < 0)
		return 0;
	if (source_images_read(archive, &request, &images, &err) >= 0 && images.count == 0)
		abort();
	return 0;
}
