/* SPDX-License-Identifier: Apache-2.0 */
#include "unpack/extract.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "unpack/xattrs.h"

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

#define MAX_MAJOR 0xfff
#define MAX_MINOR 0xfffff

/* An entry on its way to become a file. */
struct target {
	const struct extract_target *rules;
	const struct tar_entry *entry;
	struct tar_path path;
	int dir_fd; /* borrowed from the table of parents */
	const char *name;
	struct timespec times[2];
};

static int refuse(const struct target *t, const char *why, struct error *err)
{
	return err_set(err, ERR_INVALID, EINVAL, "'%s': %s", tar_path_show(t->entry->name).text,
		       why);
}

/*
 * A system call failed. Full or failing disks are the machine's business; everything else that
 * making a file can answer was provoked by what the archive says.
 */
static int failed(const struct target *t, int errnum, const char *what, struct error *err)
{
	switch (errnum) {
	case EEXIST:
	case EINVAL:
	case EISDIR:
	case ELOOP:
	case EMLINK:
	case ENAMETOOLONG:
	case ENOENT:
	case ENOTDIR:
	case EPERM:
		return err_set(err, ERR_INVALID, errnum, "'%s': %s: %s",
			       tar_path_show(t->entry->name).text, what, errno_text(errnum));
	default:
		return err_set(err, ERR_SYSTEM, errnum, "'%s': %s",
			       tar_path_show(t->entry->name).text, what);
	}
}

static void begin(struct extractor *x, const struct confinement *c,
		  const struct extract_limits *limits, const struct extract_target *target)
{
	*x = (struct extractor){.confinement = c, .limits = *limits, .target = *target};
	parents_init(&x->parents, c, target->base);
	dir_times_init(&x->dir_times, target->base.fd);
}

void extract_init_copy(struct extractor *x, const struct confinement *c,
		       const struct extract_limits *limits, const struct extract_target *target)
{
	begin(x, c, limits, target);
	x->target.copy = true;
}

int extract_init(struct extractor *x, const struct confinement *c,
		 const struct extract_limits *limits, struct error *err)
{
	static const char *const acls[] = {"system.posix_acl_default", "system.posix_acl_access"};

	const struct extract_target target = {.base = {.fd = c->root_fd}};

	begin(x, c, limits, &target);
	/* A default ACL of the store's directory would show in every file of the layer. */
	for (size_t i = 0; i < ARRAY_SIZE(acls); i++)
		if (fremovexattr(c->root_fd, acls[i]) < 0 && errno != ENODATA &&
		    errno != EOPNOTSUPP)
			return err_set(err, ERR_SYSTEM, errno, "clear the layer's ACL");
	if (fchown(c->root_fd, 0, 0) < 0 || fchmod(c->root_fd, 0755) < 0)
		return err_set(err, ERR_SYSTEM, errno, "set the layer's owner and mode");
	return 0;
}

void extract_release(struct extractor *x)
{
	parents_release(&x->parents);
	dir_times_release(&x->dir_times);
}

/* --- attributes -------------------------------------------------------------------------- */

/*
 * On fd, or, when it is NO_FD, on the name itself: there is no call for a link's or a device's
 * attributes that takes a directory descriptor (before Linux 6.13), so we go there.
 */
static int set_xattrs(const struct target *t, int fd, struct error *err)
{
	const struct tar_entry *e = t->entry;

	if (e->xattr_count > 0 && fd < 0 && fchdir(t->dir_fd) < 0)
		return failed(t, errno, "enter its directory", err);
	for (size_t i = 0; i < e->xattr_count; i++) {
		const struct pax_xattr *xattr = &e->xattrs[i];
		int r;

		if (!xattr_travels(xattr->name))
			continue;
		r = fd >= 0 ? fsetxattr(fd, xattr->name, xattr->value, xattr->len, 0)
			    : lsetxattr(t->name, xattr->name, xattr->value, xattr->len, 0);
		/* Docker ignores EPERM too: user attributes on links and devices. */
		if (r < 0 && errno != EPERM && !(t->rules->copy && errno == EOPNOTSUPP))
			return err_set(err, errno == EINVAL ? ERR_INVALID : ERR_SYSTEM, errno,
				       "'%s': set attribute '%s'", tar_path_show(e->name).text,
				       tar_path_show(xattr->name).text);
	}
	return 0;
}

/* Whether `st` belongs to somebody else than it should; *ret_uid and *ret_gid say to whom. */
static bool owner_differs(const struct target *t, const struct stat *st, uid_t *ret_uid,
			  gid_t *ret_gid)
{
	if (t->rules->owner == EXTRACT_OWNER_OURS)
		return false;
	*ret_uid = (uid_t)t->entry->uid;
	*ret_gid = (gid_t)t->entry->gid;
	if (t->rules->owner == EXTRACT_OWNER_GIVEN) {
		*ret_uid = t->rules->uid;
		*ret_gid = t->rules->gid;
	}
	return st->st_uid != *ret_uid || st->st_gid != *ret_gid;
}

/*
 * Owner, extended attributes, mode and times of what is open. What was just made mostly has the
 * right owner and mode already; looking costs less than setting. It also makes us independent of
 * what a directory's setgid bit or default ACL did to the new file.
 */
static int set_attributes(const struct target *t, int fd, bool with_times, struct error *err)
{
	const struct tar_entry *e = t->entry;
	bool chowned = false;
	struct stat st;
	uid_t uid;
	gid_t gid;

	if (fstat(fd, &st) < 0)
		return failed(t, errno, "look at it", err);
	if (owner_differs(t, &st, &uid, &gid)) {
		if (fchown(fd, uid, gid) < 0)
			return failed(t, errno, "set its owner", err);
		chowned = true;
	}
	if (set_xattrs(t, fd, err) < 0)
		return err_result(err);
	/* A change of owner clears setuid and setgid (chown(2)); an ACL changes the mode. */
	if ((st.st_mode & 07777) != e->mode || (chowned && e->mode & 07000) || e->xattr_count > 0)
		if (fchmod(fd, e->mode) < 0)
			return failed(t, errno, "set its mode", err);
	if (with_times && futimens(fd, t->times) < 0)
		return failed(t, errno, "set its times", err);
	return 0;
}

/*
 * A container that is running may have put a link there meanwhile, which fchmodat(2) would follow.
 * FIXME(kernel 6.6): before it there was no other call; drop the second half when 6.6 is our minimum.
 */
static int change_mode(const struct target *t)
{
	long r = syscall(SYS_fchmodat2, t->dir_fd, t->name, t->entry->mode, AT_SYMLINK_NOFOLLOW);

	if (r < 0 && errno == ENOSYS)
		r = fchmodat(t->dir_fd, t->name, t->entry->mode, 0);
	return (int)r;
}

/* The same for what cannot be opened: links, devices, fifos, and whatever a hard link leads to. */
static int set_attributes_by_name(const struct target *t, struct error *err)
{
	const struct tar_entry *e = t->entry;
	bool chowned = false;
	struct stat st;
	uid_t uid;
	gid_t gid;

	if (fstatat(t->dir_fd, t->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return failed(t, errno, "look at it", err);
	if (owner_differs(t, &st, &uid, &gid)) {
		if (fchownat(t->dir_fd, t->name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
			return failed(t, errno, "set its owner", err);
		chowned = true;
	}
	if (set_xattrs(t, NO_FD, err) < 0)
		return err_result(err);
	if (!S_ISLNK(st.st_mode) &&
	    ((st.st_mode & 07777) != e->mode || (chowned && e->mode & 07000)) && change_mode(t) < 0)
		return failed(t, errno, "set its mode", err);
	if (utimensat(t->dir_fd, t->name, t->times, AT_SYMLINK_NOFOLLOW) < 0)
		return failed(t, errno, "set its times", err);
	return 0;
}

/* --- kinds of files ---------------------------------------------------------------------- */

/*
 * Something of that name is in the way: away with it, tree and all. What paths mean changes only when
 * it was a directory or a link.
 */
static int clear_way(struct extractor *x, const struct target *t, struct error *err)
{
	struct stat st;
	int r = 0;

	if (fstatat(t->dir_fd, t->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return failed(t, errno, "look at what is there", err);
	if (t->rules->copy && S_ISDIR(st.st_mode) != (t->entry->type == TAR_DIR))
		return err_set(err, ERR_INVALID, S_ISDIR(st.st_mode) ? EISDIR : ENOTDIR,
			       S_ISDIR(st.st_mode)
				       ? "cannot overwrite directory '%s' with non-directory"
				       : "cannot overwrite non-directory '%s' with directory",
			       tar_path_show(t->path.text).text);
	if (S_ISDIR(st.st_mode) || S_ISLNK(st.st_mode))
		x->parents.stale = true;
	if (S_ISDIR(st.st_mode))
		r = path_remove_tree(t->dir_fd, t->name);
	else if (unlinkat(t->dir_fd, t->name, 0) < 0)
		r = -errno;
	return r < 0 ? failed(t, -r, "replace what is there", err) : 0;
}

static int write_data(const struct target *t, int fd, struct tar_reader *reader, uint64_t len,
		      struct error *err)
{
	while (len > 0) {
		const uint8_t *data;
		ssize_t n = tar_reader_data(reader, &data, err);
		int r;

		if (n < 0)
			return (int)n;
		if ((uint64_t)n > len)
			n = (ssize_t)len;
		r = fd_write_all(fd, data, (size_t)n);
		if (r < 0)
			return failed(t, -r, "write", err);
		if (tar_reader_consume(reader, (uint64_t)n, err) < 0)
			return err_result(err);
		len -= (uint64_t)n;
	}
	return 0;
}

static int write_sparse(const struct target *t, int fd, struct tar_reader *reader,
			struct error *err)
{
	const struct tar_entry *e = t->entry;

	for (size_t i = 0; i < e->piece_count; i++) {
		if (lseek(fd, (off_t)e->pieces[i].offset, SEEK_SET) < 0)
			return failed(t, errno, "seek", err);
		if (write_data(t, fd, reader, e->pieces[i].len, err) < 0)
			return err_result(err);
	}
	if (ftruncate(fd, (off_t)e->size) < 0)
		return failed(t, errno, "set its size", err);
	return 0;
}

static int make_file(struct extractor *x, const struct target *t, struct tar_reader *reader,
		     struct error *err)
{
	int flags = O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY;
	auto_close int fd = NO_FD;
	int r;

	fd = openat(t->dir_fd, t->name, flags, t->entry->mode);
	if (fd < 0 && errno == EEXIST) {
		if (clear_way(x, t, err) < 0)
			return err_result(err);
		fd = openat(t->dir_fd, t->name, flags, t->entry->mode);
	}
	if (fd < 0)
		return failed(t, errno, "create", err);
	r = t->entry->sparse ? write_sparse(t, fd, reader, err)
			     : write_data(t, fd, reader, t->entry->size, err);
	if (r < 0)
		return r;
	return set_attributes(t, fd, /* with_times= */ true, err);
}

static int make_dir(struct extractor *x, const struct target *t, struct error *err)
{
	auto_close int fd = NO_FD;
	int r;

	fd = parents_make_dir(&x->parents, t->dir_fd, t->name);
	if (fd == -EEXIST) {
		if (clear_way(x, t, err) < 0)
			return err_result(err);
		fd = parents_make_dir(&x->parents, t->dir_fd, t->name);
	}
	if (fd < 0)
		return failed(t, -fd, "create", err);
	if (set_attributes(t, fd, /* with_times= */ false, err) < 0)
		return err_result(err);
	r = dir_times_add(&x->dir_times, &t->path, t->times);
	return r < 0 ? failed(t, -r, "remember its times", err) : 0;
}

static int make_symlink(struct extractor *x, const struct target *t, struct error *err)
{
	const char *link = t->entry->link;

	if (!*link)
		return refuse(t, "a symbolic link to nothing", err);
	if (symlinkat(link, t->dir_fd, t->name) < 0) {
		if (errno != EEXIST)
			return failed(t, errno, "create", err);
		if (clear_way(x, t, err) < 0)
			return err_result(err);
		if (symlinkat(link, t->dir_fd, t->name) < 0)
			return failed(t, errno, "create", err);
	}
	return set_attributes_by_name(t, err);
}

static int make_node(struct extractor *x, const struct target *t, mode_t type, struct error *err)
{
	const struct tar_entry *e = t->entry;
	dev_t device = 0;

	if (type != S_IFIFO) {
		if (e->dev_major < 0 || e->dev_major > MAX_MAJOR || e->dev_minor < 0 ||
		    e->dev_minor > MAX_MINOR)
			return refuse(t, "no such device number", err);
		device = makedev((unsigned int)e->dev_major, (unsigned int)e->dev_minor);
	}
	if (mknodat(t->dir_fd, t->name, type | e->mode, device) < 0) {
		if (errno != EEXIST)
			return failed(t, errno, "create", err);
		if (clear_way(x, t, err) < 0)
			return err_result(err);
		if (mknodat(t->dir_fd, t->name, type | e->mode, device) < 0)
			return failed(t, errno, "create", err);
	}
	return set_attributes_by_name(t, err);
}

/* The target's directory, as it lies in this layer: nothing is made, no link is followed. */
static int open_link_target(struct extractor *x, const struct target *t,
			    char ret_name[NAME_MAX + 1], struct error *err)
{
	struct tar_path path, upper;
	const char *name;
	struct stat st;
	int fd;

	switch (tar_path_clean(t->entry->link, &path)) {
	case 0:
		break;
	case -EXDEV:
		return refuse(t, "a hard link that leads out of the layer", err);
	default:
		return refuse(t, "a hard link to a name that is too long", err);
	}
	if (path.len == 0 || strcmp(path.text, t->path.text) == 0)
		return refuse(t, "a hard link to itself", err);
	name = tar_path_split(&path, &upper);
	fd = path_open_beneath(x->target.base.fd, upper.len ? upper.text : ".",
			       O_PATH | O_DIRECTORY, 0);
	if (fd == -ELOOP)
		return refuse(t, "a hard link that leads through a symbolic link", err);
	if (fd < 0 || fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    (S_ISCHR(st.st_mode) && st.st_rdev == 0)) {
		cleanup_close_fd(&fd);
		return refuse(t, "a hard link to what is not in this layer", err);
	}
	memcpy(ret_name, name, strlen(name) + 1);
	return fd;
}

static int make_hardlink(struct extractor *x, const struct target *t, struct error *err)
{
	auto_close int from_fd = NO_FD;
	char from[NAME_MAX + 1];

	from_fd = open_link_target(x, t, from, err);
	if (from_fd < 0)
		return from_fd;
	if (linkat(from_fd, from, t->dir_fd, t->name, 0) < 0) {
		if (errno != EEXIST)
			return failed(t, errno, "create a hard link", err);
		if (clear_way(x, t, err) < 0)
			return err_result(err);
		if (linkat(from_fd, from, t->dir_fd, t->name, 0) < 0)
			return failed(t, errno, "create a hard link", err);
	}
	return set_attributes_by_name(t, err);
}

/* --- whiteouts --------------------------------------------------------------------------- */

static int mark_opaque(struct extractor *x, const struct target *t, int fd, struct error *err)
{
	int r = confine_mark_opaque(x->confinement, fd);

	return r < 0 ? failed(t, -r, "mark as opaque", err) : 0;
}

static int make_whiteout(struct extractor *x, const struct target *t, const char *hidden,
			 struct error *err)
{
	auto_close int fd = NO_FD;

	if (mknodat(t->dir_fd, hidden, S_IFCHR, makedev(0, 0)) == 0)
		return 0;
	if (errno != EEXIST)
		return failed(t, errno, "create a whiteout", err);

	/* It is in this layer too, so only what is below of it is hidden. */
	fd = openat(t->dir_fd, hidden,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOTDIR || errno == ELOOP ? 0 : failed(t, errno, "open", err);
	return mark_opaque(x, t, fd, err);
}

/* --- entries ----------------------------------------------------------------------------- */

static int make_entry(struct extractor *x, const struct target *t, struct tar_reader *reader,
		      struct error *err)
{
	switch (t->entry->type) {
	case TAR_FILE:
		return make_file(x, t, reader, err);
	case TAR_DIR:
		return make_dir(x, t, err);
	case TAR_SYMLINK:
		return make_symlink(x, t, err);
	case TAR_HARDLINK:
		return make_hardlink(x, t, err);
	case TAR_CHAR:
		return make_node(x, t, S_IFCHR, err);
	case TAR_BLOCK_DEVICE:
		return make_node(x, t, S_IFBLK, err);
	case TAR_FIFO:
		return make_node(x, t, S_IFIFO, err);
	case TAR_UNKNOWN:
		break;
	}
	return refuse(t, "an entry of unknown type", err);
}

static int check_limits(struct extractor *x, const struct target *t, struct error *err)
{
	const struct tar_entry *e = t->entry;

	x->entries++;
	if (x->entries + x->parents.made > x->limits.max_entries)
		return err_set(err, ERR_INVALID, E2BIG, "more than %" PRIu64 " entries",
			       x->limits.max_entries);
	if (e->size > x->limits.max_bytes - x->bytes)
		return err_set(err, ERR_INVALID, EFBIG,
			       "the archive unpacks to more than the %" PRIu64 " bytes allowed",
			       x->limits.max_bytes);
	x->bytes += e->size;
	if (e->uid < 0 || e->uid >= UINT32_MAX || e->gid < 0 || e->gid >= UINT32_MAX)
		return refuse(t, "no such owner", err);
	return 0;
}

static int clean_name(struct target *t, struct error *err)
{
	switch (tar_path_clean(t->entry->name, &t->path)) {
	case 0:
		return 0;
	case -EXDEV:
		return refuse(t, "the name leads out of the layer", err);
	default:
		return err_set(err, ERR_INVALID, ENAMETOOLONG, "'%s': the name is too long",
			       tar_path_show(t->entry->name).text);
	}
}

static int open_parent(struct extractor *x, struct target *t, struct error *err)
{
	const struct parent *parent;
	struct tar_path upper;
	int r;

	t->name = tar_path_split(&t->path, &upper);
	r = parents_open(&x->parents, &upper, /* make= */ true, &parent);
	if (r < 0)
		return failed(t, -r, "its directory", err);
	t->dir_fd = parent->fd;
	return 0;
}

int extract_entry(struct extractor *x, struct tar_reader *reader, const struct tar_entry *entry,
		  struct error *err)
{
	struct target t = {
		.rules = &x->target,
		.entry = entry,
		.times = {entry->atime, entry->mtime},
	};
	const char *hidden;

	if (check_limits(x, &t, err) < 0 || clean_name(&t, err) < 0)
		return err_result(err);
	if (t.path.len == 0)
		return entry->type == TAR_DIR ? 0 : refuse(&t, "no directory, but the root", err);

	switch (x->target.copy ? WHITEOUT_NONE : tar_path_whiteout(&t.path, &hidden)) {
	case WHITEOUT_INVALID:
		return refuse(&t, "a whiteout of nothing", err);
	case WHITEOUT_META:
		return 0;
	case WHITEOUT_FILE:
		return open_parent(x, &t, err) < 0 ? err_result(err)
						   : make_whiteout(x, &t, hidden, err);
	case WHITEOUT_OPAQUE:
		return open_parent(x, &t, err) < 0 ? err_result(err)
						   : mark_opaque(x, &t, t.dir_fd, err);
	case WHITEOUT_NONE:
		break;
	}
	if (open_parent(x, &t, err) < 0)
		return err_result(err);
	return make_entry(x, &t, reader, err);
}

int extract_finish(struct extractor *x, struct error *err)
{
	int r = dir_times_apply(&x->dir_times);

	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "set the times of directories") : 0;
}
