/* SPDX-License-Identifier: Apache-2.0 */
#include "unpack/parents.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/path.h"

#define OPEN_DIR (O_RDONLY | O_DIRECTORY | O_NONBLOCK)

void parents_init(struct parents *p, const struct confinement *c, struct parents_base base)
{
	*p = (struct parents){
		.confinement = c,
		.base = base,
		.table = xcalloc(PARENTS_MAX, sizeof(*p->table)),
	};
	for (size_t i = 0; i < PARENTS_MAX; i++)
		p->table[i].fd = NO_FD;
}

static void forget_all(struct parents *p)
{
	for (size_t i = 0; i < PARENTS_MAX; i++)
		cleanup_close_fd(&p->table[i].fd);
}

void parents_release(struct parents *p)
{
	if (p->table)
		forget_all(p);
	free(p->table);
	*p = (struct parents){0};
}

/* FNV-1a. */
static struct parent *slot_of(struct parents *p, const struct tar_path *path)
{
	uint32_t hash = 2166136261U;

	for (size_t i = 0; i < path->len; i++)
		hash = (hash ^ (uint8_t)path->text[i]) * 16777619U;
	return &p->table[(hash ^ hash >> 16) % PARENTS_MAX];
}

/* Opens what is there already. */
static int open_existing(const struct parents *p, const struct tar_path *path, bool *ret_via_links)
{
	const char *name = path->len ? path->text : ".";
	int fd = path_open_beneath(p->base.fd, name, OPEN_DIR, 0);

	*ret_via_links = fd == -ELOOP;
	if (fd != -ELOOP)
		return fd;
	return p->base.inside ? path_open_inside(p->base.fd, name, OPEN_DIR, 0)
			      : path_open_in_root(p->base.fd, name, OPEN_DIR, 0);
}

bool parents_is_whiteout(int dir_fd, const char *name)
{
	struct stat st;

	return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISCHR(st.st_mode) &&
	       st.st_rdev == 0;
}

static int replace_whiteout(struct parents *p, int dir_fd, const char *name)
{
	auto_close int fd = NO_FD;
	int r;

	if (unlinkat(dir_fd, name, 0) < 0 || mkdirat(dir_fd, name, 0755) < 0)
		return -errno;
	fd = openat(dir_fd, name, OPEN_DIR | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = confine_mark_opaque(p->confinement, fd);
	return r < 0 ? r : TAKE_FD(fd);
}

int parents_make_dir(struct parents *p, int dir_fd, const char *name)
{
	int fd;

	if (mkdirat(dir_fd, name, 0755) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(dir_fd, name, OPEN_DIR | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	if (errno != ENOTDIR && errno != ELOOP && errno != ENXIO && errno != EACCES)
		return -errno;
	return parents_is_whiteout(dir_fd, name) ? replace_whiteout(p, dir_fd, name) : -EEXIST;
}

/*
 * Makes the components that are missing: back to what exists, then forth. A loop, because a path may
 * have two thousand components.
 */
static int make_missing(struct parents *p, const struct tar_path *path, bool *ret_via_links)
{
	struct tar_path prefix = *path;
	auto_close int fd = NO_FD;

	do {
		struct tar_path upper;

		(void)tar_path_split(&prefix, &upper);
		prefix = upper;
		fd = open_existing(p, &prefix, ret_via_links);
	} while ((fd == -ENOENT || fd == -ENOTDIR) && prefix.len > 0);

	for (size_t at = prefix.len; fd >= 0 && at < path->len;) {
		const char *start = path->text + at + (at > 0);
		size_t len = strcspn(start, "/");
		char name[NAME_MAX + 1];
		int parent_fd = TAKE_FD(fd);

		memcpy(name, start, len);
		name[len] = '\0';
		fd = parents_make_dir(p, parent_fd, name);
		(void)close(parent_fd);
		p->made++;
		at = (size_t)(start - path->text) + len;
	}
	/* A file, or a link that leads to nothing: docker fails here as well. */
	return fd == -EEXIST ? -ENOTDIR : TAKE_FD(fd);
}

int parents_open(struct parents *p, const struct tar_path *path, bool make,
		 const struct parent **ret_parent)
{
	struct parent *slot = slot_of(p, path);
	bool via_links;
	int fd;

	if (p->stale)
		forget_all(p);
	p->stale = false;
	if (slot->fd >= 0 && slot->path.len == path->len &&
	    memcmp(slot->path.text, path->text, path->len) == 0) {
		*ret_parent = slot;
		return 0;
	}
	fd = open_existing(p, path, &via_links);
	if ((fd == -ENOENT || fd == -ENOTDIR) && make && path->len > 0)
		fd = make_missing(p, path, &via_links);
	if (fd < 0)
		return fd;
	cleanup_close_fd(&slot->fd);
	slot->fd = fd;
	slot->via_links = via_links;
	slot->path.len = path->len;
	memcpy(slot->path.text, path->text, path->len + 1);
	*ret_parent = slot;
	return 0;
}
