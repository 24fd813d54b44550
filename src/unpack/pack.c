/* SPDX-License-Identifier: Apache-2.0 */
#include "unpack/pack.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "image/tar_writer.h"
#include "unpack/dir_list.h"
#include "unpack/link_table.h"
#include "unpack/tar_path.h"
#include "unpack/xattrs.h"

#define OPAQUE_NAME ".wh..wh..opq"
#define WHITEOUT_PREFIX ".wh."

/* What the kernel makes up may say nothing of its size: it is read before the header is written. */
#define MADE_UP_MAX_BYTES ((size_t)16 << 20)

/* Smaller holes are not worth a map. */
#define HOLES_MIN_BYTES ((uint64_t)1 << 20)
#define PIECES_MAX 10000

struct packer {
	const struct pack_request *request;
	const struct confinement *confinement;
	struct tar_writer writer;
	struct link_table links;
	struct strbuf name; /* in the archive, of where we are */
	dev_t root_dev;
	bool from_root;     /* the path that was asked for is the root of the tree */
	unsigned int depth; /* below that path */
	bool made_up;       /* the tree lies in a kernel filesystem */
	uint64_t entries;
};

static void packer_release(struct packer *p)
{
	tar_writer_release(&p->writer);
	link_table_release(&p->links);
	strbuf_release(&p->name);
}

DEFINE_CLEANUP_VALUE(struct packer, packer_release);

static int pack_entry(struct packer *p, int dir_fd, const char *file, struct error *err);

static int failed(const struct packer *p, int errnum, const char *what, struct error *err)
{
	return err_set(err, ERR_SYSTEM, errnum, "%s '%s'", what,
		       tar_path_show(strbuf_text(&p->name)).text);
}

/* Gone, or no longer what it was a moment ago: the tree is somebody's who may do so. */
static bool has_vanished(int errnum)
{
	return errnum == ENOENT || errnum == ENOTDIR || errnum == ELOOP || errnum == ENXIO ||
	       errnum == ESTALE;
}

static struct tar_entry entry_of(const struct packer *p, enum tar_type type, const struct stat *st)
{
	return (struct tar_entry){
		.type = type,
		.name = strbuf_text(&p->name),
		.mode = st->st_mode & 07777,
		.uid = st->st_uid,
		.gid = st->st_gid,
		.mtime = {.tv_sec = st->st_mtim.tv_sec},
		.dev_major = S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode) ? major(st->st_rdev) : 0,
		.dev_minor = S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode) ? minor(st->st_rdev) : 0,
	};
}

static int put_entry(struct packer *p, const struct tar_entry *entry, struct error *err)
{
	p->entries++;
	return tar_writer_entry(&p->writer, entry, err);
}

/* ---- regular files ---- */

/* 1: it is a further name of a file that is in the archive already, and written as such. */
static int put_link(struct packer *p, const struct stat *st, enum tar_type type, struct error *err)
{
	struct tar_entry entry = entry_of(p, type, st);
	int r;

	if (st->st_nlink < 2)
		return 0;
	entry.link = link_table_meet(&p->links, st->st_dev, st->st_ino, entry.name);
	if (!entry.link)
		return 0;
	entry.type = TAR_HARDLINK;
	r = put_entry(p, &entry, err);
	return r < 0 ? r : 1;
}

/* Where the data of a file with large holes is. Without such holes the result has no pieces. */
static void find_pieces(int fd, const struct stat *st, struct sparse_piece **ret_pieces,
			size_t *ret_count)
{
	auto_free struct sparse_piece *pieces = NULL;
	uint64_t stored = 0, size = (uint64_t)st->st_size;
	size_t count = 0;
	off_t end = 0;

	if (size < HOLES_MIN_BYTES || (uint64_t)st->st_blocks * 512 >= size)
		return;
	pieces = xcalloc(PIECES_MAX, sizeof(*pieces));
	while ((uint64_t)end < size) {
		off_t start = lseek(fd, end, SEEK_DATA);

		if (start < 0 && errno == ENXIO)
			break;
		end = start < 0 ? -1 : lseek(fd, start, SEEK_HOLE);
		if (end < 0 || count == PIECES_MAX || (uint64_t)start >= size)
			return;
		if ((uint64_t)end > size)
			end = st->st_size;
		pieces[count].offset = (uint64_t)start;
		pieces[count].len = (uint64_t)(end - start);
		stored += pieces[count++].len;
	}
	if (size - stored < HOLES_MIN_BYTES)
		return;
	*ret_pieces = TAKE_PTR(pieces);
	*ret_count = count;
}

static int put_sparse(struct packer *p, int fd, const struct tar_entry *entry, struct error *err)
{
	int r = put_entry(p, entry, err);

	for (size_t i = 0; r >= 0 && i < entry->piece_count; i++) {
		if (lseek(fd, (off_t)entry->pieces[i].offset, SEEK_SET) < 0)
			return failed(p, errno, "read", err);
		r = tar_writer_copy(&p->writer, fd, entry->pieces[i].len, err);
	}
	return r;
}

static int put_made_up(struct packer *p, int fd, struct tar_entry *entry, struct error *err)
{
	auto_free char *text = NULL;
	size_t len;
	int r;

	r = fd_read_text(fd, MADE_UP_MAX_BYTES, &text, &len);
	if (r < 0)
		return failed(p, -r, "read", err);
	entry->size = len;
	r = put_entry(p, entry, err);
	return r < 0 ? r : tar_writer_data(&p->writer, text, len, err);
}

static int put_file(struct packer *p, int fd, const struct stat *st, struct error *err)
{
	auto_(xattr_list_release) struct xattr_list xattrs = {0};
	auto_free struct sparse_piece *pieces = NULL;
	struct tar_entry entry = entry_of(p, TAR_FILE, st);
	int r;

	r = put_link(p, st, TAR_FILE, err);
	if (r != 0)
		return r < 0 ? r : 0;
	r = xattr_list_read(fd, &xattrs);
	if (r < 0)
		return failed(p, -r, "read the attributes of", err);
	entry.xattrs = xattrs.items;
	entry.xattr_count = xattrs.count;
	entry.size = (uint64_t)st->st_size;
	if (p->made_up)
		return put_made_up(p, fd, &entry, err);
	if (p->request->sparse)
		find_pieces(fd, st, &pieces, &entry.piece_count);
	entry.pieces = pieces;
	entry.sparse = pieces != NULL;
	if (entry.sparse)
		return put_sparse(p, fd, &entry, err);
	if (lseek(fd, 0, SEEK_SET) < 0)
		return failed(p, errno, "read", err);
	r = put_entry(p, &entry, err);
	return r < 0 ? r : tar_writer_copy(&p->writer, fd, entry.size, err);
}

/* Not blocked by a fifo, and no device can be opened here (confine.h). */
static int pack_file(struct packer *p, int dir_fd, const char *file, struct error *err)
{
	auto_close int fd = NO_FD;
	struct stat st;

	fd = openat(dir_fd, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return has_vanished(errno) ? 0 : failed(p, errno, "open", err);
	if (fstat(fd, &st) < 0)
		return failed(p, errno, "look at", err);
	return S_ISREG(st.st_mode) ? put_file(p, fd, &st, err) : 0;
}

/* ---- what has no content ---- */

static int pack_symlink(struct packer *p, int dir_fd, const char *file, const struct stat *st,
			struct error *err)
{
	struct tar_entry entry = entry_of(p, TAR_SYMLINK, st);
	char target[PATH_MAX];
	ssize_t len;
	int r;

	len = readlinkat(dir_fd, file, target, sizeof(target) - 1);
	if (len < 0)
		return has_vanished(errno) || errno == EINVAL ? 0 : failed(p, errno, "read", err);
	target[len] = '\0';
	entry.link = target;
	r = put_link(p, st, TAR_SYMLINK, err);
	if (r != 0)
		return r < 0 ? r : 0;
	return put_entry(p, &entry, err);
}

static int pack_node(struct packer *p, const struct stat *st, enum tar_type type, struct error *err)
{
	struct tar_entry entry = entry_of(p, type, st);
	int r = put_link(p, st, type, err);

	if (r != 0)
		return r < 0 ? r : 0;
	return put_entry(p, &entry, err);
}

/* ---- whiteouts ---- */

/* "dir/name" becomes "dir/.wh.name". */
static int put_whiteout(struct packer *p, const char *file, const struct stat *st,
			struct error *err)
{
	struct tar_entry entry = entry_of(p, TAR_FILE, st);
	auto_free char *name = NULL;

	name = xasprintf("%.*s" WHITEOUT_PREFIX "%s", (int)(p->name.len - strlen(file)),
			 strbuf_text(&p->name), file);
	entry.name = name;
	entry.dev_major = entry.dev_minor = 0;
	return put_entry(p, &entry, err);
}

/* p->name is the directory's, with the '/' at its end. */
static int put_opaque(struct packer *p, int fd, const struct stat *st, struct error *err)
{
	struct tar_entry entry = entry_of(p, TAR_FILE, st);
	auto_free char *name = NULL;
	int r = confine_is_opaque(p->confinement, fd);

	if (r < 0)
		return failed(p, -r, "look at", err);
	if (r == 0)
		return 0;
	name = xasprintf("%s" OPAQUE_NAME, strbuf_text(&p->name));
	entry.name = name;
	entry.mode = 0600;
	return put_entry(p, &entry, err);
}

/* ---- directories ---- */

static bool is_made_up(int fd)
{
	static const unsigned long magics[] = {
		PROC_SUPER_MAGIC, SYSFS_MAGIC,        CGROUP_SUPER_MAGIC,      CGROUP2_SUPER_MAGIC,
		DEBUGFS_MAGIC,    TRACEFS_MAGIC,      SECURITYFS_MAGIC,        BPF_FS_MAGIC,
		NSFS_MAGIC,       BINFMTFS_MAGIC,     PSTOREFS_MAGIC,          EFIVARFS_MAGIC,
		SELINUX_MAGIC,    DEVPTS_SUPER_MAGIC, 0x19800202 /* mqueue */,
	};
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(magics); i++)
		if ((unsigned long)fs.f_type == magics[i])
			return true;
	return false;
}

/* A mount that belongs to the machinery of a container, not to its files. */
static bool is_left_empty(const struct packer *p, int fd, const char *file, const struct stat *st)
{
	if (p->made_up || st->st_dev == p->root_dev)
		return false;
	return is_made_up(fd) || (p->from_root && p->depth == 1 && strcmp(file, "dev") == 0);
}

static void shorten(struct strbuf *name, size_t len)
{
	name->len = len;
	if (name->data)
		name->data[len] = '\0';
}

static int pack_contents(struct packer *p, int fd, struct error *err)
{
	auto_(strv_release) struct strv names = {0};
	size_t len = p->name.len;
	int r;

	r = dir_list_read(fd, &names);
	if (r < 0)
		return has_vanished(-r) ? 0 : failed(p, -r, "list", err);
	p->depth++;
	for (size_t i = 0; i < names.count; i++) {
		strbuf_adds(&p->name, names.items[i]);
		r = pack_entry(p, fd, names.items[i], err);
		if (r < 0)
			return r;
		shorten(&p->name, len);
	}
	p->depth--;
	return 0;
}

static int put_dir(struct packer *p, int fd, const struct stat *st, struct error *err)
{
	auto_(xattr_list_release) struct xattr_list xattrs = {0};
	struct tar_entry entry;
	int r;

	if (p->name.len == 0 || p->name.data[p->name.len - 1] != '/')
		strbuf_addc(&p->name, '/');
	entry = entry_of(p, TAR_DIR, st);
	r = xattr_list_read(fd, &xattrs);
	if (r < 0)
		return failed(p, -r, "read the attributes of", err);
	entry.xattrs = xattrs.items;
	entry.xattr_count = xattrs.count;
	r = put_entry(p, &entry, err);
	if (r >= 0 && p->request->whiteouts)
		r = put_opaque(p, fd, st, err);
	return r;
}

static int pack_dir(struct packer *p, int dir_fd, const char *file, struct error *err)
{
	auto_close int fd = NO_FD;
	struct stat st;
	int r;

	fd = openat(dir_fd, file, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return has_vanished(errno) ? 0 : failed(p, errno, "open", err);
	if (fstat(fd, &st) < 0)
		return failed(p, errno, "look at", err);
	r = put_dir(p, fd, &st, err);
	if (r < 0 || is_left_empty(p, fd, file, &st))
		return r;
	return pack_contents(p, fd, err);
}

static int pack_entry(struct packer *p, int dir_fd, const char *file, struct error *err)
{
	struct stat st;

	/* In a layer such a name would hide another file: there is no way to say it. */
	if (p->request->whiteouts && strncmp(file, WHITEOUT_PREFIX, strlen(WHITEOUT_PREFIX)) == 0)
		return 0;
	if (fstatat(dir_fd, file, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return has_vanished(errno) ? 0 : failed(p, errno, "look at", err);
	switch (st.st_mode & S_IFMT) {
	case S_IFREG:
		return pack_file(p, dir_fd, file, err);
	case S_IFDIR:
		return pack_dir(p, dir_fd, file, err);
	case S_IFLNK:
		return pack_symlink(p, dir_fd, file, &st, err);
	case S_IFCHR:
		if (p->request->whiteouts && st.st_rdev == 0)
			return put_whiteout(p, file, &st, err);
		return pack_node(p, &st, TAR_CHAR, err);
	case S_IFBLK:
		return pack_node(p, &st, TAR_BLOCK_DEVICE, err);
	case S_IFIFO:
		return pack_node(p, &st, TAR_FIFO, err);
	default: /* sockets have no place in an archive, and docker leaves them out too */
		return 0;
	}
}

/* ---- where it begins ---- */

static int open_failed(const struct packer *p, int errnum, struct error *err)
{
	enum error_kind kind = errnum == ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM;

	return err_set(err, kind, errnum, "open '%s'", tar_path_show(p->request->path).text);
}

/* A directory that was asked for: with an entry of its own, or only what is in it. */
static int pack_top_dir(struct packer *p, int path_fd, struct error *err)
{
	auto_close int fd = openat(path_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	int r = 0;

	if (fd < 0 || fstat(fd, &st) < 0)
		return open_failed(p, errno, err);
	p->made_up = is_made_up(fd);
	if (p->request->as) {
		strbuf_adds(&p->name, p->request->as);
		r = put_dir(p, fd, &st, err);
	}
	return r < 0 ? r : pack_contents(p, fd, err);
}

/* Anything else is reached from its directory, like all the others. */
static int pack_top_file(struct packer *p, struct error *err)
{
	const char *name = path_basename(p->request->path);
	auto_free char *parent =
		xasprintf("/%.*s", (int)(name - p->request->path), p->request->path);
	auto_close int fd = NO_FD;

	fd = path_open_in_root(p->confinement->root_fd, parent, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return open_failed(p, -fd, err);
	p->made_up = is_made_up(fd);
	strbuf_adds(&p->name, p->request->as ? p->request->as : name);
	return pack_entry(p, fd, name, err);
}

static int pack_top(struct packer *p, struct error *err)
{
	auto_close int path_fd = NO_FD;
	struct stat root, st;

	path_fd = path_open_in_root(p->confinement->root_fd, p->request->path, O_PATH | O_NOFOLLOW,
				    0);
	if (path_fd < 0)
		return open_failed(p, -path_fd, err);
	if (fstat(path_fd, &st) < 0 || fstat(p->confinement->root_fd, &root) < 0)
		return open_failed(p, errno, err);
	p->root_dev = root.st_dev;
	p->from_root = st.st_dev == root.st_dev && st.st_ino == root.st_ino;
	return S_ISDIR(st.st_mode) ? pack_top_dir(p, path_fd, err) : pack_top_file(p, err);
}

int pack_run(const struct pack_request *request, const struct confinement *c,
	     struct pack_result *ret_result, struct error *err)
{
	auto_(packer_release) struct packer p = {.request = request, .confinement = c};
	int r;

	tar_writer_init(&p.writer, request->stream_fd);
	r = pack_top(&p, err);
	if (r >= 0)
		r = tar_writer_finish(&p.writer, err);
	if (r < 0)
		return r;
	ret_result->entries = p.entries;
	ret_result->bytes = p.writer.written;
	return 0;
}
