/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/secret.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "runtime/start_internal.h"
#include "sys/mount.h"

#define FILE_MAX_BYTES ((size_t)512000)
#define VARIABLE_MAX_BYTES ((size_t)128 << 10) /* MAX_ARG_STRLEN: execve(2) takes no longer text */
#define SECRETS_MAX 256
#define ATTRIBUTES (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

void runtime_secret_release(struct runtime_secret *secret)
{
	free(secret->file);
	free(secret->name);
	free(secret->target);
	*secret = (struct runtime_secret){0};
}

/* ---- launch.json ---- */

json_t *runtime_secrets_to_json(const struct runtime_secret *secrets, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(
			array,
			json_pack("{s:s, s:s, s:s, s:b, s:I, s:I, s:I}", "file", secrets[i].file,
				  "name", secrets[i].name, "target", secrets[i].target, "variable",
				  (int)secrets[i].is_variable, "uid", (json_int_t)secrets[i].uid,
				  "gid", (json_int_t)secrets[i].gid, "mode",
				  (json_int_t)secrets[i].mode));
	return array;
}

static int from_json(const json_t *item, struct runtime_secret *secret)
{
	*secret = (struct runtime_secret){
		.file = xstrdup_or_null(json_get_string(item, "file", NULL)),
		.name = xstrdup_or_null(json_get_string(item, "name", NULL)),
		.target = xstrdup_or_null(json_get_string(item, "target", NULL)),
		.is_variable = json_get_bool(item, "variable", false),
		.uid = (uint32_t)json_get_int(item, "uid", 0),
		.gid = (uint32_t)json_get_int(item, "gid", 0),
		.mode = (uint32_t)json_get_int(item, "mode", SECRET_MODE),
	};
	return secret->file && secret->name && secret->target && secret->mode <= 07777 ? 0
										       : -EBADMSG;
}

int runtime_secrets_from_json(const json_t *array, struct runtime_secret **ret_secrets,
			      size_t *ret_count, struct error *err)
{
	size_t count = json_array_size(array);
	struct runtime_secret *secrets;
	int r = 0;

	if (count == 0)
		return 0;
	if (count > SECRETS_MAX)
		return err_set(err, ERR_INTERNAL, E2BIG, "more than %d secrets", SECRETS_MAX);
	secrets = xcalloc(count, sizeof(*secrets));
	for (size_t i = 0; i < count && r >= 0; i++)
		r = from_json(json_array_get(array, i), &secrets[i]);
	*ret_secrets = secrets;
	*ret_count = count;
	return r < 0 ? err_set(err, ERR_INTERNAL, -r, "a secret is not valid") : 0;
}

/* ---- parent ---- */

static int set_variable(struct start *start, const struct runtime_secret *secret,
			const struct strbuf *text, struct error *err)
{
	if (memchr(text->data, '\0', text->len))
		return err_set(err, ERR_INVALID, EINVAL,
			       "secret '%s' cannot be a variable: it has a zero byte",
			       secret->name);
	if (text->len + strlen(secret->target) + 2 > VARIABLE_MAX_BYTES)
		return err_set(err, ERR_INVALID, E2BIG,
			       "secret '%s' cannot be a variable: it is longer than %zu bytes",
			       secret->name, VARIABLE_MAX_BYTES);
	strv_env_set(&start->spec.env, secret->target, text->data);
	return 0;
}

int start_read_secrets(struct start *start, struct error *err)
{
	const struct launch *launch = start->request->launch;
	int r = 0;

	if (launch->secret_count == 0)
		return 0;
	start->secret_texts = xcalloc(launch->secret_count, sizeof(*start->secret_texts));
	for (size_t i = 0; r >= 0 && i < launch->secret_count; i++) {
		const struct runtime_secret *secret = &launch->secrets[i];
		struct strbuf *text = &start->secret_texts[i];

		r = fd_read_file_at(start->request->bundle_fd, secret->file, FILE_MAX_BYTES,
				    &text->data, &text->len);
		if (r < 0)
			r = err_set(err, ERR_SYSTEM, -r, "read secret '%s'", secret->name);
		else if (secret->is_variable)
			r = set_variable(start, secret, text, err);
	}
	return r < 0 ? r : 0;
}

void start_forget_secrets(struct start *start)
{
	size_t count = start->secret_texts ? start->request->launch->secret_count : 0;

	for (size_t i = 0; i < count; i++) {
		if (start->secret_texts[i].data)
			explicit_bzero(start->secret_texts[i].data, start->secret_texts[i].len);
		strbuf_release(&start->secret_texts[i]);
	}
	free(start->secret_texts);
	start->secret_texts = NULL;
}

/* ---- child ---- */

/* What stands in SECRETS_DIRECTORY: an absolute target is another place of the same file. */
static const char *file_name(const struct runtime_secret *secret)
{
	return secret->target[0] == '/' ? secret->name : secret->target;
}

static int write_file(int dir_fd, const struct runtime_secret *secret, const struct strbuf *text,
		      struct error *err)
{
	auto_close int fd = NO_FD;
	int r;

	fd = openat(dir_fd, file_name(secret), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	r = fd < 0 ? -errno : fd_write_all(fd, text->data, text->len);
	if (r >= 0 && (fchown(fd, secret->uid, secret->gid) < 0 || fchmod(fd, secret->mode) < 0))
		r = -errno;
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "write secret '%s' to " SECRETS_DIRECTORY,
			       secret->name)
		     : 0;
}

static int write_files(const struct start *start, int dir_fd, struct error *err)
{
	const struct launch *launch = start->request->launch;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < launch->secret_count; i++)
		if (!launch->secrets[i].is_variable)
			r = write_file(dir_fd, &launch->secrets[i], &start->secret_texts[i], err);
	return r;
}

/* Not in /proc: see stage_mounts.c. */
static int attach(int mount_fd, int target_fd, const char *target, struct error *err)
{
	struct statfs fs;
	int r;

	if (target_fd < 0)
		return err_set(err, ERR_SYSTEM, -target_fd, "make mount point '%s'", target);
	if (fstatfs(target_fd, &fs) < 0 || fs.f_type == PROC_SUPER_MAGIC)
		return err_set(err, ERR_INVALID, EPERM, "no secret can be at '%s': it is in /proc",
			       target);
	r = mount_attach(mount_fd, target_fd);
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "mount a secret on '%s'", target) : 0;
}

static int attach_file(const struct start *start, int dir_fd, const struct runtime_secret *secret,
		       struct error *err)
{
	auto_close int target_fd = NO_FD;
	auto_close int file_fd = NO_FD;
	auto_close int mount_fd = NO_FD;
	int r = 0;

	file_fd = openat(dir_fd, file_name(secret), O_PATH | O_NOFOLLOW | O_CLOEXEC);
	mount_fd = file_fd < 0 ? -errno : mount_copy(file_fd, /* recursive= */ false);
	if (mount_fd >= 0)
		r = mount_change(mount_fd, ATTRIBUTES | MOUNT_ATTR_RDONLY, 0, 0, false);
	if (mount_fd < 0 || r < 0)
		return err_set(err, ERR_SYSTEM, mount_fd < 0 ? -mount_fd : -r,
			       "copy the mount of secret '%s'", secret->name);
	target_fd = path_mkfile_in_root(start->root_fd, secret->target, 0644);
	return attach(mount_fd, target_fd, secret->target, err);
}

static int attach_files(const struct start *start, int dir_fd, struct error *err)
{
	const struct launch *launch = start->request->launch;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < launch->secret_count; i++)
		if (!launch->secrets[i].is_variable && launch->secrets[i].target[0] == '/')
			r = attach_file(start, dir_fd, &launch->secrets[i], err);
	return r;
}

static bool has_files(const struct launch *launch)
{
	for (size_t i = 0; i < launch->secret_count; i++)
		if (!launch->secrets[i].is_variable)
			return true;
	return false;
}

int stage_secrets(struct start *start, struct error *err)
{
	static const struct mount_option options[] = {
		{"source", "secrets"}, {"mode", "0755"}, {"size", "128m"}};
	auto_close int target_fd = NO_FD;
	auto_close int mount_fd = NO_FD;
	int r;

	if (!has_files(start->request->launch))
		return 0;
	mount_fd = mount_new("tmpfs", options, ARRAY_SIZE(options), ATTRIBUTES);
	if (mount_fd < 0)
		return err_set(err, ERR_SYSTEM, -mount_fd, "mount a tmpfs for secrets");
	r = write_files(start, mount_fd, err);
	if (r < 0)
		return r;
	target_fd =
		path_mkdir_in_root(start->root_fd, SECRETS_DIRECTORY, 0755, (uid_t)-1, (gid_t)-1);
	r = attach(mount_fd, target_fd, SECRETS_DIRECTORY, err);
	if (r >= 0)
		r = attach_files(start, mount_fd, err);
	if (r < 0)
		return r;
	r = mount_change(mount_fd, MOUNT_ATTR_RDONLY, 0, 0, /* recursive= */ false);
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "make " SECRETS_DIRECTORY " read-only") : 0;
}
