/* SPDX-License-Identifier: Apache-2.0 */
#include "unpack/changes.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/strbuf.h"
#include "unpack/dir_list.h"
#include "unpack/tar_path.h"
#include "unpack/xattrs.h"

#define UPPER "upper"
#define LOWER "lower"
#define BUFFER_BYTES ((size_t)64 << 10)

struct walk {
	const struct confinement *confinement;
	int stream_fd;
	struct strbuf out;
	struct strbuf path; /* "/etc/passwd" */
	uint64_t count;
};

static void walk_release(struct walk *w)
{
	strbuf_release(&w->out);
	strbuf_release(&w->path);
}

DEFINE_CLEANUP_VALUE(struct walk, walk_release);

/* A directory on the way. */
struct level {
	struct level *above; /* NULL: the root, which is never listed */
	int upper_fd;
	int lower_fd; /* what the image has there; NO_FD: no directory */
	size_t path_len;
	bool opaque; /* nothing of the image's shows through */
	bool listed;
};

static int walk_level(struct walk *w, struct level *level, struct error *err);

static int failed(const struct walk *w, int errnum, struct error *err)
{
	return err_set(err, ERR_SYSTEM, errnum, "look at '%s'",
		       tar_path_show(strbuf_text(&w->path)).text);
}

static bool has_vanished(int errnum)
{
	return errnum == ENOENT || errnum == ENOTDIR || errnum == ELOOP;
}

static int flush(struct walk *w, struct error *err)
{
	int r = fd_write_all(w->stream_fd, strbuf_text(&w->out), w->out.len);

	strbuf_clear(&w->out);
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "write the list of changes") : 0;
}

static int put(struct walk *w, char kind, size_t path_len, struct error *err)
{
	w->count++;
	strbuf_addc(&w->out, kind);
	strbuf_add(&w->out, strbuf_text(&w->path), path_len);
	strbuf_addc(&w->out, '\0');
	return w->out.len < BUFFER_BYTES ? 0 : flush(w, err);
}

/* A directory with a change in it is changed itself, and stands before it. */
static int list_level(struct walk *w, struct level *level, struct error *err)
{
	int r;

	if (!level->above || level->listed)
		return 0;
	level->listed = true;
	r = list_level(w, level->above, err);
	return r < 0 ? r : put(w, 'C', level->path_len, err);
}

static int list(struct walk *w, struct level *level, char kind, struct error *err)
{
	int r = list_level(w, level, err);

	return r < 0 ? r : put(w, kind, w->path.len, err);
}

/* One of them may come from an archive, which knows whole seconds only. */
static bool same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && (a.tv_nsec == b.tv_nsec || a.tv_nsec == 0 || b.tv_nsec == 0);
}

static bool same_capability(int upper_dir, int lower_dir, const char *name)
{
	auto_(xattr_list_release) struct xattr_list upper = {0}, lower = {0};
	struct xattr_list *const lists[] = {&upper, &lower};
	const int dirs[] = {upper_dir, lower_dir};

	for (size_t i = 0; i < 2; i++) {
		auto_close int fd = openat(
			dirs[i], name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

		if (fd < 0 || xattr_list_read_one(fd, "security.capability", lists[i]) < 0)
			return false;
	}
	return upper.count == lower.count &&
	       (upper.count == 0 ||
		(upper.items[0].len == lower.items[0].len &&
		 memcmp(upper.items[0].value, lower.items[0].value, upper.items[0].len) == 0));
}

/* Docker's statDifferent(): sizes and times of directories say nothing. */
static bool is_same(const struct level *level, const char *name, const struct stat *upper,
		    const struct stat *lower)
{
	if (upper->st_mode != lower->st_mode || upper->st_uid != lower->st_uid ||
	    upper->st_gid != lower->st_gid || upper->st_rdev != lower->st_rdev)
		return false;
	if (!S_ISDIR(upper->st_mode) &&
	    (!same_time(upper->st_mtim, lower->st_mtim) || upper->st_size != lower->st_size))
		return false;
	return !S_ISREG(upper->st_mode) || same_capability(level->upper_fd, level->lower_fd, name);
}

static int open_dir(int dir_fd, const char *name)
{
	return openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int visit_dir(struct walk *w, struct level *above, const char *name, bool listed,
		     struct error *err)
{
	auto_close int upper_fd = open_dir(above->upper_fd, name);
	auto_close int lower_fd = above->lower_fd < 0 ? NO_FD : open_dir(above->lower_fd, name);
	struct level level = {
		.above = above,
		.upper_fd = upper_fd,
		.lower_fd = lower_fd,
		.path_len = w->path.len,
		.listed = listed,
	};
	int r;

	if (upper_fd < 0)
		return 0; /* gone since: the container goes on */
	r = confine_is_opaque(w->confinement, upper_fd);
	if (r < 0)
		return failed(w, -r, err);
	level.opaque = r > 0;
	return walk_level(w, &level, err);
}

/* What the container has there itself. */
static int visit(struct walk *w, struct level *level, const char *name, struct error *err)
{
	struct stat upper, lower;
	char kind = 'A';
	int r;

	if (fstatat(level->upper_fd, name, &upper, AT_SYMLINK_NOFOLLOW) < 0)
		return has_vanished(errno) ? 0 : failed(w, errno, err);
	if (S_ISCHR(upper.st_mode) && upper.st_rdev == 0)
		return 0;
	if (level->lower_fd >= 0 &&
	    fstatat(level->lower_fd, name, &lower, AT_SYMLINK_NOFOLLOW) == 0)
		kind = is_same(level, name, &upper, &lower) ? 0 : 'C';
	r = kind ? list(w, level, kind, err) : 0;
	if (r >= 0 && S_ISDIR(upper.st_mode))
		r = visit_dir(w, level, name, kind != 0, err);
	return r;
}

/* What the image has there, and no longer shows. */
static int visit_hidden(struct walk *w, struct level *level, const char *name, struct error *err)
{
	struct stat st;

	if (level->lower_fd < 0 || fstatat(level->lower_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (fstatat(level->upper_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (!level->opaque || errno != ENOENT)
			return 0;
	} else if (!S_ISCHR(st.st_mode) || st.st_rdev != 0) {
		return 0;
	}
	return list(w, level, 'D', err);
}

typedef int (*visitor)(struct walk *w, struct level *level, const char *name, struct error *err);

static int each_name(struct walk *w, struct level *level, int dir_fd, visitor visit_name,
		     struct error *err)
{
	auto_(strv_release) struct strv names = {0};
	int r;

	r = dir_list_read(dir_fd, &names);
	if (r < 0)
		return has_vanished(-r) ? 0 : failed(w, -r, err);
	for (size_t i = 0; i < names.count; i++) {
		strbuf_addc(&w->path, '/');
		strbuf_adds(&w->path, names.items[i]);
		r = visit_name(w, level, names.items[i], err);
		if (r < 0)
			return r;
		w->path.len = level->path_len;
		w->path.data[level->path_len] = '\0';
	}
	return 0;
}

static int walk_level(struct walk *w, struct level *level, struct error *err)
{
	int r;

	r = each_name(w, level, level->upper_fd, visit, err);
	if (r < 0 || level->lower_fd < 0)
		return r;
	return each_name(w, level, level->opaque ? level->lower_fd : level->upper_fd, visit_hidden,
			 err);
}

int changes_run(const struct confinement *c, int stream_fd, uint64_t *ret_count, struct error *err)
{
	auto_(walk_release) struct walk w = {.confinement = c, .stream_fd = stream_fd};
	auto_close int upper_fd = path_open_beneath(c->root_fd, UPPER, O_RDONLY | O_DIRECTORY, 0);
	auto_close int lower_fd = path_open_beneath(c->root_fd, LOWER, O_RDONLY | O_DIRECTORY, 0);
	struct level top = {.upper_fd = upper_fd, .lower_fd = lower_fd};
	int r;

	if (lower_fd < 0 || upper_fd < 0)
		return err_set(err, ERR_SYSTEM, lower_fd < 0 ? -lower_fd : -upper_fd,
			       "open the layers");
	r = walk_level(&w, &top, err);
	if (r >= 0)
		r = flush(&w, err);
	if (r >= 0)
		*ret_count = w.count;
	return r;
}
