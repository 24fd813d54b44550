/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/host_file.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"

/* A directory of drop-ins with more files than this is a mistake. */
#define MAX_NAMES 4096

int host_file_read(const char *path, size_t max_bytes, char **ret_text, size_t *ret_len,
		   struct error *err)
{
	auto_close int fd = NO_FD;
	struct stat st;
	int r;

	if (!path)
		return 0;
	/* Not to wait for somebody to open the other end of a FIFO. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, ERR_SYSTEM, errno, "read '%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_INVALID, 0, "'%s' is not a regular file", path);
	r = fd_read_text(fd, max_bytes, ret_text, ret_len);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "read '%s'", path);
	return 1;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool ends_with(const char *text, const char *suffix)
{
	size_t len = strlen(text), suffix_len = strlen(suffix);

	return len > suffix_len && strcmp(text + len - suffix_len, suffix) == 0;
}

int host_directory_list(const char *path, const char *suffix, struct strv *ret_names,
			struct error *err)
{
	auto_(strv_release) struct strv names = {0};
	auto_closedir DIR *dir = opendir(path);
	const struct dirent *entry;

	if (!dir && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (!dir)
		return err_set(err, ERR_SYSTEM, errno, "read the directory '%s'", path);
	while ((errno = 0, entry = readdir(dir))) {
		if (!ends_with(entry->d_name, suffix))
			continue;
		if (names.count == MAX_NAMES)
			return err_set(err, ERR_INVALID, 0, "too many files in '%s'", path);
		strv_add(&names, entry->d_name);
	}
	if (errno != 0)
		return err_set(err, ERR_SYSTEM, errno, "read the directory '%s'", path);
	if (names.count > 1)
		qsort(names.items, names.count, sizeof(*names.items), compare_names);
	strv_add_all(ret_names, &names);
	return 0;
}
