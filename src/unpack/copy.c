/* SPDX-License-Identifier: Apache-2.0 */
#include "unpack/copy.h"

#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/parse.h"
#include "base/path.h"
#include "unpack/extract.h"

#define LINKS_MAX 40

void found_path_release(struct found_path *found)
{
	free(found->path);
	*found = (struct found_path){0};
}

/*
 * Where a link leads, as a path from the root. It is not made clean: what ".." means is for the kernel
 * to say, since there may be links before it.
 */
static int follow_link(int link_fd, char **path)
{
	char target[PATH_MAX];
	ssize_t len = readlinkat(link_fd, "", target, sizeof(target) - 1);
	char *next;

	if (len < 0)
		return -errno;
	target[len] = '\0';
	if (target[0] == '/')
		next = xstrdup(target);
	else
		next = xasprintf("%.*s%s", (int)(path_basename(*path) - *path), *path, target);
	free(*path);
	*path = next;
	return strlen(next) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int find(const struct confinement *c, bool follow, struct found_path *found)
{
	for (int links = 0; links < LINKS_MAX; links++) {
		auto_close int fd = NO_FD;
		int r;

		fd = path_open_in_root(c->root_fd, found->path, O_PATH | O_NOFOLLOW, 0);
		if (fd == -ENOENT)
			return 0;
		if (fd < 0)
			return fd;
		if (fstat(fd, &found->st) < 0)
			return -errno;
		found->exists = !S_ISLNK(found->st.st_mode) || !follow;
		if (found->exists)
			return 0;
		r = follow_link(fd, &found->path);
		if (r < 0)
			return r;
	}
	return -ELOOP;
}

int copy_find(const struct confinement *c, const char *path, bool follow,
	      struct found_path *ret_found, struct error *err)
{
	auto_(found_path_release) struct found_path found = {.path = xstrdup(path)};
	int r = find(c, follow, &found);

	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "%s", tar_path_show(found.path).text);
	*ret_found = found;
	found = (struct found_path){0};
	return 0;
}

/* ---- extracting ---- */

static int parse_owner(const char *text, struct extract_target *target, struct error *err)
{
	auto_free char *copy = xstrdup(text);
	char *colon = strchr(copy, ':');

	if (colon)
		*colon = '\0';
	if (!colon || parse_u32(copy, &target->uid) < 0 || parse_u32(colon + 1, &target->gid) < 0)
		return err_set(err, ERR_INTERNAL, EINVAL, "skiff-unpack: bad owner");
	target->owner = EXTRACT_OWNER_GIVEN;
	return 0;
}

/* Which of docker's two words it is: a read-only root, or something mounted on it. */
static int check_writable(const struct confinement *c, int dir_fd, struct error *err)
{
	struct stat dir, root;
	struct statvfs fs;

	if (fstatvfs(dir_fd, &fs) < 0 || fstat(dir_fd, &dir) < 0 || fstat(c->root_fd, &root) < 0)
		return err_set(err, ERR_SYSTEM, errno, "look at the destination");
	if (!(fs.f_flag & ST_RDONLY))
		return 0;
	return err_set(err, ERR_DENIED, EROFS,
		       !c->in_container            ? "the destination is read-only"
		       : dir.st_dev == root.st_dev ? "container rootfs is marked read-only"
						   : "mounted volume is marked read-only");
}

static int open_destination(const struct options *options, const struct confinement *c,
			    struct error *err)
{
	auto_close int fd = NO_FD;

	fd = path_open_in_root(c->root_fd, options->path, O_RDONLY | O_DIRECTORY, 0);
	if (fd == -ENOTDIR)
		return err_set(err, ERR_INVALID, ENOTDIR, "extraction point is not a directory");
	if (fd < 0)
		return err_set(err, fd == -ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM, -fd, "%s",
			       tar_path_show(options->path).text);
	if (check_writable(c, fd, err) < 0)
		return err_result(err);
	return TAKE_FD(fd);
}

static int extract_all(struct extractor *x, struct tar_input *input, struct error *err)
{
	auto_(tar_reader_release) struct tar_reader reader = {.input = input};
	struct tar_entry entry;
	int r;

	while ((r = tar_reader_next(&reader, &entry, err)) > 0)
		if (extract_entry(x, &reader, &entry, err) < 0)
			return err_result(err);
	return r < 0 ? r : extract_finish(x, err);
}

int copy_extract(const struct options *options, const struct confinement *c,
		 struct pipeline *pipeline, uint64_t *ret_entries, uint64_t *ret_bytes,
		 struct error *err)
{
	const struct extract_limits limits = {options->max_bytes, options->max_entries};
	struct extract_target target = {
		.owner = options->no_owner ? EXTRACT_OWNER_OURS : EXTRACT_OWNER_RECORDED,
	};
	auto_(extract_release) struct extractor x = {0};
	auto_close int dir_fd = NO_FD;
	struct pipeline_totals totals;
	enum compression compression;
	struct tar_input *input;

	if (options->owner && parse_owner(options->owner, &target, err) < 0)
		return err_result(err);
	dir_fd = open_destination(options, c, err);
	if (dir_fd < 0)
		return dir_fd;
	target.base = (struct parents_base){.fd = dir_fd, .inside = true};
	extract_init_copy(&x, c, &limits, &target);
	if (pipeline_start(pipeline, &compression, &input, err) < 0 ||
	    extract_all(&x, input, err) < 0 || pipeline_finish(pipeline, &totals, err) < 0)
		return err_result(err);
	*ret_entries = x.entries;
	*ret_bytes = totals.tar_bytes;
	return 0;
}
