/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SQLite's ordinary file layer with another way to share the index of the write-ahead log.
 *
 * Theory. The index (skiff.db-shm, mapped by every process) says where in the log the newest copy
 * of a page is. The ordinary layer throws it away whenever a process finds itself alone, and
 * builds it again by reading the whole log: it cannot know whether the file survived a crash of the
 * machine. For us that would happen in almost every command, and cost more than all else that
 * the command does with the database.
 *
 * Here the last one to leave writes a stamp beside the index: a hash of this boot and of the
 * identity, size and time of both files. Who comes first next time and finds the same stamp goes on
 * with the index as it is. After a reboot, or when anything but this program touched the files, the
 * stamp differs, and the index is built again. A process that was killed needs no care: the index
 * lives in the kernel's page cache, and SQLite copes with the death of one of several users at any
 * instant; we only never pretend that there was no other.
 *
 * The places of the locks are those of the ordinary layer, so the sqlite3 program works on a store
 * at the same time. The locks belong to the open file (F_OFD_SETLK), so two connections of one
 * process exclude each other as well.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "storage/database_internal.h"

/* From SQLite's file format ("WAL-Index"): eight lock bytes, one more that users hold shared. */
#define LOCK_BASE 120
#define LOCK_COUNT 8
#define USERS_LOCK (LOCK_BASE + LOCK_COUNT)

/* The bytes under the locks are never read or written by SQLite: the stamp lies there. */
#define STAMP_OFFSET LOCK_BASE

#define MAX_REGIONS 64 /* of 32 KiB each: some 250,000 pages of log */
#define BOOT_ID_SIZE 36
#define NEEDS_RECOVERY_SIZE 3 /* what the ordinary layer truncates to */

struct index {
	int fd; /* NO_FD: not open */
	char boot_id[BOOT_ID_SIZE];
	void *regions[MAX_REGIONS];
	int region_count;
	size_t region_size;
};

/* Behind the ordinary layer's own struct, in the memory that SQLite gives for a file. */
struct extension {
	sqlite3_io_methods methods; /* the ordinary ones, but for the index */
	char *path;                 /* of the database; owned */
	int (*base_close)(sqlite3_file *file);
	struct index index;
};

static sqlite3_vfs *base_vfs; /* set once, before the first connection */

static struct extension *extension_of(sqlite3_file *file)
{
	return (struct extension *)((char *)file + base_vfs->szOsFile);
}

/* ---- the stamp ---- */

static uint64_t mix(uint64_t hash, const void *data, size_t len)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3; /* FNV-1a: nobody attacks this */
	return hash;
}

static int mix_file(uint64_t *hash, const char *path, const char *suffix)
{
	auto_free char *name = xasprintf("%s%s", path, suffix);
	struct stat st;

	if (stat(name, &st) < 0)
		return -errno;
	*hash = mix(*hash, &st.st_dev, sizeof(st.st_dev));
	*hash = mix(*hash, &st.st_ino, sizeof(st.st_ino));
	*hash = mix(*hash, &st.st_size, sizeof(st.st_size));
	*hash = mix(*hash, &st.st_mtim, sizeof(st.st_mtim));
	return 0;
}

/* 0: there is none, because something could not be read. */
static uint64_t make_stamp(const struct extension *x)
{
	uint64_t hash = 0xcbf29ce484222325;

	if (!x->index.boot_id[0] || mix_file(&hash, x->path, "") < 0 ||
	    mix_file(&hash, x->path, "-wal") < 0)
		return 0;
	return mix(hash, x->index.boot_id, sizeof(x->index.boot_id));
}

static void read_boot_id(struct index *index)
{
	auto_close int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fd_read_full(fd, index->boot_id, sizeof(index->boot_id)) != BOOT_ID_SIZE)
		index->boot_id[0] = '\0';
}

/* ---- opening and closing the index ---- */

static int set_lock(int fd, int command, int type, off_t start, off_t len)
{
	struct flock lock = {
		.l_type = (short)type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};
	int r;

	do
		r = fcntl(fd, command, &lock);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

/* We are alone: the index is as the last one left it, or it is to be built again. */
static int check_index(const struct extension *x)
{
	uint64_t found = 0, expected = make_stamp(x);

	if (expected != 0 &&
	    fd_pread_full(x->index.fd, &found, sizeof(found), STAMP_OFFSET) == sizeof(found) &&
	    found == expected)
		return 0;
	return ftruncate(x->index.fd, NEEDS_RECOVERY_SIZE) < 0 ? -errno : 0;
}

static int open_index(struct extension *x)
{
	auto_free char *name = xasprintf("%s-shm", x->path);
	struct index *index = &x->index;
	int r;

	index->fd = open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (index->fd < 0)
		return SQLITE_CANTOPEN;
	read_boot_id(index);
	if (set_lock(index->fd, F_OFD_SETLK, F_WRLCK, USERS_LOCK, 1) == 0) {
		r = check_index(x);
		if (r < 0)
			return SQLITE_IOERR_SHMOPEN;
	}
	/* Waits, for a moment, only while another one is at the step above. */
	r = set_lock(index->fd, F_OFD_SETLKW, F_RDLCK, USERS_LOCK, 1);
	return r < 0 ? SQLITE_IOERR_SHMLOCK : SQLITE_OK;
}

static void close_index(struct extension *x, bool remove)
{
	struct index *index = &x->index;

	if (index->fd < 0)
		return;
	if (remove) {
		auto_free char *name = xasprintf("%s-shm", x->path);

		(void)unlink(name);
	} else if (index->region_count > 0) {
		uint64_t stamp = make_stamp(x);

		memcpy((char *)index->regions[0] + STAMP_OFFSET, &stamp, sizeof(stamp));
	}
	for (int i = 0; i < index->region_count; i++)
		(void)munmap(index->regions[i], index->region_size);
	index->region_count = 0;
	cleanup_close_fd(&index->fd);
}

/* ---- what SQLite calls ---- */

/* With the blocks allocated: writing into the mapping must not find the disk full. */
static int extend_index(int fd, off_t size)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	return st.st_size >= size ? 0 : -posix_fallocate(fd, 0, size);
}

static int shm_map(sqlite3_file *file, int region, int size, int extend, void volatile **ret_memory)
{
	struct index *index = &extension_of(file)->index;
	off_t end = (off_t)(region + 1) * size;
	struct stat st;
	int r = SQLITE_OK;

	*ret_memory = NULL;
	if (index->fd < 0)
		r = open_index(extension_of(file));
	if (r != SQLITE_OK)
		return r;
	index->region_size = (size_t)size;
	if (region >= MAX_REGIONS)
		return SQLITE_FULL;
	if (extend && extend_index(index->fd, end) < 0)
		return SQLITE_IOERR_SHMSIZE;
	if (!extend && (fstat(index->fd, &st) < 0 || st.st_size < end))
		return SQLITE_OK;
	while (index->region_count <= region) {
		void *memory = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED,
				    index->fd, (off_t)index->region_count * size);

		if (memory == MAP_FAILED)
			return SQLITE_IOERR_SHMMAP;
		index->regions[index->region_count++] = memory;
	}
	*ret_memory = index->regions[region];
	return SQLITE_OK;
}

static int shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
	struct index *index = &extension_of(file)->index;
	int type = F_WRLCK;
	int r;

	if (index->fd < 0)
		return SQLITE_IOERR_SHMLOCK;
	if (flags & SQLITE_SHM_UNLOCK)
		type = F_UNLCK;
	else if (flags & SQLITE_SHM_SHARED)
		type = F_RDLCK;
	r = set_lock(index->fd, F_OFD_SETLK, type, LOCK_BASE + offset, count);
	if (r == -EAGAIN || r == -EACCES)
		return SQLITE_BUSY;
	return r < 0 ? SQLITE_IOERR_SHMLOCK : SQLITE_OK;
}

static void shm_barrier(sqlite3_file *file)
{
	(void)file;
	__sync_synchronize();
}

static int shm_unmap(sqlite3_file *file, int remove)
{
	close_index(extension_of(file), remove != 0);
	return SQLITE_OK;
}

static int close_database(sqlite3_file *file)
{
	struct extension *x = extension_of(file);
	int (*base_close)(sqlite3_file *) = x->base_close;

	close_index(x, /* remove= */ false);
	free(x->path);
	x->path = NULL;
	return base_close(file);
}

static int open_file(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags,
		     int *ret_flags)
{
	struct extension *x = extension_of(file);
	int r;

	(void)vfs;
	r = base_vfs->xOpen(base_vfs, path, file, flags, ret_flags);
	if (r != SQLITE_OK || !(flags & SQLITE_OPEN_MAIN_DB) || !file->pMethods)
		return r;
	*x = (struct extension){
		.methods = *file->pMethods,
		.path = xstrdup(path),
		.base_close = file->pMethods->xClose,
		.index.fd = NO_FD,
	};
	x->methods.xClose = close_database;
	x->methods.xShmMap = shm_map;
	x->methods.xShmLock = shm_lock;
	x->methods.xShmBarrier = shm_barrier;
	x->methods.xShmUnmap = shm_unmap;
	file->pMethods = &x->methods;
	return SQLITE_OK;
}

const char *db_vfs_name(void)
{
	static sqlite3_vfs vfs;

	if (!base_vfs) {
		base_vfs = sqlite3_vfs_find(NULL);
		if (!base_vfs)
			return NULL;
		vfs = *base_vfs;
		vfs.zName = "skiff";
		vfs.szOsFile = base_vfs->szOsFile + (int)sizeof(struct extension);
		vfs.xOpen = open_file;
		vfs.pNext = NULL;
		(void)sqlite3_vfs_register(&vfs, /* makeDflt= */ 0);
	}
	return vfs.zName;
}
