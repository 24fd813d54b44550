/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/container_size.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "engine/container_internal.h"
#include "engine/image_internal.h"

#define DEPTH_MAX 1024 /* directories in each other; what lies deeper does not count */

/* Files that have several names and were met once. */
struct inodes {
	ino_t *items;
	size_t count, capacity;
};

static bool met_before(struct inodes *met, ino_t inode)
{
	for (size_t i = 0; i < met->count; i++)
		if (met->items[i] == inode)
			return true;
	if (met->count == met->capacity) {
		met->capacity = met->capacity ? met->capacity * 2 : 16;
		met->items = xreallocarray(met->items, met->capacity, sizeof(*met->items));
	}
	met->items[met->count++] = inode;
	return false;
}

static uint64_t add_directory(int dir_fd, struct inodes *met, unsigned int depth);

static uint64_t add_entry(int dir_fd, const char *name, struct inodes *met, unsigned int depth)
{
	struct stat st;
	int fd;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (S_ISDIR(st.st_mode)) {
		fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		return fd < 0 ? 0 : add_directory(fd, met, depth + 1);
	}
	if (st.st_nlink > 1 && met_before(met, st.st_ino))
		return 0;
	return (uint64_t)st.st_size;
}

/* Takes the descriptor. */
static uint64_t add_directory(int dir_fd, struct inodes *met, unsigned int depth)
{
	auto_closedir DIR *dir = depth < DEPTH_MAX ? fdopendir(dir_fd) : NULL;
	struct dirent *entry;
	uint64_t bytes = 0;

	if (!dir) {
		(void)close(dir_fd);
		return 0;
	}
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			bytes += add_entry(dirfd(dir), entry->d_name, met, depth);
	return bytes;
}

void container_size(struct engine *engine, const char *id, const char *image_id,
		    struct container_size *ret_size)
{
	auto_free char *path = xasprintf("%s/containers/%s/upper", engine_root_path(engine), id);
	auto_(image_record_release) struct image_record image = {0};
	auto_(error_release) struct error ignored = {0};
	struct inodes met = {0};
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	*ret_size = (struct container_size){0};
	if (fd >= 0)
		ret_size->written_bytes = add_directory(fd, &met, 0);
	free(met.items);
	ret_size->root_bytes = ret_size->written_bytes;
	if (image_id && image_find(engine, image_id, &image, &ignored) >= 0)
		ret_size->root_bytes += image.size_bytes;
}

int container_add_size(struct engine *engine, const char *selector, json_t *object,
		       struct error *err)
{
	struct container_size size;

	(void)selector;
	(void)err;
	container_size(engine, json_get_string(object, "Id", ""),
		       json_get_string(object, "Image", NULL), &size);
	(void)json_object_set_new(object, "SizeRw", json_integer((json_int_t)size.written_bytes));
	(void)json_object_set_new(object, "SizeRootFs", json_integer((json_int_t)size.root_bytes));
	return 0;
}
