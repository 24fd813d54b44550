/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_layer.c - a layer's entries become files in a scratch directory
 *
 * The checksums of headers are put right first, so that the fuzzer's changes get through. After
 * each run the canary beside the scratch directory must be what it was.
 */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/path.h"
#include "unpack/extract.h"
#include "unpack/tar_header.h"

#include "../unit/unpack/memory_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char scratch[] = "/tmp/skiff-fuzz-XXXXXX";
static int scratch_fd = NO_FD;
static int home_fd = NO_FD; /* where the fuzzer was started: its own paths may be relative */

static void remove_scratch(void)
{
	(void)path_remove_tree(AT_FDCWD, scratch);
}

static void open_scratch(void)
{
	if (scratch_fd >= 0)
		return;
	home_fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (home_fd < 0 || !mkdtemp(scratch))
		abort();
	(void)atexit(remove_scratch);
	scratch_fd = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (scratch_fd < 0 || mkdirat(scratch_fd, "canary", 0700) < 0)
		abort();
	(void)umask(0);
}

static void repair_checksums(uint8_t *data, size_t size)
{
	for (size_t at = 0; at + TAR_BLOCK <= size; at += TAR_BLOCK) {
		uint8_t *block = data + at;
		unsigned int sum = 0;

		if (memcmp(block + 257, "ustar", 5) != 0)
			continue;
		memset(block + 148, ' ', 8);
		for (size_t i = 0; i < TAR_BLOCK; i++)
			sum += block[i];
		(void)snprintf((char *)block + 148, 8, "%06o", sum & 0777777);
	}
}

static void extract(const uint8_t *data, size_t size, int root_fd)
{
	const struct extract_limits limits = {.max_bytes = 1 << 20, .max_entries = 200};
	struct confinement c = {.root_fd = root_fd, .warden_fd = NO_FD};
	struct memory_input input = memory_input(data, size);
	auto_(tar_reader_release) struct tar_reader reader = {.input = &input.input};
	auto_(extract_release) struct extractor x = {0};
	auto_(error_release) struct error err = {0};
	struct tar_entry entry;
	int r;

	r = extract_init(&x, &c, &limits, &err);
	while (r >= 0 && (r = tar_reader_next(&reader, &entry, &err)) > 0)
		r = extract_entry(&x, &reader, &entry, &err);
	(void)extract_finish(&x, &err);
}

static void check_canary(void)
{
	struct stat st;

	if (fstatat(scratch_fd, "canary", &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_mode != 040700 ||
	    st.st_nlink != 2)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free uint8_t *copy = xmemdup(data, size);
	auto_close int root_fd = NO_FD;

	open_scratch();
	repair_checksums(copy, size);
	if (mkdirat(scratch_fd, "layer", 0755) < 0)
		abort();
	root_fd = openat(scratch_fd, "layer", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	extract(copy, size, root_fd);
	check_canary();
	if (fchdir(home_fd) < 0 || path_remove_tree(scratch_fd, "layer") < 0)
		abort();
	return 0;
}
