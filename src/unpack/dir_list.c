/* SPDX-License-Identifier: Apache-2.0 */
#include "unpack/dir_list.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int dir_list_read(int dir_fd, struct strv *ret_names)
{
	auto_(strv_release) struct strv names = {0};
	auto_closedir DIR *dir = NULL;
	auto_close int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *entry;

	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir)
		return -errno;
	(void)TAKE_FD(fd);
	while (errno = 0, (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			strv_add(&names, entry->d_name);
	if (errno)
		return -errno;
	if (names.count > 1)
		qsort(names.items, names.count, sizeof(names.items[0]), compare_names);
	*ret_names = names;
	names = (struct strv){0};
	return 0;
}
