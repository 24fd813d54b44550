/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/oci_bundle.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "runtime/spec.h"
#include "runtime/state.h"

static int not_valid(const char *what, struct error *err)
{
	return err_set(err, ERR_INVALID, EINVAL, "config.json: %s", what);
}

/* ---- paths ---- */

static void make_absolute(json_t *object, const char *key, const char *bundle)
{
	const char *path = json_get_string(object, key, NULL);
	auto_free char *joined = NULL, *clean = NULL;

	if (!path || !*path)
		return;
	joined = *path == '/' ? xstrdup(path) : xasprintf("%s/%s", bundle, path);
	clean = path_clean(joined);
	json_set_string(object, key, clean);
}

static bool is_bind(const json_t *mount)
{
	const json_t *options = json_object_get(mount, "options"), *item;
	size_t i;

	if (strcmp(json_get_string(mount, "type", ""), "bind") == 0)
		return true;
	json_array_foreach (options, i, item) {
		const char *word = json_string_value(item);

		if (word && (strcmp(word, "bind") == 0 || strcmp(word, "rbind") == 0))
			return true;
	}
	return false;
}

/* A source with ".." is resolved by the kernel, links and all: only binds from the bundle are joined. */
static void normalize_mounts(json_t *mounts, const char *bundle)
{
	json_t *mount;
	size_t i;

	json_array_foreach (mounts, i, mount) {
		const char *source = json_get_string(mount, "source", "");

		if (is_bind(mount) && *source && *source != '/') {
			auto_free char *joined = xasprintf("%s/%s", bundle, source);

			json_set_string(mount, "source", joined);
		}
	}
}

/* "slice:prefix:name" is for systemd, which makes it; anything else is a path. */
static int normalize_cgroup(json_t *config, const char *id, struct error *err)
{
	json_t *linux_object = json_object_get(config, "linux");
	const char *path = json_get_string(linux_object, "cgroupsPath", "");
	auto_free char *text = NULL, *clean = NULL;

	if (!json_is_object(linux_object))
		return not_valid("linux is missing", err);
	text = *path ? xasprintf("/%s", path) : xasprintf("/skiff-%s", id);
	/* Never followed, and never quietly something else than what was said. */
	if (strstr(text, "/../") ||
	    (strlen(text) >= 3 && strcmp(text + strlen(text) - 3, "/..") == 0))
		return not_valid("linux.cgroupsPath must not contain '..'", err);
	clean = path_clean(text);
	if (strcmp(clean, "/") == 0)
		return not_valid("linux.cgroupsPath is the root of all cgroups", err);
	json_set_string(linux_object, "cgroupsPath", clean);
	return 0;
}

/* ---- limits ---- */

/* What engines write when they mean that there is no such limit. */
static const struct nothing {
	const char *group, *key;
	bool minus_one; /* -1 too */
} nothings[] = {
	{"memory", "limit", false},
	{"memory", "reservation", false},
	{"memory", "swap", false},
	{"memory", "kernel", true},
	{"memory", "kernelTCP", true},
	{"cpu", "shares", false},
	{"cpu", "quota", false},
	{"cpu", "period", false},
	{"cpu", "realtimeRuntime", false},
	{"cpu", "realtimePeriod", false},
	{"cpu", "burst", false},
	{"cpu", "cpus", false},
	{"cpu", "mems", false},
	{"pids", "limit", false},
	{"blockIO", "weight", false},
	{"blockIO", "leafWeight", false},
	{"network", "classID", false},
	{"network", "priorities", false},
};

static bool says_nothing(const json_t *value, bool minus_one)
{
	if (json_is_integer(value))
		return json_integer_value(value) == 0 ||
		       (minus_one && json_integer_value(value) == -1);
	return json_is_null(value) || (json_is_string(value) && json_string_length(value) == 0) ||
	       (json_is_array(value) && json_array_size(value) == 0);
}

static void drop_empty(json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (json_is_null(value) || (json_is_object(value) && json_object_size(value) == 0) ||
	    (json_is_array(value) && json_array_size(value) == 0))
		(void)json_object_del(object, key);
}

void oci_resources_normalize(json_t *resources)
{
	static const char *const groups[] = {"hugepageLimits", "network", "rdma", "unified"};

	for (size_t i = 0; i < ARRAY_SIZE(nothings); i++) {
		json_t *group = json_object_get(resources, nothings[i].group);
		const json_t *value = json_object_get(group, nothings[i].key);

		if (value && says_nothing(value, nothings[i].minus_one))
			(void)json_object_del(group, nothings[i].key);
	}
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		drop_empty(resources, groups[i]);
}

/* ---- checks ---- */

static int check_version(const json_t *config, struct error *err)
{
	const char *version = json_get_string(config, "ociVersion", "");

	if (strncmp(version, "1.", 2) != 0)
		return err_set(err, ERR_INVALID, EINVAL,
			       "config.json: ociVersion '%s' is not one of 1.x", version);
	return 0;
}

int oci_config_normalize(json_t *config, const char *path, const char *id, struct error *err)
{
	json_t *root = json_object_get(config, "root");
	int r;

	if (!json_is_object(config))
		return not_valid("not an object", err);
	r = check_version(config, err);
	if (r < 0)
		return r;
	if (!json_get_string(root, "path", NULL))
		return not_valid("root.path is missing", err);
	make_absolute(root, "path", path);
	normalize_mounts(json_object_get(config, "mounts"), path);
	r = normalize_cgroup(config, id, err);
	if (r < 0)
		return r;
	oci_resources_normalize(json_object_get(json_object_get(config, "linux"), "resources"));
	return 0;
}

static bool begins(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Whose namespace a sysctl belongs to (namespaces(7)); SPEC_NS_COUNT: nobody's. */
static enum spec_namespace sysctl_namespace(const char *setting)
{
	static const char *const ipc[] = {
		"kernel/msgmax=", "kernel/msgmnb=",          "kernel/msgmni=",
		"kernel/sem=",    "kernel/shmall=",          "kernel/shmmax=",
		"kernel/shmmni=", "kernel/shm_rmid_forced=", "fs/mqueue/",
	};

	for (size_t i = 0; i < ARRAY_SIZE(ipc); i++)
		if (begins(setting, ipc[i]))
			return SPEC_NS_IPC;
	if (begins(setting, "net/"))
		return SPEC_NS_NETWORK;
	if (begins(setting, "kernel/domainname=") || begins(setting, "kernel/hostname="))
		return SPEC_NS_UTS;
	return SPEC_NS_COUNT;
}

int oci_spec_check(const struct spec *spec, struct error *err)
{
	for (size_t i = 0; i < spec->sysctls.count; i++) {
		const char *setting = spec->sysctls.items[i];
		enum spec_namespace ns = sysctl_namespace(setting);

		if (ns == SPEC_NS_COUNT || spec->namespaces[ns] == SPEC_NS_HOST)
			return err_set(
				err, ERR_INVALID, EINVAL,
				"config.json: sysctl '%.*s' is not in a separate kernel namespace",
				(int)strcspn(setting, "="), setting);
	}
	if ((spec->hostname || spec->domainname) && spec->namespaces[SPEC_NS_UTS] == SPEC_NS_HOST)
		return not_valid("unable to set hostname without a private UTS namespace", err);
	if (spec->limits.cpu_shares != CGROUP_UNSET &&
	    (spec->limits.cpu_shares < 2 || spec->limits.cpu_shares > 262144))
		return err_set(err, ERR_INVALID, ERANGE,
			       "config.json: cpu shares must be between 2 and 262144, not %lld",
			       (long long)spec->limits.cpu_shares);
	return 0;
}

/* ---- files ---- */

void oci_bundle_release(struct oci_bundle *bundle)
{
	free(bundle->path);
	json_decref(bundle->config);
	*bundle = (struct oci_bundle){0};
}

/*
 * Go writes "unlimited" as the largest of 64 bits, which is no number to Jansson. -1 says the same everywhere
 * in the document. The length stays.
 */
static void rewrite_unlimited(char *text)
{
	static const char largest[] = "18446744073709551615";
	bool in_string = false;

	for (char *p = text; *p; p++) {
		if (in_string && *p == '\\' && p[1]) {
			p++;
		} else if (*p == '"') {
			in_string = !in_string;
		} else if (!in_string && strncmp(p, largest, strlen(largest)) == 0) {
			memset(p, ' ', strlen(largest));
			memcpy(p, "-1", 2);
		}
	}
}

static int read_config(const char *path, json_t **ret_config, struct error *err)
{
	auto_close int dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_free char *text = NULL;
	size_t len = 0;
	int r;

	if (dir_fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "open bundle '%s'", path);
	r = fd_read_file_at(dir_fd, CONFIG_FILE_NAME, JSON_MAX_BYTES, &text, &len);
	if (r == -ENOENT)
		return err_set(err, ERR_NOT_FOUND, ENOENT,
			       "JSON specification file config.json not found");
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "read %s of bundle '%s'", CONFIG_FILE_NAME,
			       path);
	rewrite_unlimited(text);
	return json_parse(text, len, CONFIG_FILE_NAME, ret_config, err);
}

int oci_bundle_load(const char *path, const char *id, struct oci_bundle *ret_bundle,
		    struct error *err)
{
	auto_(oci_bundle_release) struct oci_bundle bundle = {0};
	int r;

	bundle.path = realpath(path && *path ? path : ".", NULL);
	if (!bundle.path)
		return err_set(err, ERR_SYSTEM, errno, "bundle '%s'", path);
	r = read_config(bundle.path, &bundle.config, err);
	if (r == 0)
		r = oci_config_normalize(bundle.config, bundle.path, id, err);
	if (r < 0)
		return r;
	*ret_bundle = bundle;
	bundle = (struct oci_bundle){0};
	return 0;
}
