/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/path.h"
#include "runtime/start_internal.h"
#include "sys/mount.h"

#define DATA_OPTIONS_MAX 64

/*
 * The kernel's own filesystems go only where a real directory of that name is: a link named /proc
 * would move our procfs, and what we later mask in it, to somewhere else (CVE-2023-27561 and its
 * kin).
 */
static bool needs_real_directory(const struct spec_mount *mount)
{
	return !mount->bind &&
	       (strcmp(mount->type, "proc") == 0 || strcmp(mount->type, "sysfs") == 0 ||
		strcmp(mount->destination, "/dev") == 0);
}

static int open_directory_target(struct start *start, const struct spec_mount *mount,
				 struct error *err)
{
	auto_free char *clean = path_clean(mount->destination);
	auto_close int fd = NO_FD;

	if (needs_real_directory(mount)) {
		if (mkdir(clean, 0755) < 0 && errno != EEXIST)
			return err_set(err, ERR_SYSTEM, errno, "make mount point '%s'", clean);
		fd = path_open_beneath(start->root_fd, clean + 1, O_PATH | O_DIRECTORY, 0);
		if (fd == -ELOOP || fd == -ENOTDIR)
			return err_set(err, ERR_INVALID, EINVAL,
				       "the image's '%s' is not a directory", clean);
	} else {
		fd = path_mkdir_in_root(start->root_fd, clean, 0755, (uid_t)-1, (gid_t)-1);
	}
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, -fd, "make mount point '%s'", clean);
	return TAKE_FD(fd);
}

static int open_target(struct start *start, size_t index, struct error *err)
{
	const struct spec_mount *mount = &start->spec.mounts[index];
	int fd;

	if (start->sources[index].mount_fd < 0 || start->sources[index].is_dir)
		return open_directory_target(start, mount, err);
	fd = path_mkfile_in_root(start->root_fd, mount->destination, 0644);
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, -fd, "make mount point '%s'", mount->destination);
	return fd;
}

/* Splits "size=64m" in place into what fsconfig() wants. */
static int split_data(const struct spec_mount *mount, struct strv *copies,
		      struct mount_option *options, size_t *ret_count, struct error *err)
{
	size_t n = 0;

	if (mount->source && mount->source[0])
		options[n++] = (struct mount_option){"source", mount->source};
	if (mount->data.count + n > DATA_OPTIONS_MAX)
		return err_set(err, ERR_INVALID, E2BIG, "mount on '%s' has too many options",
			       mount->destination);
	strv_copy(copies, &mount->data);
	for (size_t i = 0; i < copies->count; i++) {
		char *equals = strchr(copies->items[i], '=');

		if (equals)
			*equals = '\0';
		options[n++] = (struct mount_option){copies->items[i], equals ? equals + 1 : NULL};
	}
	*ret_count = n;
	return 0;
}

int mount_filesystem(const struct spec_mount *mount, unsigned int attributes, struct error *err)
{
	struct mount_option options[DATA_OPTIONS_MAX];
	auto_(strv_release) struct strv copies = {0};
	size_t count = 0;
	int r, fd;

	r = split_data(mount, &copies, options, &count, err);
	if (r < 0)
		return r;
	fd = mount_new(mount->type, options, count, attributes);
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, -fd, "mount %s on '%s'", mount->type,
			       mount->destination);
	if (mount->propagation) {
		r = mount_change(fd, 0, 0, mount->propagation, /* recursive= */ false);
		if (r < 0) {
			(void)close(fd);
			return err_set(err, ERR_SYSTEM, -r, "propagation of '%s'",
				       mount->destination);
		}
	}
	return fd;
}

/* Later stages work on these by descriptor, whatever is mounted over them meanwhile. */
static int remember(struct start *start, const struct spec_mount *mount, int mount_fd,
		    struct error *err)
{
	struct statfs fs;
	int *slot = NULL;

	if (mount->bind)
		return 0;
	if (strcmp(mount->type, "proc") == 0 && strcmp(mount->destination, "/proc") == 0) {
		if (fstatfs(mount_fd, &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC)
			return err_set(err, ERR_INTERNAL, 0,
				       "what we mounted on /proc is no procfs");
		slot = &start->proc_fd;
	} else if (strcmp(mount->type, "devpts") == 0) {
		slot = &start->devpts_fd;
	}
	if (!slot)
		return 0;
	cleanup_close_fd(slot);
	*slot = fcntl(mount_fd, F_DUPFD_CLOEXEC, 3);
	return *slot < 0 ? err_set(err, ERR_SYSTEM, errno, "keep '%s' open", mount->destination)
			 : 0;
}

/*
 * What is mounted over a file of /proc takes the place of what the kernel says, and what we later
 * write there would go into it (CVE-2019-16884, CVE-2019-19921). Only files that tools such as
 * lxcfs provide may be covered. The filesystem is asked, not the path: links lead here too.
 */
static int check_target(const struct spec_mount *mount, int target_fd, struct error *err)
{
	static const char *const covered[] = {
		"/proc/cpuinfo", "/proc/diskstats", "/proc/loadavg",
		"/proc/meminfo", "/proc/net/dev",   "/proc/slabinfo",
		"/proc/stat",    "/proc/swaps",     "/proc/sys/crypto/fips_enabled",
		"/proc/uptime",
	};
	struct statfs fs;

	if (fstatfs(target_fd, &fs) < 0)
		return err_set(err, ERR_SYSTEM, errno, "look at '%s'", mount->destination);
	if (fs.f_type != PROC_SUPER_MAGIC)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(covered); i++)
		if (strcmp(mount->destination, covered[i]) == 0)
			return 0;
	return err_set(err, ERR_INVALID, EPERM, "nothing can be mounted on '%s': it is in /proc",
		       mount->destination);
}

/* Where everybody looks for procfs nothing else may be, wherever a link has led us from. */
static int check_proc(const struct spec_mount *mount, int mount_fd, struct error *err)
{
	auto_free char *clean = path_clean(mount->destination);
	struct statfs fs;

	if (strcmp(clean, "/proc") != 0)
		return 0;
	if (fstatfs(mount_fd, &fs) < 0)
		return err_set(err, ERR_SYSTEM, errno, "look at what is mounted on '/proc'");
	if (fs.f_type != PROC_SUPER_MAGIC)
		return err_set(err, ERR_INVALID, EPERM, "only a procfs can be mounted on '/proc'");
	return 0;
}

/* Whether the image has something there, which a volume is filled from. */
static bool is_to_fill(const struct start *start, size_t index)
{
	const struct start_source *source = &start->sources[index];
	auto_close int fd = NO_FD;

	if (source->mount_fd < 0 || !source->is_dir || !source->extra || !source->extra->fill)
		return false;
	fd = path_open_in_root(start->root_fd, start->spec.mounts[index].destination,
			       O_PATH | O_DIRECTORY, 0);
	return fd >= 0;
}

int stage_mount_one(struct start *start, size_t index, struct error *err)
{
	const struct spec_mount *mount = &start->spec.mounts[index];
	auto_close int mount_fd = NO_FD;
	auto_close int target_fd = NO_FD;
	bool fill = is_to_fill(start, index);
	int r;

	target_fd = open_target(start, index, err);
	if (target_fd < 0)
		return target_fd;
	r = check_target(mount, target_fd, err);
	if (r < 0)
		return r;
	if (start->sources[index].mount_fd >= 0) {
		r = start_finish_source(start, index, fill ? target_fd : NO_FD, err);
		if (r < 0)
			return r;
		mount_fd = TAKE_FD(start->sources[index].mount_fd);
	} else {
		mount_fd = mount_filesystem(mount, (unsigned int)mount->attr_set, err);
		if (mount_fd < 0)
			return mount_fd;
		r = mount->copy_up ? volume_fill(target_fd, mount_fd, err) : 0;
		if (r < 0)
			return err_wrap(err, r, "copy what is in '%s'", mount->destination);
	}
	r = check_proc(mount, mount_fd, err);
	if (r < 0)
		return r;
	r = mount_attach(mount_fd, target_fd);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "mount on '%s'", mount->destination);
	return remember(start, mount, mount_fd, err);
}

/*
 * stage_mounts() - what the configuration lists, in its order
 *
 * Where:    child, inside the container's root.
 * Must:     resolve every target beneath the root; attach descriptors only; fill volumes first.
 * Must not: mount the cgroup view (type "cgroup"): we are not in our cgroup yet.
 */
int stage_mounts(struct start *start, struct error *err)
{
	for (size_t i = 0; i < start->spec.mount_count; i++) {
		const struct spec_mount *mount = &start->spec.mounts[i];
		int r;

		if (!mount->bind && strcmp(mount->type, "cgroup") == 0)
			continue;
		r = stage_mount_one(start, i, err);
		if (r < 0)
			return r;
	}
	return 0;
}
