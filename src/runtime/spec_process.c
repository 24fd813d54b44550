/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <sys/capability.h>
#include <sys/resource.h>

#include "base/alloc.h"
#include "runtime/spec_internal.h"

#define ID_MAX                                                                                     \
	INT32_MAX /* (uid_t)-1 means "nobody asked"; above 2^31-2 old interfaces go wrong          \
		   */

static const struct rlimit_name {
	const char *name;
	int resource;
} rlimit_names[] = {
	{"RLIMIT_AS", RLIMIT_AS},
	{"RLIMIT_CORE", RLIMIT_CORE},
	{"RLIMIT_CPU", RLIMIT_CPU},
	{"RLIMIT_DATA", RLIMIT_DATA},
	{"RLIMIT_FSIZE", RLIMIT_FSIZE},
	{"RLIMIT_LOCKS", RLIMIT_LOCKS},
	{"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
	{"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
	{"RLIMIT_NICE", RLIMIT_NICE},
	{"RLIMIT_NOFILE", RLIMIT_NOFILE},
	{"RLIMIT_NPROC", RLIMIT_NPROC},
	{"RLIMIT_RSS", RLIMIT_RSS},
	{"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
	{"RLIMIT_RTTIME", RLIMIT_RTTIME},
	{"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
	{"RLIMIT_STACK", RLIMIT_STACK},
};

static int parse_id(const json_t *user, const char *key, uint32_t *ret_id, struct error *err)
{
	int64_t value = 0;
	int r;

	r = spec_member_int(user, key, "process.user", 0, ID_MAX - 1, &value, err);
	if (r == 0)
		*ret_id = (uint32_t)value;
	return r;
}

static int parse_user(const json_t *user, struct spec *spec, struct error *err)
{
	const json_t *groups = json_object_get(user, "additionalGids");
	const json_t *item;
	int64_t umask_value = spec->umask;
	size_t i;
	int r;

	r = parse_id(user, "uid", &spec->uid, err);
	if (r < 0)
		return r;
	r = parse_id(user, "gid", &spec->gid, err);
	if (r < 0)
		return r;
	r = spec_member_int(user, "umask", "process.user", 0, 0777, &umask_value, err);
	if (r < 0)
		return r;
	spec->umask = (mode_t)umask_value;
	if (!groups)
		return 0;
	if (!json_is_array(groups) || json_array_size(groups) > SPEC_MAX_GROUPS)
		return err_set(err, ERR_INVALID, EINVAL,
			       "config.json: process.user.additionalGids must be a short array");
	spec->groups = xcalloc(json_array_size(groups), sizeof(*spec->groups));
	json_array_foreach (groups, i, item) {
		json_int_t gid = json_integer_value(item);

		if (!json_is_integer(item) || gid < 0 || gid >= ID_MAX)
			return err_set(
				err, ERR_INVALID, EINVAL,
				"config.json: process.user.additionalGids[%zu] is no group id", i);
		spec->groups[spec->group_count++] = (gid_t)gid;
	}
	return 0;
}

static int parse_capability_set(const json_t *capabilities, const char *key, uint64_t *ret_set,
				struct error *err)
{
	const json_t *array = json_object_get(capabilities, key);
	const json_t *item;
	uint64_t set = 0;
	size_t i;

	json_array_foreach (array, i, item) {
		const char *name = json_string_value(item);
		cap_value_t value;

		if (!name || cap_from_name(name, &value) < 0)
			return err_set(
				err, ERR_INVALID, EINVAL,
				"config.json: process.capabilities.%s: unknown capability '%s'",
				key, name ? name : "");
		set |= UINT64_C(1) << value;
	}
	*ret_set = set;
	return 0;
}

static int parse_capabilities(const json_t *object, struct spec_capabilities *caps,
			      struct error *err)
{
	int r;

	r = parse_capability_set(object, "bounding", &caps->bounding, err);
	if (r < 0)
		return r;
	r = parse_capability_set(object, "effective", &caps->effective, err);
	if (r < 0)
		return r;
	r = parse_capability_set(object, "permitted", &caps->permitted, err);
	if (r < 0)
		return r;
	r = parse_capability_set(object, "inheritable", &caps->inheritable, err);
	if (r < 0)
		return r;
	return parse_capability_set(object, "ambient", &caps->ambient, err);
}

static const struct rlimit_name *find_rlimit(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(rlimit_names); i++)
		if (strcmp(rlimit_names[i].name, name) == 0)
			return &rlimit_names[i];
	return NULL;
}

/* RLIM_INFINITY is 2^64-1, which Jansson can only give as a real or -1; engines write -1 or that.
 */
static uint64_t rlimit_value(const json_t *value)
{
	if (json_is_real(value))
		return RLIM_INFINITY;
	return (uint64_t)json_integer_value(value);
}

static int parse_rlimits(const json_t *array, struct spec *spec, struct error *err)
{
	const json_t *item;
	size_t i;

	if (!array)
		return 0;
	if (json_array_size(array) > ARRAY_SIZE(rlimit_names))
		return err_set(err, ERR_INVALID, EINVAL, "config.json: too many process.rlimits");
	spec->rlimits = xcalloc(json_array_size(array), sizeof(*spec->rlimits));
	json_array_foreach (array, i, item) {
		const struct rlimit_name *name = find_rlimit(json_get_string(item, "type", ""));
		const json_t *soft = json_object_get(item, "soft");
		const json_t *hard = json_object_get(item, "hard");

		if (!name || !json_is_number(soft) || !json_is_number(hard))
			return err_set(err, ERR_INVALID, EINVAL,
				       "config.json: process.rlimits[%zu] is not valid", i);
		spec->rlimits[spec->rlimit_count++] = (struct spec_rlimit){
			.resource = name->resource,
			.soft = rlimit_value(soft),
			.hard = rlimit_value(hard),
			.name = name->name,
		};
	}
	return 0;
}

static int parse_command(const json_t *process, struct spec *spec, struct error *err)
{
	int r;

	r = spec_member_bool(process, "terminal", "process", &spec->terminal, err);
	if (r < 0)
		return r;
	r = spec_member_strv(process, "args", "process", &spec->args, err);
	if (r < 0)
		return r;
	if (spec->args.count == 0)
		return err_set(err, ERR_INVALID, EINVAL, "config.json: process.args is empty");
	r = spec_member_strv(process, "env", "process", &spec->env, err);
	if (r < 0)
		return r;
	r = spec_member_string(process, "cwd", "process", &spec->cwd, err);
	if (r < 0)
		return r;
	if (!spec->cwd || spec->cwd[0] != '/')
		return err_set(err, ERR_INVALID, EINVAL,
			       "config.json: process.cwd must be an absolute path");
	return 0;
}

static int parse_console_size(const json_t *size, struct spec *spec, struct error *err)
{
	int64_t rows = 0, cols = 0;
	int r;

	r = spec_member_int(size, "height", "process.consoleSize", 0, UINT16_MAX, &rows, err);
	if (r == 0)
		r = spec_member_int(size, "width", "process.consoleSize", 0, UINT16_MAX, &cols,
				    err);
	spec->console_rows = (uint16_t)rows;
	spec->console_cols = (uint16_t)cols;
	return r;
}

int spec_parse_process(const json_t *process, struct spec *spec, struct error *err)
{
	int64_t oom_score_adj = 0;
	int r;

	if (!json_is_object(process))
		return err_set(err, ERR_INVALID, EINVAL, "config.json: process is missing");
	r = parse_command(process, spec, err);
	if (r < 0)
		return r;
	r = parse_user(json_object_get(process, "user"), spec, err);
	if (r < 0)
		return r;
	r = parse_capabilities(json_object_get(process, "capabilities"), &spec->capabilities, err);
	if (r < 0)
		return r;
	r = parse_rlimits(json_object_get(process, "rlimits"), spec, err);
	if (r < 0)
		return r;
	r = spec_member_bool(process, "noNewPrivileges", "process", &spec->no_new_privileges, err);
	if (r < 0)
		return r;
	r = spec_parse_tuning(process, &spec->tuning, err);
	if (r < 0)
		return r;
	r = parse_console_size(json_object_get(process, "consoleSize"), spec, err);
	if (r < 0)
		return r;
	spec->has_oom_score_adj = json_object_get(process, "oomScoreAdj") != NULL;
	r = spec_member_int(process, "oomScoreAdj", "process", -1000, 1000, &oom_score_adj, err);
	if (r < 0)
		return r;
	spec->oom_score_adj = (int)oom_score_adj;
	return 0;
}
