/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe - what a process inside a container sees and may do
 *
 *	probe tree DIRECTORY        every file below it, one line each (see print_file)
 *	probe fds                   open descriptors and where they lead, but for our own
 *	probe call NAME [NUMBER…]   what this system call returns: "ok" or an errno's name
 *	probe open PATH MODE        the same for open(2); MODE is r, w or rw
 *	probe mknod PATH c|b MAJOR MINOR
 *	probe keyring               the serial number of the session keyring
 *	probe memory MEGABYTES      takes so much and gives it back
 *	probe realtime              whether it may have a real-time priority
 *	probe steal-exe SECONDS     watches for processes that run other programs than ours, takes a
 *	                            descriptor of each program, and tries to open it for writing until
 *	                            the time is over, also after the process ended (CVE-2019-5736)
 *
 * Static: it is bound into images that have nothing else.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/parse.h"

#define TREE_OPEN_DIRECTORIES 32
#define XATTR_NAMES_MAX 65536
#define CALL_SECONDS 5

static const char *errno_text(int number)
{
	return number == 0 ? "ok" : strerrorname_np(number);
}

/* ---- tree ---- */

/* FNV-1a, 64 bits: a difference of contents is an accident here, not an attack. */
static uint64_t hash_file(const char *path)
{
	static unsigned char buffer[65536];
	uint64_t hash = 0xcbf29ce484222325;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n;

	if (fd < 0)
		return 0;
	while ((n = read(fd, buffer, sizeof(buffer))) > 0)
		for (ssize_t i = 0; i < n; i++)
			hash = (hash ^ buffer[i]) * 0x100000001b3;
	close(fd);
	return hash;
}

/* Names with spaces and newlines must stay one field. */
static void print_quoted(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c <= ' ' || c >= 127 || c == '\\')
			printf("\\x%02x", c);
		else
			putchar(c);
	}
}

/* The kernel lists them in no certain order; the reader sorts. */
static void print_xattrs(const char *path)
{
	static char names[XATTR_NAMES_MAX], value[XATTR_NAMES_MAX];
	ssize_t length = llistxattr(path, names, sizeof(names));

	for (ssize_t at = 0; at < length; at += (ssize_t)strlen(names + at) + 1) {
		ssize_t n = lgetxattr(path, names + at, value, sizeof(value));

		printf(" xattr=%s=", names + at);
		if (n > 0)
			print_quoted(value, (size_t)n);
	}
}

/* PATH TYPE MODE UID GID MTIME.NS LINKS INODE [size= hash=|target=|rdev=] [xattr=NAME=VALUE…] */
static int print_file(const char *path, const struct stat *st, int kind, struct FTW *position)
{
	static char target[4096];
	const char *type = S_ISREG(st->st_mode)    ? "file"
			   : S_ISDIR(st->st_mode)  ? "dir"
			   : S_ISLNK(st->st_mode)  ? "link"
			   : S_ISCHR(st->st_mode)  ? "char"
			   : S_ISBLK(st->st_mode)  ? "block"
			   : S_ISFIFO(st->st_mode) ? "fifo"
						   : "socket";

	(void)kind;
	(void)position;
	print_quoted(path, strlen(path));
	printf(" %s %04o %u %u %" PRId64 ".%09ld %lu %lu", type, st->st_mode & 07777, st->st_uid,
	       st->st_gid, (int64_t)st->st_mtim.tv_sec, st->st_mtim.tv_nsec, st->st_nlink,
	       st->st_ino);
	if (S_ISREG(st->st_mode)) {
		printf(" size=%" PRId64 " hash=%016" PRIx64, (int64_t)st->st_size, hash_file(path));
	} else if (S_ISLNK(st->st_mode)) {
		ssize_t n = readlink(path, target, sizeof(target));

		printf(" target=");
		print_quoted(target, n > 0 ? (size_t)n : 0);
	} else if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode)) {
		printf(" rdev=%u:%u", major(st->st_rdev), minor(st->st_rdev));
	}
	print_xattrs(path);
	putchar('\n');
	return 0;
}

static int run_tree(const char *directory)
{
	if (nftw(directory, print_file, TREE_OPEN_DIRECTORIES, FTW_PHYS | FTW_MOUNT) < 0) {
		fprintf(stderr, "probe: %s: %s\n", directory, strerror(errno));
		return 1;
	}
	return 0;
}

/* ---- descriptors ---- */

static int run_fds(void)
{
	char target[4096];
	struct dirent *entry;
	DIR *dir = opendir("/proc/self/fd");

	if (!dir) {
		fprintf(stderr, "probe: /proc/self/fd: %s\n", strerror(errno));
		return 1;
	}
	while ((entry = readdir(dir))) {
		uint32_t fd;
		ssize_t n;

		if (parse_u32(entry->d_name, &fd) < 0 || (int)fd == dirfd(dir))
			continue;
		n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target));
		printf("%u %.*s\n", fd, n > 0 ? (int)n : 0, target);
	}
	closedir(dir);
	return 0;
}

/* ---- calls ---- */

/* In a child with an alarm: some calls block, some end the process. */
static int run_call(int argc, char **argv)
{
	int number = seccomp_syscall_resolve_name(argv[0]);
	uint64_t args[6] = {0};
	int status;
	pid_t pid;

	if (number < 0 || argc > 7) {
		fprintf(stderr, "probe: no system call '%s'\n", argv[0]);
		return 2;
	}
	for (int i = 1; i < argc; i++)
		if (parse_u64(argv[i], &args[i - 1]) < 0)
			return 2;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		alarm(CALL_SECONDS);
		errno = 0;
		if (syscall(number, args[0], args[1], args[2], args[3], args[4], args[5]) >= 0)
			errno = 0;
		puts(errno_text(errno));
		fflush(stdout);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return 1;
	if (WIFSIGNALED(status))
		printf("killed by SIG%s\n", sigabbrev_np(WTERMSIG(status)));
	return 0;
}

static int run_open(const char *path, const char *mode)
{
	int flags = strcmp(mode, "rw") == 0 ? O_RDWR : strcmp(mode, "w") == 0 ? O_WRONLY : O_RDONLY;
	int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK);

	puts(fd < 0 ? errno_text(errno) : "ok");
	if (fd >= 0)
		close(fd);
	return 0;
}

static int run_mknod(char **argv)
{
	mode_t type = strcmp(argv[1], "b") == 0 ? S_IFBLK : S_IFCHR;
	uint32_t major_number, minor_number;

	if (parse_u32(argv[2], &major_number) < 0 || parse_u32(argv[3], &minor_number) < 0)
		return 2;
	puts(mknod(argv[0], type | 0600, makedev(major_number, minor_number)) < 0
		     ? errno_text(errno)
		     : "ok");
	return 0;
}

static int run_keyring(void)
{
	long id = syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0);

	if (id < 0)
		puts(errno_text(errno));
	else
		printf("%ld\n", id);
	return 0;
}

/* A turn on the processor before everybody else's: what --cpu-rt-runtime lets a group ask for. */
static int run_realtime(void)
{
	const struct sched_param first = {.sched_priority = 1};

	puts(sched_setscheduler(0, SCHED_FIFO, &first) < 0 ? errno_text(errno) : "ok");
	return 0;
}

/* Touches it in user mode: only there does a process wait when the kernel may not kill it. */
static int run_memory(uint32_t megabytes)
{
	size_t size = (size_t)megabytes << 20;
	volatile char *data =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (data == MAP_FAILED) {
		puts(errno_text(errno));
		return 1;
	}
	for (size_t i = 0; i < size; i += 4096)
		data[i] = 1;
	puts("ok");
	return 0;
}

/* ---- /proc/PID/exe ---- */

#define STOLEN_MAX 256

struct stolen {
	pid_t pid;
	int fd;
	bool writable;
	char target[256];
};

static bool is_known(const struct stolen *stolen, size_t count, pid_t pid)
{
	for (size_t i = 0; i < count; i++)
		if (stolen[i].pid == pid)
			return true;
	return false;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Whether the process runs a program of the container's own file system. */
static bool is_container_program(int fd, dev_t container_dev, const struct stat *own)
{
	struct stat st;

	return fstat(fd, &st) < 0 || st.st_dev == container_dev || same_file(&st, own);
}

static void steal(struct stolen *stolen, size_t *count, pid_t pid, dev_t container_dev,
		  const struct stat *own)
{
	char path[64];
	struct stolen *new = &stolen[*count];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (is_container_program(fd, container_dev, own)) {
		close(fd);
		return;
	}
	n = readlink(path, new->target, sizeof(new->target) - 1);
	new->target[n > 0 ? n : 0] = '\0';
	new->pid = pid;
	new->fd = fd;
	(*count)++;
}

static void try_to_write(struct stolen *stolen)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", stolen->fd);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	stolen->writable = true;
	close(fd);
}

static int run_steal_exe(uint32_t seconds)
{
	static struct stolen stolen[STOLEN_MAX];
	size_t count = 0;
	struct stat root, own;
	time_t end = time(NULL) + (time_t)seconds;

	if (stat("/bin", &root) < 0 || stat("/proc/self/exe", &own) < 0)
		return 1;
	puts("stealing");
	fflush(stdout);
	while (time(NULL) < end) {
		struct dirent *entry;
		DIR *dir = opendir("/proc");

		while (dir && (entry = readdir(dir))) {
			uint32_t pid;

			if (count < STOLEN_MAX && parse_u32(entry->d_name, &pid) == 0 &&
			    !is_known(stolen, count, (pid_t)pid))
				steal(stolen, &count, (pid_t)pid, root.st_dev, &own);
		}
		if (dir)
			closedir(dir);
		for (size_t i = 0; i < count; i++)
			if (!stolen[i].writable)
				try_to_write(&stolen[i]);
	}
	for (size_t i = 0; i < count; i++)
		printf("%d %s %s\n", stolen[i].pid, stolen[i].target,
		       stolen[i].writable ? "WRITABLE" : "read-only");
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	uint32_t seconds, megabytes;

	if (strcmp(what, "tree") == 0 && argc == 3)
		return run_tree(argv[2]);
	if (strcmp(what, "fds") == 0 && argc == 2)
		return run_fds();
	if (strcmp(what, "call") == 0 && argc >= 3)
		return run_call(argc - 2, argv + 2);
	if (strcmp(what, "open") == 0 && argc == 4)
		return run_open(argv[2], argv[3]);
	if (strcmp(what, "mknod") == 0 && argc == 6)
		return run_mknod(argv + 2);
	if (strcmp(what, "keyring") == 0 && argc == 2)
		return run_keyring();
	if (strcmp(what, "memory") == 0 && argc == 3 && parse_u32(argv[2], &megabytes) == 0)
		return run_memory(megabytes);
	if (strcmp(what, "realtime") == 0 && argc == 2)
		return run_realtime();
	if (strcmp(what, "steal-exe") == 0 && argc == 3 && parse_u32(argv[2], &seconds) == 0)
		return run_steal_exe(seconds);
	fprintf(stderr,
		"usage: probe tree|fds|call|open|mknod|keyring|memory|realtime|steal-exe ...\n");
	return 2;
}
