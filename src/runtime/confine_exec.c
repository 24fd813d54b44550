/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <grp.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "runtime/confine.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static int not_found(const char *name, struct error *err)
{
	return err_set(err, ERR_COMMAND_MISSING, ENOENT,
		       "exec: \"%s\": executable file not found in $PATH", name);
}

/* The words runc uses, by which docker knows 126 and 127 apart. */
static int exec_failed(const char *name, int errnum, struct error *err)
{
	switch (errnum) {
	case ENOENT:
	case ENOTDIR:
		return err_set(err, ERR_COMMAND_MISSING, errnum,
			       "exec: \"%s\": stat %s: no such file or directory", name, name);
	case EACCES:
	case EPERM:
		return err_set(err, ERR_NOT_EXECUTABLE, errnum, "exec: \"%s\": permission denied",
			       name);
	case EISDIR:
		return err_set(err, ERR_NOT_EXECUTABLE, errnum,
			       "exec: \"%s\": is a directory: permission denied", name);
	case ENOEXEC:
		return err_set(err, ERR_NOT_EXECUTABLE, errnum, "exec %s: exec format error", name);
	default:
		return err_set(err, ERR_NOT_EXECUTABLE, errnum, "exec \"%s\": %s", name,
			       errno_text(errnum));
	}
}

/* An executable regular file at this path, as this process may use it. */
static int probe(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0 ? -errno : 0;
}

/* Caller frees. NULL with err set when no directory of PATH has it. */
static char *find_in_path(const char *name, const struct strv *env, struct error *err)
{
	const char *path = strv_env_find(env, "PATH");
	auto_(strv_release) struct strv directories = {0};
	int denied = 0;

	strv_split(&directories, path ? path : DEFAULT_PATH, ':');
	for (size_t i = 0; i < directories.count; i++) {
		const char *directory = directories.items[i];
		auto_free char *candidate = NULL;
		int r;

		candidate = xasprintf("%s/%s", *directory ? directory : ".", name);
		r = probe(candidate);
		if (r == 0)
			return TAKE_PTR(candidate);
		if (r == -EACCES)
			denied = EACCES;
	}
	if (denied)
		(void)exec_failed(name, denied, err);
	else
		(void)not_found(name, err);
	return NULL;
}

static int exec_init(const struct strv *args, const struct strv *env, int init_fd,
		     struct error *err)
{
	auto_(strv_release) struct strv all = {0};

	strv_add(&all, "skiff-init");
	strv_add(&all, "--");
	strv_add_all(&all, args);
	(void)syscall(SYS_execveat, init_fd, "", all.items, env->items, AT_EMPTY_PATH);
	return err_set(err, ERR_SYSTEM, errno, "execute the init process");
}

/* *ret_found, owned by the caller, stays NULL when the name is a path already. */
static int find_command(const char *name, const struct strv *env, char **ret_found,
			struct error *err)
{
	int r;

	if (!*name)
		return not_found(name, err);
	if (!strchr(name, '/')) {
		*ret_found = find_in_path(name, env, err);
		return *ret_found ? 0 : err_result(err);
	}
	r = probe(name);
	return r < 0 ? exec_failed(name, -r, err) : 0;
}

int confine_probe(const struct strv *args, const struct strv *env,
		  const struct user_identity *identity, struct error *err)
{
	auto_free char *found = NULL;
	int r;

	if (setgroups(identity->group_count, identity->groups) < 0)
		return err_set(err, ERR_SYSTEM, errno, "set %zu groups", identity->group_count);
	(void)setfsgid(identity->gid);
	(void)setfsuid(
		identity->uid); /* takes CAP_DAC_OVERRIDE from who is not 0, and 0 gives it back */
	r = find_command(args->items[0], env, &found, err);
	(void)setfsuid(0);
	(void)setfsgid(0);
	return r;
}

int confine_exec(const struct strv *args, const struct strv *env, int init_fd, struct error *err)
{
	const char *name = args->items[0];
	auto_free char *found = NULL;
	int r;

	r = find_command(name, env, &found, err);
	if (r < 0)
		return r;
	if (init_fd >= 0)
		return exec_init(args, env, init_fd, err);
	(void)execve(found ? found : name, args->items, env->items);
	return exec_failed(name, errno, err);
}
