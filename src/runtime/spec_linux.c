/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <sched.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/alloc.h"
#include "runtime/spec_internal.h"

static const struct namespace_type {
	const char *type; /* in the document */
	const char *name; /* below /proc/PID/ns */
	uint64_t flag;
} namespace_types[] = {
	[SPEC_NS_PID] = {"pid", "pid", CLONE_NEWPID},
	[SPEC_NS_NETWORK] = {"network", "net", CLONE_NEWNET},
	[SPEC_NS_MOUNT] = {"mount", "mnt", CLONE_NEWNS},
	[SPEC_NS_IPC] = {"ipc", "ipc", CLONE_NEWIPC},
	[SPEC_NS_UTS] = {"uts", "uts", CLONE_NEWUTS},
	[SPEC_NS_CGROUP] = {"cgroup", "cgroup", CLONE_NEWCGROUP},
	[SPEC_NS_TIME] = {"time", "time", CLONE_NEWTIME},
	[SPEC_NS_USER] = {"user", "user", CLONE_NEWUSER},
};

static_assert(ARRAY_SIZE(namespace_types) == SPEC_NS_COUNT, "every namespace has its names");

uint64_t spec_namespace_flag(enum spec_namespace ns)
{
	return namespace_types[ns].flag;
}

const char *spec_namespace_name(enum spec_namespace ns)
{
	return namespace_types[ns].name;
}

static int parse_namespace(const json_t *item, struct spec *spec, struct error *err)
{
	const char *type = json_get_string(item, "type", "");

	for (size_t i = 0; i < SPEC_NS_COUNT; i++) {
		int r;

		if (strcmp(namespace_types[i].type, type) != 0)
			continue;
		if (spec->namespaces[i] != SPEC_NS_HOST)
			return err_set(err, ERR_INVALID, EINVAL,
				       "config.json: linux.namespaces lists '%s' twice", type);
		r = spec_member_string(item, "path", "linux.namespaces[]",
				       &spec->namespace_paths[i], err);
		if (r < 0)
			return r;
		spec->namespaces[i] = spec->namespace_paths[i] ? SPEC_NS_JOIN : SPEC_NS_NEW;
		return 0;
	}
	return err_set(err, ERR_INVALID, EINVAL, "config.json: unknown namespace '%s'", type);
}

static int parse_device(const json_t *item, struct spec_device *device, struct error *err)
{
	const char *type = json_get_string(item, "type", "");
	int64_t major_number = 0, minor_number = 0, mode = 0666, uid = 0, gid = 0;
	int r;

	r = spec_member_string(item, "path", "linux.devices[]", &device->path, err);
	if (r < 0)
		return r;
	if (!device->path || device->path[0] != '/')
		return err_set(err, ERR_INVALID, EINVAL,
			       "config.json: linux.devices[].path must be absolute");
	if (strlen(type) != 1 || !strchr("cubp", type[0]))
		return err_set(err, ERR_INVALID, EINVAL,
			       "config.json: device '%s' has unknown type '%s'", device->path,
			       type);
	r = spec_member_int(item, "major", "linux.devices[]", 0, (1 << 12) - 1, &major_number, err);
	if (r < 0)
		return r;
	r = spec_member_int(item, "minor", "linux.devices[]", 0, (1 << 20) - 1, &minor_number, err);
	if (r < 0)
		return r;
	r = spec_member_int(item, "fileMode", "linux.devices[]", 0, 07777, &mode, err);
	if (r < 0)
		return r;
	r = spec_member_int(item, "uid", "linux.devices[]", 0, INT32_MAX, &uid, err);
	if (r < 0)
		return r;
	r = spec_member_int(item, "gid", "linux.devices[]", 0, INT32_MAX, &gid, err);
	if (r < 0)
		return r;
	device->type = (char)(type[0] == 'u' ? 'c' : type[0]);
	device->major = (uint32_t)major_number;
	device->minor = (uint32_t)minor_number;
	device->mode = (mode_t)mode;
	device->uid = (uid_t)uid;
	device->gid = (gid_t)gid;
	return 0;
}

static int parse_devices(const json_t *array, struct spec *spec, struct error *err)
{
	const json_t *item;
	size_t i;
	int r;

	if (!array)
		return 0;
	if (!json_is_array(array) || json_array_size(array) > SPEC_MAX_DEVICES)
		return err_set(err, ERR_INVALID, EINVAL,
			       "config.json: linux.devices must be an array of at most %d",
			       SPEC_MAX_DEVICES);
	spec->devices = xcalloc(json_array_size(array), sizeof(*spec->devices));
	json_array_foreach (array, i, item) {
		spec->device_count++;
		r = parse_device(item, &spec->devices[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* A key is a path below /proc/sys with dots or, as sysctl(8) has it, slashes. */
static int parse_sysctls(const json_t *object, struct spec *spec, struct error *err)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)object, key, value) {
		auto_free char *path = xstrdup(key);
		const char *slash = strpbrk(path, "./");

		if (!json_is_string(value))
			return err_set(err, ERR_INVALID, EINVAL,
				       "config.json: linux.sysctl.%s must be a string", key);
		if (slash && *slash == '.')
			for (char *p = path; *p; p++)
				*p = (char)(*p == '.' ? '/' : *p == '/' ? '.' : *p);
		if (strstr(path, "..") || path[0] == '/' || strchr(path, '='))
			return err_set(err, ERR_INVALID, EINVAL,
				       "config.json: linux.sysctl: '%s' is no key", key);
		strv_addf(&spec->sysctls, "%s=%s", path, json_string_value(value));
	}
	return 0;
}

static int parse_propagation(const json_t *linux_object, struct spec *spec, struct error *err)
{
	const char *word = json_get_string(linux_object, "rootfsPropagation", "");

	if (!*word)
		return 0;
	spec->root_propagation = spec_propagation(word, &spec->root_propagation_recursive);
	if (spec->root_propagation == 0)
		return err_set(err, ERR_INVALID, EINVAL,
			       "config.json: linux.rootfsPropagation: unknown value '%s'", word);
	return 0;
}

static int parse_clock(const json_t *offsets, const char *key, struct spec_clock *clock,
		       struct error *err)
{
	const json_t *object = json_object_get(offsets, key);
	int64_t nanoseconds = 0;
	int r;

	if (!object)
		return 0;
	r = spec_member_int(object, "secs", key, INT64_MIN / 2, INT64_MAX / 2, &clock->seconds,
			    err);
	if (r == 0)
		r = spec_member_int(object, "nanosecs", key, 0, 999999999, &nanoseconds, err);
	clock->nanoseconds = (uint32_t)nanoseconds;
	clock->is_set = true;
	return r;
}

static int parse_clocks(const json_t *offsets, struct spec *spec, struct error *err)
{
	int r;

	r = parse_clock(offsets, "monotonic", &spec->monotonic, err);
	if (r == 0)
		r = parse_clock(offsets, "boottime", &spec->boottime, err);
	if (r < 0)
		return r;
	if ((spec->monotonic.is_set || spec->boottime.is_set) &&
	    spec->namespaces[SPEC_NS_TIME] != SPEC_NS_NEW)
		return err_set(err, ERR_INVALID, EINVAL,
			       "config.json: linux.timeOffsets needs a time namespace of its own");
	return 0;
}

/* What would change the container, and is not done. */
static const char *const unsupported[] = {
	"mountLabel",
	"intelRdt",
	"memoryPolicy",
	"netDevices",
};

int spec_parse_linux(const json_t *linux_object, struct spec *spec, struct error *err)
{
	const json_t *item;
	size_t i;
	int r;

	r = spec_refuse_members(linux_object, "linux", unsupported, ARRAY_SIZE(unsupported), err);
	if (r < 0)
		return r;
	json_array_foreach (json_object_get(linux_object, "namespaces"), i, item) {
		r = parse_namespace(item, spec, err);
		if (r < 0)
			return r;
	}
	if (spec->namespaces[SPEC_NS_MOUNT] != SPEC_NS_NEW)
		return err_set(err, ERR_UNAVAILABLE, EOPNOTSUPP,
			       "config.json: a container needs a mount namespace of its own");
	r = parse_clocks(json_object_get(linux_object, "timeOffsets"), spec, err);
	if (r < 0)
		return r;
	r = spec_parse_personality(json_object_get(linux_object, "personality"), &spec->tuning,
				   err);
	if (r < 0)
		return r;
	r = parse_propagation(linux_object, spec, err);
	if (r < 0)
		return r;
	r = spec_parse_user(linux_object, spec, err);
	if (r < 0)
		return r;
	r = parse_devices(json_object_get(linux_object, "devices"), spec, err);
	if (r < 0)
		return r;
	r = spec_member_strv(linux_object, "maskedPaths", "linux", &spec->masked_paths, err);
	if (r < 0)
		return r;
	r = spec_member_strv(linux_object, "readonlyPaths", "linux", &spec->readonly_paths, err);
	if (r < 0)
		return r;
	r = parse_sysctls(json_object_get(linux_object, "sysctl"), spec, err);
	if (r < 0)
		return r;
	r = spec_member_string(linux_object, "cgroupsPath", "linux", &spec->cgroups_path, err);
	if (r < 0)
		return r;
	return spec_parse_resources(json_object_get(linux_object, "resources"), spec, err);
}
