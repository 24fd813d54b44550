/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/path.h"
#include "runtime/start_internal.h"

/* OCI runtime specification, "Default Devices" and "Dev symbolic links". */
static const struct default_device {
	const char *name;
	unsigned int major, minor;
} default_devices[] = {
	{"null", 1, 3},   {"zero", 1, 5},    {"full", 1, 7},
	{"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0},
};

static const struct dev_link {
	const char *name, *target;
} dev_links[] = {
	{"fd", "/proc/self/fd"},       {"stdin", "/proc/self/fd/0"}, {"stdout", "/proc/self/fd/1"},
	{"stderr", "/proc/self/fd/2"}, {"core", "/proc/kcore"},      {"ptmx", "pts/ptmx"},
};

/*
 * The umask is 0 in this process, so a node of ours has its mode at once. The name must be free or
 * hold the same device already.
 */
static int make_node(int dir_fd, const char *name, mode_t type, dev_t device, mode_t mode,
		     uid_t uid, gid_t gid)
{
	auto_close int fd = NO_FD;
	struct stat st;

	if (mknodat(dir_fd, name, type | mode, device) == 0) {
		if (uid == 0 && gid == 0)
			return 0;
	} else if (errno != EEXIST) {
		return -errno;
	}
	fd = openat(dir_fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if ((st.st_mode & S_IFMT) != type || (type != S_IFIFO && st.st_rdev != device))
		return -EEXIST;
	if ((st.st_uid != uid || st.st_gid != gid) && fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0)
		return -errno;
	if ((st.st_mode & 07777) != mode && fchmodat(dir_fd, name, mode, 0) < 0)
		return -errno;
	return 0;
}

/* Who has what we make; root, unless somebody else makes it for a user namespace. */
struct owner {
	uid_t uid;
	gid_t gid;
};

static int make_default_devices(int dev_fd, struct owner root, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(default_devices); i++) {
		const struct default_device *d = &default_devices[i];
		int r = make_node(dev_fd, d->name, S_IFCHR, makedev(d->major, d->minor), 0666,
				  root.uid, root.gid);

		if (r < 0)
			return err_set(err, ERR_SYSTEM, -r, "make /dev/%s", d->name);
	}
	for (size_t i = 0; i < ARRAY_SIZE(dev_links); i++) {
		const struct dev_link *l = &dev_links[i];

		if (symlinkat(l->target, dev_fd, l->name) < 0 && errno != EEXIST)
			return err_set(err, ERR_SYSTEM, errno, "make /dev/%s", l->name);
		if (root.uid != 0 &&
		    fchownat(dev_fd, l->name, root.uid, root.gid, AT_SYMLINK_NOFOLLOW) < 0)
			return err_set(err, ERR_SYSTEM, errno, "give /dev/%s away", l->name);
	}
	return 0;
}

static int open_null(struct start *start, int dev_fd, struct error *err)
{
	struct stat st;

	/* What masks files later must be the real one (CVE-2025-31133). */
	start->null_fd = openat(dev_fd, "null", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (start->null_fd < 0 || fstat(start->null_fd, &st) < 0 || !S_ISCHR(st.st_mode) ||
	    st.st_rdev != makedev(1, 3))
		return err_set(err, ERR_INTERNAL, 0, "/dev/null is not the null device");
	return 0;
}

/* `path` is the device's below root_fd. */
static int make_listed_device(int root_fd, const struct spec_device *device, const char *path,
			      struct owner root, struct owner owner, struct error *err)
{
	auto_free char *clean = path_clean(path);
	char *slash = strrchr(clean, '/');
	auto_close int dir_fd = NO_FD;
	mode_t type = device->type == 'b' ? S_IFBLK : device->type == 'p' ? S_IFIFO : S_IFCHR;
	int r;

	*slash = '\0';
	dir_fd = path_mkdir_in_root(root_fd, slash == clean ? "/" : clean, 0755,
				    root.uid ? root.uid : (uid_t)-1, root.gid);
	if (dir_fd < 0)
		return err_set(err, ERR_SYSTEM, -dir_fd, "make '%s'", clean);
	r = make_node(dir_fd, slash + 1, type, makedev(device->major, device->minor), device->mode,
		      owner.uid, owner.gid);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "make device '%s'", device->path);
	return 0;
}

/* Devices of the host's groups that do not exist inside are root's. */
static struct owner owner_inside(const struct spec *spec, const struct spec_device *device,
				 struct owner root)
{
	struct owner owner = root;

	(void)id_map_outside(&spec->uids, device->uid, &owner.uid);
	(void)id_map_outside(&spec->gids, device->gid, &owner.gid);
	return owner;
}

int devices_make(struct start *start, int dev_fd, struct error *err)
{
	const struct spec *spec = &start->spec;
	struct owner root = {0, 0};
	mode_t umask_before;
	int r;

	(void)id_map_outside(&spec->uids, 0, &root.uid);
	(void)id_map_outside(&spec->gids, 0, &root.gid);
	if (fchownat(dev_fd, "", root.uid, root.gid, AT_EMPTY_PATH) < 0)
		return err_set(err, ERR_SYSTEM, errno, "give /dev away");
	umask_before = umask(0);
	r = make_default_devices(dev_fd, root, err);
	for (size_t i = 0; r == 0 && i < spec->device_count; i++) {
		const struct spec_device *device = &spec->devices[i];

		if (strncmp(device->path, "/dev/", 5) != 0)
			r = err_set(err, ERR_UNAVAILABLE, EOPNOTSUPP,
				    "device '%s': with a user namespace devices can only be in "
				    "/dev",
				    device->path);
		else
			r = make_listed_device(dev_fd, device, device->path + 4, root,
					       owner_inside(spec, device, root), err);
	}
	(void)umask(umask_before);
	return r;
}

static bool has_own_dev(const struct start *start)
{
	for (size_t i = 0; i < start->spec.mount_count; i++)
		if (!start->spec.mounts[i].bind &&
		    strcmp(start->spec.mounts[i].destination, "/dev") == 0)
			return true;
	return false;
}

/*
 * stage_devices() - the nodes and links in /dev
 *
 * Where:    child, inside the container's root; /dev is the tmpfs that stage_mounts made.
 * Must:     keep a checked descriptor of /dev/null.
 * Must not: make anything in a /dev of the image or of the host (a bind): then only what is there
 * is used.
 */
int stage_devices(struct start *start, struct error *err)
{
	auto_close int dev_fd = NO_FD;
	mode_t umask_before;
	int r = 0;

	dev_fd = path_open_beneath(start->root_fd, "dev", O_PATH | O_DIRECTORY, 0);
	if (dev_fd < 0)
		return err_set(err, ERR_SYSTEM, -dev_fd, "open /dev of the container");
	if (!has_own_dev(start)) {
		start->null_fd = path_open_beneath(dev_fd, "null", O_PATH, 0);
		return start->null_fd < 0
			       ? err_set(err, ERR_SYSTEM, -start->null_fd, "open /dev/null")
			       : 0;
	}
	/* A user namespace may not make nodes: they came with /dev (runtime/userns.h). */
	if (start->spec.namespaces[SPEC_NS_USER] != SPEC_NS_HOST)
		return open_null(start, dev_fd, err);
	umask_before = umask(0);
	r = make_default_devices(dev_fd, (struct owner){0, 0}, err);
	if (r == 0)
		r = open_null(start, dev_fd, err);
	for (size_t i = 0; r == 0 && i < start->spec.device_count; i++) {
		const struct spec_device *device = &start->spec.devices[i];

		r = make_listed_device(start->root_fd, device, device->path, (struct owner){0, 0},
				       (struct owner){device->uid, device->gid}, err);
	}
	(void)umask(umask_before);
	return r;
}
