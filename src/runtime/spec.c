/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/spec.h"

#include <string.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "runtime/spec_internal.h"
#include "runtime/state.h"

static int wrong_type(const char *where, const char *key, const char *wanted, struct error *err)
{
	return err_set(err, ERR_INVALID, EINVAL, "config.json: %s%s%s must be %s", where,
		       *where ? "." : "", key, wanted);
}

int spec_member_string(const json_t *object, const char *key, const char *where, char **ret_text,
		       struct error *err)
{
	const json_t *value = json_object_get(object, key);

	if (!value)
		return 0;
	if (!json_is_string(value))
		return wrong_type(where, key, "a string", err);
	if (strlen(json_string_value(value)) != json_string_length(value))
		return wrong_type(where, key, "without NUL", err);
	free(*ret_text);
	*ret_text = xstrdup(json_string_value(value));
	return 0;
}

int spec_member_strv(const json_t *object, const char *key, const char *where,
		     struct strv *ret_list, struct error *err)
{
	const json_t *array = json_object_get(object, key);
	const json_t *item;
	size_t i;

	if (!array)
		return 0;
	if (!json_is_array(array))
		return wrong_type(where, key, "an array of strings", err);
	json_array_foreach (array, i, item) {
		if (!json_is_string(item) ||
		    strlen(json_string_value(item)) != json_string_length(item) ||
		    json_string_length(item) >= SPEC_MAX_ARG_BYTES)
			return wrong_type(where, key, "an array of strings", err);
		strv_add(ret_list, json_string_value(item));
	}
	return 0;
}

int spec_member_int(const json_t *object, const char *key, const char *where, int64_t min,
		    int64_t max, int64_t *value, struct error *err)
{
	const json_t *member = json_object_get(object, key);

	if (!member)
		return 0;
	if (!json_is_integer(member))
		return wrong_type(where, key, "an integer", err);
	if (json_integer_value(member) < min || json_integer_value(member) > max)
		return err_set(err, ERR_INVALID, ERANGE,
			       "config.json: %s%s%s is out of range: %lld", where,
			       *where ? "." : "", key, (long long)json_integer_value(member));
	*value = json_integer_value(member);
	return 0;
}

int spec_member_bool(const json_t *object, const char *key, const char *where, bool *value,
		     struct error *err)
{
	const json_t *member = json_object_get(object, key);

	if (!member)
		return 0;
	if (!json_is_boolean(member))
		return wrong_type(where, key, "true or false", err);
	*value = json_is_true(member);
	return 0;
}

static int parse_root(const json_t *root, struct spec *spec, struct error *err)
{
	int r;

	if (!json_is_object(root))
		return wrong_type("", "root", "an object", err);
	r = spec_member_string(root, "path", "root", &spec->root_path, err);
	if (r < 0)
		return r;
	return spec_member_bool(root, "readonly", "root", &spec->root_readonly, err);
}

static int parse_names(const json_t *config, struct spec *spec, struct error *err)
{
	int r;

	r = spec_member_string(config, "hostname", "", &spec->hostname, err);
	if (r < 0)
		return r;
	r = spec_member_string(config, "domainname", "", &spec->domainname, err);
	if (r < 0)
		return r;
	if ((spec->hostname && strlen(spec->hostname) > 64) ||
	    (spec->domainname && strlen(spec->domainname) > 64))
		return err_set(err, ERR_INVALID, ENAMETOOLONG,
			       "config.json: hostname is longer than 64 bytes");
	return 0;
}

static bool is_empty(const json_t *value)
{
	return !value || json_is_null(value) ||
	       (json_is_object(value) && json_object_size(value) == 0) ||
	       (json_is_array(value) && json_array_size(value) == 0) ||
	       (json_is_string(value) && json_string_length(value) == 0);
}

int spec_refuse_members(const json_t *object, const char *where, const char *const *names,
			size_t count, struct error *err)
{
	for (size_t i = 0; i < count; i++)
		if (!is_empty(json_object_get(object, names[i])))
			return err_set(err, ERR_UNAVAILABLE, EOPNOTSUPP,
				       "config.json: %s%s%s is not supported", where,
				       *where ? "." : "", names[i]);
	return 0;
}

static int parse_annotations(const json_t *annotations, struct spec *spec, struct error *err)
{
	const char *key;
	json_t *value;

	if (!annotations)
		return 0;
	if (!json_is_object(annotations))
		return wrong_type("", "annotations", "an object of strings", err);
	json_object_foreach ((json_t *)annotations, key, value)
		if (!json_is_string(value))
			return wrong_type("annotations", key, "a string", err);
	spec->annotations = json_incref((json_t *)annotations);
	return 0;
}

/* Properties that would change what runs, and that we do not do. */
static const char *const other_systems[] = {"vm", "solaris", "windows", "zos"};

static int parse_all(const json_t *config, struct spec *spec, struct error *err)
{
	int r;

	if (!json_is_object(config))
		return err_set(err, ERR_INVALID, EINVAL, "config.json: not an object");
	r = spec_refuse_members(config, "", other_systems, ARRAY_SIZE(other_systems), err);
	if (r < 0)
		return r;
	r = parse_annotations(json_object_get(config, "annotations"), spec, err);
	if (r < 0)
		return r;
	r = spec_parse_hooks(json_object_get(config, "hooks"), spec, err);
	if (r < 0)
		return r;
	r = parse_root(json_object_get(config, "root"), spec, err);
	if (r < 0)
		return r;
	r = parse_names(config, spec, err);
	if (r < 0)
		return r;
	r = spec_parse_process(json_object_get(config, "process"), spec, err);
	if (r < 0)
		return r;
	r = spec_parse_mounts(json_object_get(config, "mounts"), spec, err);
	if (r < 0)
		return r;
	return spec_parse_linux(json_object_get(config, "linux"), spec, err);
}

int spec_parse(const json_t *config, struct spec *ret_spec, struct error *err)
{
	auto_(spec_release) struct spec spec = {.umask = 022};
	int r;

	cgroup_limits_init(&spec.limits);
	r = parse_all(config, &spec, err);
	if (r < 0)
		return r;
	*ret_spec = spec;
	spec = (struct spec){0};
	return 0;
}

int spec_load(int bundle_fd, struct spec *ret_spec, struct error *err)
{
	auto_(json_decref) json_t *config = NULL;
	auto_free char *text = NULL;
	size_t len;
	int r;

	r = fd_read_file_at(bundle_fd, CONFIG_FILE_NAME, JSON_MAX_BYTES, &text, &len);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "read %s", CONFIG_FILE_NAME);
	r = json_parse(text, len, CONFIG_FILE_NAME, &config, err);
	if (r < 0)
		return r;
	return spec_parse(config, ret_spec, err);
}

static void mounts_release(struct spec *spec)
{
	for (size_t i = 0; i < spec->mount_count; i++) {
		struct spec_mount *m = &spec->mounts[i];

		free(m->destination);
		free(m->type);
		free(m->source);
		strv_release(&m->data);
		free(m->uid_map);
		free(m->gid_map);
	}
	free(spec->mounts);
}

void spec_release(struct spec *spec)
{
	mounts_release(spec);
	for (size_t i = 0; i < spec->device_count; i++)
		free(spec->devices[i].path);
	free(spec->devices);
	for (size_t i = 0; i < SPEC_NS_COUNT; i++)
		free(spec->namespace_paths[i]);
	id_map_release(&spec->uids);
	id_map_release(&spec->gids);
	strv_release(&spec->args);
	strv_release(&spec->env);
	strv_release(&spec->masked_paths);
	strv_release(&spec->readonly_paths);
	strv_release(&spec->sysctls);
	free(spec->groups);
	free(spec->cwd);
	free(spec->rlimits);
	free(spec->root_path);
	free(spec->hostname);
	free(spec->domainname);
	free(spec->cgroups_path);
	free((char *)spec->limits.cpuset_cpus);
	free((char *)spec->limits.cpuset_mems);
	free(spec->device_rules);
	free(spec->io_limits);
	free(spec->tuning.apparmor_profile);
	spec_hooks_release(spec);
	json_decref(spec->annotations);
	*spec = (struct spec){0};
}
