/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/confine.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/path.h"

#define CAPABILITY_COUNT 64

uint64_t confine_bounding_set(void)
{
	uint64_t set = 0;

	for (unsigned long c = 0; c < CAPABILITY_COUNT; c++) {
		int r = prctl(PR_CAPBSET_READ, c, 0, 0, 0);

		if (r < 0)
			break; /* past the kernel's last capability */
		if (r > 0)
			set |= UINT64_C(1) << c;
	}
	return set;
}

static int set_rlimits(const struct confine_request *request, struct error *err)
{
	for (size_t i = 0; i < request->rlimit_count; i++) {
		const struct spec_rlimit *l = &request->rlimits[i];
		struct rlimit value = {.rlim_cur = l->soft, .rlim_max = l->hard};

		if (setrlimit((__rlimit_resource_t)l->resource, &value) == 0)
			continue;
		if (errno == EPERM)
			return err_set(
				err, ERR_DENIED, EPERM,
				"%s: the hard limit cannot be raised to %llu on this machine "
				"(CAP_SYS_RESOURCE is missing)",
				l->name, (unsigned long long)l->hard);
		return err_set(err, ERR_SYSTEM, errno, "set %s to %llu:%llu", l->name,
			       (unsigned long long)l->soft, (unsigned long long)l->hard);
	}
	return 0;
}

static int drop_bounding_set(uint64_t keep, struct error *err)
{
	for (unsigned long c = 0; c < CAPABILITY_COUNT; c++) {
		if ((keep >> c) & 1)
			continue;
		if (prctl(PR_CAPBSET_DROP, c, 0, 0, 0) == 0)
			continue;
		if (errno == EINVAL)
			return 0; /* past the kernel's last capability */
		return err_set(err, ERR_SYSTEM, errno, "drop capability %lu from the bounding set",
			       c);
	}
	return 0;
}

static int set_ids(const struct user_identity *identity, struct error *err)
{
	/* Keeps the permitted set over setuid(); set_capabilities() decides what stays of it. */
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return err_set(err, ERR_SYSTEM, errno, "keep capabilities");
	if (setgroups(identity->group_count, identity->groups) < 0)
		return err_set(err, ERR_SYSTEM, errno, "set %zu groups", identity->group_count);
	if (setresgid(identity->gid, identity->gid, identity->gid) < 0)
		return err_set(err, ERR_SYSTEM, errno, "become group %u", identity->gid);
	if (setresuid(identity->uid, identity->uid, identity->uid) < 0)
		return err_set(err, ERR_SYSTEM, errno, "become user %u", identity->uid);
	return 0;
}

/* What this process may still use: nothing can be kept that is not in it. */
static int read_permitted(uint64_t *ret_permitted)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) < 0)
		return -errno;
	*ret_permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
	return 0;
}

static int set_capabilities(const struct spec_capabilities *capabilities, struct error *err)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];
	uint64_t permitted = 0, effective, inheritable;
	int r;

	r = read_permitted(&permitted);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "read capabilities");
	inheritable = capabilities->inheritable & permitted;
	permitted &= capabilities->permitted;
	effective = capabilities->effective & permitted;
	data[0] = (struct __user_cap_data_struct){(uint32_t)effective, (uint32_t)permitted,
						  (uint32_t)inheritable};
	data[1] = (struct __user_cap_data_struct){(uint32_t)(effective >> 32),
						  (uint32_t)(permitted >> 32),
						  (uint32_t)(inheritable >> 32)};
	if (syscall(SYS_capset, &header, data) < 0)
		return err_set(err, ERR_SYSTEM, errno, "set capabilities");
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return err_set(err, ERR_SYSTEM, errno, "clear ambient capabilities");
	for (unsigned long c = 0; c < CAPABILITY_COUNT; c++) {
		if (!((capabilities->ambient & inheritable & permitted) >> c & 1))
			continue;
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, c, 0, 0) < 0)
			return err_set(err, ERR_SYSTEM, errno, "raise ambient capability %lu", c);
	}
	return 0;
}

static int load_seccomp(const struct confine_request *request, struct error *err)
{
	int r;

	if (!request->seccomp)
		return 0;
	r = seccomp_filter_load(request->seccomp);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "load the seccomp filter");
	return 0;
}

int confine_process(const struct confine_request *request, struct error *err)
{
	int r;

	(void)umask(request->umask);
	r = set_rlimits(request, err);
	if (r < 0)
		return r;
	r = drop_bounding_set(request->capabilities->bounding, err);
	if (r < 0)
		return r;
	if (!request->no_new_privileges) {
		r = load_seccomp(request, err);
		if (r < 0)
			return r;
	}
	r = set_ids(request->identity, err);
	if (r < 0)
		return r;
	r = set_capabilities(request->capabilities, err);
	if (r < 0)
		return r;
	if (!request->no_new_privileges)
		return 0;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(err, ERR_SYSTEM, errno, "set no_new_privs");
	return load_seccomp(request, err);
}

/* getcwd(2) says "(unreachable)…" when the directory is not below the process's root. */
static int check_inside(const char *path, struct error *err)
{
	char where[4096];
	long n = syscall(SYS_getcwd, where, sizeof(where));

	if (n < 0)
		return err_set(err, ERR_SYSTEM, errno, "working directory '%s'", path);
	if (where[0] != '/')
		return err_set(err, ERR_DENIED, EPERM,
			       "working directory '%s' is outside of the container", path);
	return 0;
}

int confine_workdir(int root_fd, const char *path, bool create, struct error *err)
{
	auto_close int fd = NO_FD;

	fd = path_open_in_root(root_fd, path, O_PATH | O_DIRECTORY, 0);
	if (fd == -ENOENT && create)
		fd = path_mkdir_in_root(root_fd, path, 0755, (uid_t)-1, (gid_t)-1);
	if (fd < 0)
		return err_set(err, ERR_INVALID, -fd, "working directory '%s': %s", path,
			       errno_text(-fd));
	if (fchdir(fd) < 0)
		return err_set(err, ERR_SYSTEM, errno, "change to working directory '%s'", path);
	return check_inside(path, err);
}
