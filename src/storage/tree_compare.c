/* SPDX-License-Identifier: Apache-2.0 */
#include "storage/tree_compare.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/strbuf.h"

#define CHUNK ((size_t)256 << 10)
#define XATTR_BYTES ((size_t)64 << 10) /* XATTR_LIST_MAX and XATTR_SIZE_MAX */

#define SEEN_SLOTS 1024

/* A name may have 255 bytes and a path of ours 4096: what is deeper cannot have been unpacked. */
#define MAX_DEPTH 2048

/* Two names of one file here must be two names of one file there. */
struct twin {
	ino_t found, expected;
};

struct compare {
	const struct tree_comparison *request;
	struct strv *differences;
	struct strbuf path; /* where we are */
	struct twin *twins;
	size_t twin_count, twin_capacity;
	struct twin seen[SEEN_SLOTS]; /* whose contents were compared; by inode number */
	char *chunks[2];
	bool full;
};

/* One entry on both sides. */
struct pair {
	int found_dir, expected_dir;
	const char *name;
	struct stat found, expected;
};

static void compare_release(struct compare *c)
{
	strbuf_release(&c->path);
	free(c->twins);
	free(c->chunks[0]);
	free(c->chunks[1]);
}

DEFINE_CLEANUP_VALUE(struct compare, compare_release);

/* ---- reporting ---- */

static void differ(struct compare *c, const char *name, const char *what)
{
	if (c->full)
		return;
	if (*name)
		strv_addf(c->differences, "%s%s: %s", strbuf_text(&c->path), name, what);
	else
		strv_addf(c->differences, "%s: %s", c->path.len ? strbuf_text(&c->path) : "/",
			  what);
	c->full = c->differences->count >= c->request->max_differences;
}

static int failed(struct compare *c, const char *name, struct error *err)
{
	return err_set(err, ERR_SYSTEM, errno, "look at '%s%s'", strbuf_text(&c->path), name);
}

/* ---- attributes ---- */

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool is_before(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

static const char *different_attribute(const struct compare *c, const struct stat *a,
				       const struct stat *b)
{
	bool timed = is_before(&b->st_mtim, &c->request->made);

	if ((a->st_mode & S_IFMT) != (b->st_mode & S_IFMT))
		return "type";
	if (a->st_mode != b->st_mode)
		return "mode";
	if (a->st_uid != b->st_uid || a->st_gid != b->st_gid)
		return "owner";
	if (!S_ISDIR(a->st_mode) && a->st_size != b->st_size)
		return "size";
	if ((S_ISCHR(a->st_mode) || S_ISBLK(a->st_mode)) && a->st_rdev != b->st_rdev)
		return "device number";
	if (!S_ISDIR(a->st_mode) && a->st_nlink != b->st_nlink)
		return "number of names";
	if (timed && !same_time(&a->st_mtim, &b->st_mtim))
		return "time";
	return NULL;
}

/* Set by the machine, not by an image. */
static bool is_the_machines(const char *xattr)
{
	return strcmp(xattr, "security.selinux") == 0 || strcmp(xattr, "security.ima") == 0 ||
	       strcmp(xattr, "security.evm") == 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort(struct strv *names)
{
	if (names->count > 1)
		qsort(names->items, names->count, sizeof(names->items[0]), compare_names);
}

/* "name" and its value, for each attribute, sorted; links are not followed. */
static int read_xattrs(const char *path, struct strv *ret_names, struct strbuf *ret_values)
{
	auto_free char *buffer = xmalloc(XATTR_BYTES);
	ssize_t len = llistxattr(path, buffer, XATTR_BYTES);

	if (len < 0)
		return errno == EOPNOTSUPP ? 0 : -errno;
	for (const char *name = buffer; name < buffer + len; name += strlen(name) + 1)
		if (!is_the_machines(name))
			strv_add(ret_names, name);
	sort(ret_names);
	for (size_t i = 0; i < ret_names->count; i++) {
		len = lgetxattr(path, ret_names->items[i], buffer, XATTR_BYTES);
		if (len < 0)
			return -errno;
		strbuf_addf(ret_values, "%s=%zd:", ret_names->items[i], len);
		strbuf_add(ret_values, buffer, (size_t)len);
	}
	return 0;
}

/* "." for the directory itself. */
static int xattrs_of(int dir_fd, const char *name, struct strbuf *ret_values)
{
	auto_(strv_release) struct strv names = {0};
	auto_free char *path = xasprintf("%s/%s", fd_path(dir_fd).text, name);

	return read_xattrs(path, &names, ret_values);
}

static int compare_xattrs(struct compare *c, const struct pair *p, struct error *err)
{
	auto_(strbuf_release) struct strbuf found = {0}, expected = {0};
	const char *name = *p->name ? p->name : ".";
	int r;

	r = xattrs_of(p->found_dir, name, &found);
	if (r >= 0)
		r = xattrs_of(p->expected_dir, name, &expected);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "read the attributes of '%s%s'",
			       strbuf_text(&c->path), p->name);
	if (found.len != expected.len ||
	    memcmp(strbuf_text(&found), strbuf_text(&expected), found.len) != 0)
		differ(c, p->name, "extended attributes");
	return 0;
}

/* ---- content ---- */

static int open_file(struct compare *c, int dir_fd, const char *name, struct error *err)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	return fd < 0 ? failed(c, name, err) : fd;
}

static int compare_content(struct compare *c, const struct pair *p, struct error *err)
{
	auto_close int found_fd = NO_FD, expected_fd = NO_FD;
	ssize_t n, m;

	found_fd = open_file(c, p->found_dir, p->name, err);
	if (found_fd < 0)
		return found_fd;
	expected_fd = open_file(c, p->expected_dir, p->name, err);
	if (expected_fd < 0)
		return expected_fd;
	do {
		n = fd_read_full(found_fd, c->chunks[0], CHUNK);
		/* What the disk cannot give back is not what was written. */
		if (n == -EIO) {
			differ(c, p->name, "cannot be read");
			return 0;
		}
		m = n < 0 ? n : fd_read_full(expected_fd, c->chunks[1], CHUNK);
		if (n < 0 || m < 0)
			return err_set(err, ERR_SYSTEM, (int)-(n < 0 ? n : m), "read '%s%s'",
				       strbuf_text(&c->path), p->name);
		if (n != m || memcmp(c->chunks[0], c->chunks[1], (size_t)n) != 0) {
			differ(c, p->name, "content");
			return 0;
		}
	} while (n > 0);
	return 0;
}

static int compare_links(struct compare *c, const struct pair *p, struct error *err)
{
	char found[PATH_MAX], expected[PATH_MAX];
	ssize_t n = readlinkat(p->found_dir, p->name, found, sizeof(found));
	ssize_t m = readlinkat(p->expected_dir, p->name, expected, sizeof(expected));

	if (n < 0 || m < 0)
		return failed(c, p->name, err);
	if (n != m || memcmp(found, expected, (size_t)n) != 0)
		differ(c, p->name, "target");
	return 0;
}

/* ---- hard links ---- */

/* True when the content was compared under another name, as far as we remember. */
static bool note_twin(struct compare *c, const struct pair *p)
{
	const struct twin twin = {p->found.st_ino, p->expected.st_ino};
	struct twin *seen = &c->seen[twin.found % SEEN_SLOTS];
	bool known = seen->found == twin.found && seen->expected == twin.expected;

	if (p->found.st_nlink < 2 || S_ISDIR(p->found.st_mode))
		return false;
	if (c->twin_count == c->twin_capacity) {
		c->twin_capacity = c->twin_capacity ? 2 * c->twin_capacity : 64;
		c->twins = xreallocarray(c->twins, c->twin_capacity, sizeof(c->twins[0]));
	}
	c->twins[c->twin_count++] = twin;
	*seen = twin;
	return known;
}

static int compare_twins(const void *a, const void *b)
{
	const struct twin *x = a, *y = b;

	if (x->found != y->found)
		return x->found < y->found ? -1 : 1;
	return (x->expected > y->expected) - (x->expected < y->expected);
}

/* The numbers of names agree already, so one direction says it all. */
static void check_twins(struct compare *c)
{
	if (c->twin_count > 1)
		qsort(c->twins, c->twin_count, sizeof(c->twins[0]), compare_twins);
	strbuf_clear(&c->path);
	for (size_t i = 1; i < c->twin_count; i++)
		if (c->twins[i].found == c->twins[i - 1].found &&
		    c->twins[i].expected != c->twins[i - 1].expected) {
			differ(c, "", "which names are one file");
			return;
		}
}

/* ---- trees ---- */

static int list(int dir_fd, struct strv *ret_names)
{
	auto_closedir DIR *dir = NULL;
	struct dirent *entry;
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		int r = -errno;

		cleanup_close_fd(&fd);
		return r;
	}
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			strv_add(ret_names, entry->d_name);
	sort(ret_names);
	return 0;
}

static int compare_directories(struct compare *c, int found_fd, int expected_fd, unsigned int depth,
			       struct error *err);

static int descend(struct compare *c, const struct pair *p, unsigned int depth, struct error *err)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	auto_close int found_fd = NO_FD, expected_fd = NO_FD;
	size_t len = c->path.len;
	int r;

	found_fd = openat(p->found_dir, p->name, flags);
	expected_fd = openat(p->expected_dir, p->name, flags);
	if (found_fd < 0 || expected_fd < 0)
		return failed(c, p->name, err);
	strbuf_addf(&c->path, "%s/", p->name);
	r = compare_directories(c, found_fd, expected_fd, depth + 1, err);
	c->path.len = len;
	c->path.data[len] = '\0';
	return r;
}

static int compare_entry(struct compare *c, struct pair *p, unsigned int depth, struct error *err)
{
	const char *attribute;
	bool known;
	int r;

	if (fstatat(p->found_dir, p->name, &p->found, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fstatat(p->expected_dir, p->name, &p->expected, AT_SYMLINK_NOFOLLOW) < 0)
		return failed(c, p->name, err);
	attribute = different_attribute(c, &p->found, &p->expected);
	if (attribute)
		differ(c, p->name, attribute);
	if ((p->found.st_mode & S_IFMT) != (p->expected.st_mode & S_IFMT))
		return 0;
	known = note_twin(c, p);
	r = compare_xattrs(c, p, err);
	if (r < 0)
		return r;
	if (S_ISDIR(p->found.st_mode))
		return descend(c, p, depth, err);
	if (S_ISLNK(p->found.st_mode))
		return compare_links(c, p, err);
	if (S_ISREG(p->found.st_mode) && p->found.st_size == p->expected.st_size && !known)
		return compare_content(c, p, err);
	return 0;
}

/* Both lists are sorted: side by side, as one merges. */
static int compare_directories(struct compare *c, int found_fd, int expected_fd, unsigned int depth,
			       struct error *err)
{
	auto_(strv_release) struct strv found = {0}, expected = {0};
	size_t i = 0, k = 0;
	int r;

	if (depth > MAX_DEPTH)
		return err_set(err, ERR_INVALID, ELOOP, "'%.200s': too deep",
			       strbuf_text(&c->path));
	r = list(found_fd, &found);
	if (r >= 0)
		r = list(expected_fd, &expected);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "read '%s'", strbuf_text(&c->path));
	while (!c->full && (i < found.count || k < expected.count)) {
		struct pair pair = {.found_dir = found_fd, .expected_dir = expected_fd};
		int order = i == found.count      ? 1
			    : k == expected.count ? -1
						  : strcmp(found.items[i], expected.items[k]);

		if (order < 0) {
			differ(c, found.items[i++], "does not belong there");
			continue;
		}
		if (order > 0) {
			differ(c, expected.items[k++], "is missing");
			continue;
		}
		pair.name = found.items[i++];
		k++;
		r = compare_entry(c, &pair, depth, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int compare_roots(struct compare *c, struct error *err)
{
	struct pair pair = {
		.found_dir = c->request->found_fd,
		.expected_dir = c->request->expected_fd,
		.name = "",
	};
	const char *attribute;

	if (fstat(pair.found_dir, &pair.found) < 0 || fstat(pair.expected_dir, &pair.expected) < 0)
		return failed(c, "", err);
	attribute = different_attribute(c, &pair.found, &pair.expected);
	if (attribute)
		differ(c, "", attribute);
	return compare_xattrs(c, &pair, err);
}

int tree_compare(const struct tree_comparison *comparison, struct strv *ret_differences,
		 struct error *err)
{
	auto_(compare_release) struct compare c = {
		.request = comparison,
		.differences = ret_differences,
		.chunks = {xmalloc(CHUNK), xmalloc(CHUNK)},
	};
	int r;

	r = compare_roots(&c, err);
	if (r >= 0)
		r = compare_directories(&c, comparison->found_fd, comparison->expected_fd, 0, err);
	if (r < 0)
		return r;
	check_twins(&c);
	return 0;
}
