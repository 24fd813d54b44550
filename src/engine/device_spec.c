/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/device_spec.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/alloc.h"
#include "base/parse.h"
#include "base/path.h"
#include "base/strv.h"

/* Directories of devices are flat or nearly so; what they hold is bounded. */
#define DEVICE_MAX_DEPTH 8
#define DEVICE_MAX_COUNT 4096

static bool is_permissions(const char *text)
{
	size_t len = strlen(text);

	return len >= 1 && len <= 3 && strspn(text, "rwm") == len &&
	       (len < 2 || text[0] != text[1]) &&
	       (len < 3 || (text[0] != text[2] && text[1] != text[2]));
}

int device_spec_parse(const char *text, struct device_spec *ret_spec, struct error *err)
{
	auto_(strv_release) struct strv parts = {0};
	const char *target = NULL, *permissions = "rwm";

	strv_split(&parts, text, ':');
	if (parts.count == 0 || parts.count > 3 || parts.items[0][0] != '/')
		return err_set(err, ERR_INVALID, 0, "invalid device specification: %s", text);
	if (parts.count == 2 && is_permissions(parts.items[1])) {
		permissions = parts.items[1];
	} else if (parts.count >= 2) {
		target = parts.items[1];
	}
	if (parts.count == 3)
		permissions = parts.items[2];
	if (!is_permissions(permissions))
		return err_set(err, ERR_INVALID, 0, "invalid device mode: %s", permissions);
	if (target && target[0] != '/')
		return err_set(err, ERR_INVALID, 0,
			       "invalid device specification: %s: '%s' is not "
			       "an absolute path",
			       text, target);

	*ret_spec = (struct device_spec){
		.host_path = path_clean(parts.items[0]),
		.container_path = path_clean(target ? target : parts.items[0]),
	};
	memcpy(ret_spec->permissions, permissions, strlen(permissions) + 1);
	return 0;
}

void device_spec_release(struct device_spec *spec)
{
	free(spec->host_path);
	free(spec->container_path);
	*spec = (struct device_spec){0};
}

void device_add_rule(json_t *rules, bool allow, char type, int64_t major, int64_t minor,
		     const char *access)
{
	char type_text[2] = {type, '\0'};
	json_t *rule = json_object();

	(void)json_object_set_new(rule, "allow", json_boolean(allow));
	if (type != 'a') {
		json_set_string(rule, "type", type_text);
		if (major >= 0)
			(void)json_object_set_new(rule, "major", json_integer(major));
		if (minor >= 0)
			(void)json_object_set_new(rule, "minor", json_integer(minor));
	}
	json_set_string(rule, "access", access);
	(void)json_array_append_new(rules, rule);
}

/* "*" is -1. */
static bool parse_device_number(const char *text, int64_t *ret_number)
{
	uint32_t value;

	*ret_number = -1;
	if (strcmp(text, "*") == 0)
		return true;
	if (parse_u32(text, &value) < 0)
		return false;
	*ret_number = value;
	return true;
}

int device_rule_parse(const char *text, json_t *rules, struct error *err)
{
	auto_(strv_release) struct strv words = {0};
	auto_(strv_release) struct strv numbers = {0};
	int64_t major_number, minor_number;

	strv_split(&words, text, ' ');
	if (words.count == 3)
		strv_split(&numbers, words.items[1], ':');
	if (numbers.count != 2 || strlen(words.items[0]) != 1 ||
	    !strchr("abc", words.items[0][0]) ||
	    !parse_device_number(numbers.items[0], &major_number) ||
	    !parse_device_number(numbers.items[1], &minor_number) ||
	    !is_permissions(words.items[2]))
		return err_set(err, ERR_INVALID, 0, "invalid device cgroup format '%s'", text);
	if (!rules)
		return 0;
	/* OCI's "a" is about everything, so one with numbers is two rules. */
	if (words.items[0][0] != 'a' || (major_number < 0 && minor_number < 0)) {
		device_add_rule(rules, true, words.items[0][0], major_number, minor_number,
				words.items[2]);
		return 0;
	}
	device_add_rule(rules, true, 'b', major_number, minor_number, words.items[2]);
	device_add_rule(rules, true, 'c', major_number, minor_number, words.items[2]);
	return 0;
}

void device_default_rules(json_t *rules)
{
	static const struct {
		char type;
		int major, minor;
		const char *access;
	} allowed[] = {
		{'c', -1, -1, "m"}, {'b', -1, -1, "m"}, {'c', 1, 3, "rwm"},    {'c', 1, 5, "rwm"},
		{'c', 1, 7, "rwm"}, {'c', 1, 8, "rwm"}, {'c', 1, 9, "rwm"},    {'c', 5, 0, "rwm"},
		{'c', 5, 1, "rwm"}, {'c', 5, 2, "rwm"}, {'c', 136, -1, "rwm"},
	};

	device_add_rule(rules, false, 'a', -1, -1, "rwm");
	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++)
		device_add_rule(rules, true, allowed[i].type, allowed[i].major, allowed[i].minor,
				allowed[i].access);
}

static void add_node(json_t *devices, const char *path, const struct stat *st)
{
	json_t *device = json_object();

	json_set_string(device, "path", path);
	json_set_string(device, "type", S_ISBLK(st->st_mode) ? "b" : "c");
	(void)json_object_set_new(device, "major", json_integer(major(st->st_rdev)));
	(void)json_object_set_new(device, "minor", json_integer(minor(st->st_rdev)));
	(void)json_object_set_new(device, "fileMode", json_integer(st->st_mode & 07777));
	(void)json_object_set_new(device, "uid", json_integer(st->st_uid));
	(void)json_object_set_new(device, "gid", json_integer(st->st_gid));
	(void)json_array_append_new(devices, device);
}

/* Where devices of a tree go. */
struct device_walk {
	json_t *devices, *rules; /* rules may be NULL */
	const char *permissions;
};

static void add_device(const struct device_walk *walk, const char *path, const struct stat *st)
{
	add_node(walk->devices, path, st);
	if (walk->rules)
		device_add_rule(walk->rules, true, S_ISBLK(st->st_mode) ? 'b' : 'c',
				major(st->st_rdev), minor(st->st_rdev), walk->permissions);
}

/* Parts of /dev that the container has of its own. */
static bool is_private_name(const char *name)
{
	static const char *const names[] = {"pts", "shm",   "mqueue", "console", "ptmx",
					    "fd",  "stdin", "stdout", "stderr"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static int walk_devices(const struct device_walk *walk, int dir_fd, const char *prefix,
			unsigned int depth, struct error *err)
{
	auto_closedir DIR *dir = fdopendir(dir_fd);
	struct dirent *entry;

	if (!dir) {
		int r = -errno;

		cleanup_close_fd(&dir_fd);
		return err_set(err, ERR_SYSTEM, -r, "read directory '%s'", prefix);
	}
	while ((entry = readdir(dir))) {
		auto_free char *path = NULL;
		struct stat st;
		int fd, r;

		if (entry->d_name[0] == '.' || is_private_name(entry->d_name))
			continue;
		if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		path = xasprintf("%s/%s", prefix, entry->d_name);
		if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
			add_device(walk, path, &st);
		if (json_array_size(walk->devices) > DEVICE_MAX_COUNT)
			return err_set(err, ERR_INVALID, E2BIG, "more than %d devices in '%s'",
				       DEVICE_MAX_COUNT, prefix);
		if (!S_ISDIR(st.st_mode) || depth >= DEVICE_MAX_DEPTH)
			continue;
		fd = openat(dirfd(dir), entry->d_name,
			    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			continue;
		r = walk_devices(walk, fd, path, depth + 1, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int device_spec_resolve(const struct device_spec *spec, json_t *devices, json_t *rules,
			struct error *err)
{
	const struct device_walk walk = {devices, rules, spec->permissions};
	auto_close int fd = NO_FD;
	struct stat st;

	fd = open(spec->host_path, O_PATH | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, ERR_INVALID, errno,
			       "error gathering device information while adding custom device "
			       "\"%s\": %s",
			       spec->host_path, errno_text(errno));
	if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) {
		add_device(&walk, spec->container_path, &st);
		return 0;
	}
	if (!S_ISDIR(st.st_mode))
		return err_set(err, ERR_INVALID, ENODEV,
			       "error gathering device information while adding custom device "
			       "\"%s\": not a device node",
			       spec->host_path);
	cleanup_close_fd(&fd);
	fd = open(spec->host_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "open directory '%s'", spec->host_path);
	return walk_devices(&walk, TAKE_FD(fd), spec->container_path, 0, err);
}

int device_spec_resolve_all(json_t *devices, struct error *err)
{
	const struct device_walk walk = {.devices = devices};
	int fd = open("/dev", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "open directory '/dev'");
	return walk_devices(&walk, fd, "/dev", 0, err);
}
