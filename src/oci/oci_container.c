/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/oci_container.h"

#include <assert.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/atomic_file.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/path.h"
#include "runtime/start_wait.h"
#include "sys/cgroup.h"

#define STATE_MAX_BYTES ((size_t)1 << 20)

static const char *const status_names[] = {
	[OCI_CREATING] = "creating", [OCI_CREATED] = "created", [OCI_RUNNING] = "running",
	[OCI_PAUSED] = "paused",     [OCI_STOPPED] = "stopped",
};
static_assert(ARRAY_SIZE(status_names) == OCI_STATUS_COUNT, "every status has a name");

const char *oci_status_name(enum oci_status status)
{
	return status_names[status];
}

/* A name in our directory: what runc takes, but none that begins with a dot, as ours do. */
int oci_id_check(const char *id, struct error *err)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_+-.";
	size_t len = strlen(id);

	if (len == 0)
		return err_set(err, ERR_INVALID, EINVAL, "container id cannot be empty");
	if (len > NAME_MAX || id[0] == '.' || strspn(id, allowed) != len)
		return err_set(err, ERR_INVALID, EINVAL, "invalid container ID format: '%s'", id);
	return 0;
}

void oci_container_release(struct oci_container *c)
{
	cleanup_close_fd(&c->dir_fd);
	free(c->id);
	free(c->bundle);
	free(c->rootfs);
	free(c->seccomp);
	json_decref(c->annotations);
	container_state_release(&c->state);
	*c = OCI_CONTAINER_EMPTY;
}

static int open_dir(int root_fd, const char *id, struct error *err)
{
	int fd = openat(root_fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return err_set(err, ERR_NOT_FOUND, ENOENT, "container does not exist");
	return fd < 0 ? err_set(err, ERR_SYSTEM, errno, "open container '%s'", id) : fd;
}

int oci_container_make(int root_fd, const char *id, struct oci_container *ret, struct error *err)
{
	int r = oci_id_check(id, err);

	if (r < 0)
		return r;
	if (mkdirat(root_fd, id, 0700) < 0) {
		if (errno == EEXIST)
			return err_set(err, ERR_CONFLICT, EEXIST,
				       "container with given ID already exists");
		return err_set(err, ERR_SYSTEM, errno, "make a directory for container '%s'", id);
	}
	*ret = OCI_CONTAINER_EMPTY;
	ret->dir_fd = open_dir(root_fd, id, err);
	if (ret->dir_fd < 0)
		return ret->dir_fd;
	ret->id = xstrdup(id);
	ret->owner = geteuid();
	ret->created_ns = clock_now_ns();
	ret->is_creating = true;
	return 0;
}

int oci_container_save(const struct oci_container *c, struct error *err)
{
	auto_(json_decref) json_t *object = json_object();
	auto_free char *text = NULL;
	int r;

	json_set_string(object, "id", c->id);
	json_set_string(object, "bundle", c->bundle);
	json_set_string(object, "rootfs", c->rootfs);
	(void)json_object_set_new(object, "pid", json_integer(c->state.init.pid));
	(void)json_object_set_new(object, "startTime",
				  json_integer((json_int_t)c->state.init.start_time));
	(void)json_object_set_new(object, "created", json_integer(c->created_ns));
	(void)json_object_set_new(object, "owner", json_integer(c->owner));
	(void)json_object_set_new(object, "creating", json_boolean(c->is_creating));
	json_set_string(object, "cgroup", c->state.cgroup_path ? c->state.cgroup_path : "");
	json_set_string(object, "seccomp", c->seccomp);
	if (c->annotations)
		(void)json_object_set(object, "annotations", c->annotations);
	text = json_text(object);
	r = atomic_file_write(c->dir_fd, STATE_FILE_NAME, text, strlen(text), 0600,
			      /* sync= */ false);
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "write the container's state") : 0;
}

static char *copy_text(const json_t *object, const char *key)
{
	return xstrdup_or_null(json_get_string(object, key, NULL));
}

int oci_container_parse(const char *text, size_t len, struct oci_container *ret, struct error *err)
{
	auto_(json_decref) json_t *object = NULL;
	int64_t pid, owner;
	int r;

	r = json_parse(text, len, STATE_FILE_NAME, &object, err);
	if (r < 0)
		return r;
	pid = json_get_int(object, "pid", 0);
	owner = json_get_int(object, "owner", 0);
	if (!json_is_object(object) || !json_get_string(object, "bundle", NULL) || pid < 0 ||
	    pid > INT32_MAX || owner < 0 || owner > UINT32_MAX)
		return err_set(err, ERR_INVALID, EBADMSG, "%s is not valid", STATE_FILE_NAME);
	ret->bundle = copy_text(object, "bundle");
	ret->rootfs = copy_text(object, "rootfs");
	ret->seccomp = copy_text(object, "seccomp");
	ret->annotations = json_incref(json_object_get(object, "annotations"));
	ret->created_ns = json_get_int(object, "created", 0);
	ret->owner = (uint32_t)owner;
	ret->is_creating = json_get_bool(object, "creating", false);
	ret->state = (struct container_state){
		.init = {.pid = (pid_t)pid,
			 .start_time = (uint64_t)json_get_int(object, "startTime", 0)},
		.cgroup_path = copy_text(object, "cgroup"),
	};
	return 0;
}

int oci_container_load(int root_fd, const char *id, struct oci_container *ret, struct error *err)
{
	auto_(oci_container_release) struct oci_container c = OCI_CONTAINER_EMPTY;
	auto_free char *text = NULL;
	size_t len = 0;
	int r;

	r = oci_id_check(id, err);
	if (r < 0)
		return r;
	if (root_fd < 0)
		return err_set(err, ERR_NOT_FOUND, ENOENT, "container does not exist");
	c.dir_fd = open_dir(root_fd, id, err);
	if (c.dir_fd < 0)
		return c.dir_fd;
	c.id = xstrdup(id);
	r = fd_read_file_at(c.dir_fd, STATE_FILE_NAME, STATE_MAX_BYTES, &text, &len);
	if (r < 0 && r != -ENOENT)
		return err_set(err, ERR_SYSTEM, -r, "read the state of container '%s'", id);
	r = r == -ENOENT ? 0 : oci_container_parse(text, len, &c, err);
	if (r < 0)
		return r;
	*ret = c;
	c = OCI_CONTAINER_EMPTY;
	return 0;
}

static bool is_frozen(const struct oci_container *c)
{
	auto_(cgroup_host_free) struct cgroup_host *host = NULL;
	auto_(cgroup_free) struct cgroup *group = NULL;

	if (!c->state.cgroup_path || !*c->state.cgroup_path || cgroup_host_open(&host) < 0 ||
	    cgroup_open(host, c->state.cgroup_path, &group) < 0)
		return false;
	return cgroup_is_frozen(group) == 1;
}

enum oci_status oci_container_status(const struct oci_container *c)
{
	if (!process_id_is_alive(&c->state.init))
		return OCI_STOPPED;
	if (c->is_creating)
		return OCI_CREATING;
	if (start_wait_is_waiting(c->dir_fd))
		return OCI_CREATED;
	/* It may have ended since, and the socket with it. */
	if (!process_id_is_alive(&c->state.init))
		return OCI_STOPPED;
	return is_frozen(c) ? OCI_PAUSED : OCI_RUNNING;
}

int oci_container_config(const struct oci_container *c, json_t **ret_config, struct error *err)
{
	auto_free char *text = NULL;
	size_t len = 0;
	int r;

	r = fd_read_file_at(c->dir_fd, CONFIG_FILE_NAME, JSON_MAX_BYTES, &text, &len);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "read the container's configuration");
	return json_parse(text, len, CONFIG_FILE_NAME, ret_config, err);
}

int oci_container_forget(int root_fd, const struct oci_container *c, struct error *err)
{
	int r = path_remove_tree(root_fd, c->id);

	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "remove what is known of '%s'", c->id) : 0;
}

struct hook_subject oci_container_subject(const struct oci_container *c)
{
	return (struct hook_subject){
		.id = c->id, .bundle = c->bundle, .annotations = c->annotations};
}
