/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_profile.c - policies from JSON
 *
 * docker's format is OCI's `linux.seccomp` with conditions on top: `archMap` instead of
 * `architectures`, and `includes` and `excludes` in each entry of `syscalls` for capabilities,
 * architecture and kernel version. An entry whose conditions do not hold is skipped, and so is a
 * system call's name that nobody knows; a word that is part of the format must be right.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/capability.h>

#include "base/alloc.h"
#include "base/parse.h"
#include "base/strbuf.h"
#include "runtime/seccomp_internal.h"

#define ARGS_IN_JSON_MAX 64
#define ERRNO_MAX 4095

static int invalid(struct error *err, const char *what, const char *value)
{
	return err_set(err, ERR_INVALID, 0, "seccomp profile: %s '%s'", what, value);
}

/* A member that may be absent: 0 and *ret_value NULL. */
static int optional(const json_t *object, const char *key, json_type type, const json_t **ret_value,
		    struct error *err)
{
	const json_t *value = json_object_get(object, key);

	*ret_value = NULL;
	if (!value || json_is_null(value))
		return 0;
	if (json_typeof(value) != type)
		return invalid(err, "wrong type of", key);
	*ret_value = value;
	return 0;
}

static int optional_string(const json_t *object, const char *key, const char **ret_text,
			   struct error *err)
{
	const json_t *value = NULL;
	int r = optional(object, key, JSON_STRING, &value, err);

	*ret_text = value ? json_string_value(value) : NULL;
	return r;
}

/* ---- words of the format ---- */

static int parse_errno(const json_t *object, const char *key, bool *ret_given, uint32_t *ret_errno,
		       struct error *err)
{
	const json_t *value = NULL;
	int r = optional(object, key, JSON_INTEGER, &value, err);

	*ret_given = value != NULL;
	*ret_errno = EPERM;
	if (r < 0 || !value)
		return r;
	if (json_integer_value(value) < 0 || json_integer_value(value) > ERRNO_MAX)
		return invalid(err, "out of range:", key);
	*ret_errno = (uint32_t)json_integer_value(value);
	return 0;
}

static int parse_action(const json_t *object, const char *key, const char *errno_key,
			uint32_t *ret_action, struct error *err)
{
	static const struct {
		const char *name;
		uint32_t action;
		bool has_data;
	} actions[] = {
		{"SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD, false},
		{"SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD, false},
		{"SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS, false},
		{"SCMP_ACT_TRAP", SECCOMP_RET_TRAP, false},
		{"SCMP_ACT_ERRNO", SECCOMP_RET_ERRNO, true},
		{"SCMP_ACT_TRACE", SECCOMP_RET_TRACE, true},
		{"SCMP_ACT_LOG", SECCOMP_RET_LOG, false},
		{"SCMP_ACT_ALLOW", SECCOMP_RET_ALLOW, false},
	};
	const char *name = NULL;
	uint32_t number;
	bool given;
	int r;

	r = optional_string(object, key, &name, err);
	if (r < 0)
		return r;
	if (!name)
		return invalid(err, "missing", key);
	r = parse_errno(object, errno_key, &given, &number, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (strcmp(actions[i].name, name) != 0)
			continue;
		if (given && !actions[i].has_data)
			return err_set(err, ERR_INVALID, 0,
				       "seccomp profile: %s cannot be used with '%s'", errno_key,
				       name);
		*ret_action = actions[i].action | (actions[i].has_data ? number : 0);
		return 0;
	}
	if (strcmp(name, "SCMP_ACT_NOTIFY") == 0)
		return err_set(err, ERR_UNAVAILABLE, 0,
			       "seccomp profile: SCMP_ACT_NOTIFY needs a listener, which is not "
			       "supported");
	return invalid(err, "unknown action", name);
}

static int parse_operator(const char *name, enum scmp_compare *ret_op, struct error *err)
{
	static const struct {
		const char *name;
		enum scmp_compare op;
	} operators[] = {
		{"SCMP_CMP_NE", SCMP_CMP_NE},
		{"SCMP_CMP_LT", SCMP_CMP_LT},
		{"SCMP_CMP_LE", SCMP_CMP_LE},
		{"SCMP_CMP_EQ", SCMP_CMP_EQ},
		{"SCMP_CMP_GE", SCMP_CMP_GE},
		{"SCMP_CMP_GT", SCMP_CMP_GT},
		{"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ},
	};

	for (size_t i = 0; i < ARRAY_SIZE(operators); i++) {
		if (strcmp(operators[i].name, name) == 0) {
			*ret_op = operators[i].op;
			return 0;
		}
	}
	return invalid(err, "unknown operator", name);
}

static int add_arch(struct seccomp_plan *plan, const json_t *value, struct error *err)
{
	const char *name = json_string_value(value);
	uint32_t arch;

	if (!name)
		return invalid(err, "wrong type of", "architecture");
	if (seccomp_arch_by_name(name, &arch) < 0)
		return invalid(err, "unknown architecture", name);
	seccomp_plan_add_arch(plan, arch);
	return 0;
}

static int add_arches(struct seccomp_plan *plan, const json_t *list, struct error *err)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		int r = add_arch(plan, json_array_get(list, i), err);

		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- one entry of `syscalls` ---- */

/* Numbers up to 2^64 - 1 are written; what is above 2^63 - 1 the JSON reader refuses earlier. */
static int parse_number(const json_t *object, const char *key, uint64_t *ret_number,
			struct error *err)
{
	const json_t *value = NULL;
	int r = optional(object, key, JSON_INTEGER, &value, err);

	*ret_number = 0;
	if (r < 0 || !value)
		return r;
	if (json_integer_value(value) < 0)
		return invalid(err, "out of range:", key);
	*ret_number = (uint64_t)json_integer_value(value);
	return 0;
}

static int parse_arg(const json_t *value, struct seccomp_arg *ret_arg, struct error *err)
{
	struct seccomp_arg arg = {0};
	const char *op = NULL;
	uint64_t index;
	int r;

	if (!json_is_object(value))
		return invalid(err, "wrong type of", "args");
	r = parse_number(value, "index", &index, err);
	if (r < 0)
		return r;
	if (index >= SECCOMP_ARGS_MAX)
		return invalid(err, "out of range:", "index");
	arg.index = (unsigned int)index;
	r = parse_number(value, "value", &arg.value, err);
	if (r < 0)
		return r;
	r = parse_number(value, "valueTwo", &arg.datum, err);
	if (r < 0)
		return r;
	r = optional_string(value, "op", &op, err);
	if (r < 0)
		return r;
	if (!op)
		return invalid(err, "missing", "op");
	r = parse_operator(op, &arg.op, err);
	if (r < 0)
		return r;
	*ret_arg = arg;
	return 0;
}

static int parse_args(const json_t *call, struct seccomp_arg *args, size_t *ret_count,
		      struct error *err)
{
	const json_t *list = NULL;
	int r;

	*ret_count = 0;
	r = optional(call, "args", JSON_ARRAY, &list, err);
	if (r < 0)
		return r;
	if (json_array_size(list) > ARGS_IN_JSON_MAX)
		return invalid(err, "too many", "args");
	for (size_t i = 0; i < json_array_size(list); i++) {
		r = parse_arg(json_array_get(list, i), &args[i], err);
		if (r < 0)
			return r;
	}
	*ret_count = json_array_size(list);
	return 0;
}

/* A name that could not be a system call's is one that nobody knows. */
static bool is_word(const char *name)
{
	return *name && strspn(name, "abcdefghijklmnopqrstuvwxyz"
				     "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "0123456789_") == strlen(name);
}

static void add_name(struct strbuf *names, const char *name)
{
	if (!is_word(name))
		return;
	if (names->len > 0)
		strbuf_addc(names, ' ');
	strbuf_adds(names, name);
}

/* `names`, or the older `name`. */
static int parse_names(const json_t *call, struct strbuf *names, struct error *err)
{
	const json_t *list = NULL;
	const char *name = NULL;
	int r;

	r = optional(call, "names", JSON_ARRAY, &list, err);
	if (r < 0)
		return r;
	r = optional_string(call, "name", &name, err);
	if (r < 0)
		return r;
	if (name && json_array_size(list) > 0)
		return err_set(err, ERR_INVALID, 0,
			       "seccomp profile: both 'name' and 'names' in one entry");
	if (name)
		add_name(names, name);
	for (size_t i = 0; i < json_array_size(list); i++) {
		name = json_string_value(json_array_get(list, i));
		if (!name)
			return invalid(err, "wrong type of", "names");
		add_name(names, name);
	}
	return 0;
}

static int add_call(struct seccomp_plan *plan, const json_t *call, struct error *err)
{
	auto_(strbuf_release) struct strbuf names = {0};
	struct seccomp_arg args[ARGS_IN_JSON_MAX];
	uint32_t action = SECCOMP_RET_KILL_THREAD;
	size_t arg_count = 0;
	int r;

	r = parse_names(call, &names, err);
	if (r < 0)
		return r;
	r = parse_action(call, "action", "errnoRet", &action, err);
	if (r < 0)
		return r;
	r = parse_args(call, args, &arg_count, err);
	if (r < 0 || names.len == 0)
		return r;
	r = seccomp_plan_add(plan, strbuf_text(&names), action, args, arg_count);
	if (r == -E2BIG)
		return err_set(err, ERR_INVALID, 0, "seccomp profile: more than %d rules",
			       SECCOMP_RULES_MAX);
	return r < 0 ? err_set(err, ERR_INTERNAL, -r, "seccomp profile: rule refused") : 0;
}

/* ---- docker's conditions ---- */

struct conditions {
	uint64_t capabilities;
	unsigned int kernel;
};

/* How many of the list's words hold. */
static int count_arches(const json_t *list, size_t *ret_holding, struct error *err)
{
	const char *native = seccomp_arch_go_name(seccomp_arch_native());

	*ret_holding = 0;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name = json_string_value(json_array_get(list, i));

		if (!name)
			return invalid(err, "wrong type of", "arches");
		*ret_holding += strcmp(name, native) == 0;
	}
	return 0;
}

/* A capability that this system does not know is one that nobody has. */
static int count_capabilities(const json_t *list, uint64_t capabilities, size_t *ret_holding,
			      struct error *err)
{
	*ret_holding = 0;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name = json_string_value(json_array_get(list, i));
		cap_value_t value;

		if (!name)
			return invalid(err, "wrong type of", "caps");
		if (cap_from_name(name, &value) == 0 && value >= 0 && value < 64)
			*ret_holding += (capabilities >> value) & 1;
	}
	return 0;
}

/* "4.8": 1, 0, or an error. */
static int kernel_is_at_least(const char *text, unsigned int kernel, struct error *err)
{
	auto_free char *major = xstrdup(text);
	char *minor = strchr(major, '.');
	uint32_t a, b;

	if (minor)
		*minor++ = '\0';
	if (!minor || parse_u32(major, &a) < 0 || parse_u32(minor, &b) < 0 || a > 1000 || b > 999)
		return invalid(err, "invalid minKernel", text);
	return kernel >= a * 1000 + b;
}

/* For each kind: whether any of what is listed holds, and whether all of it does. */
struct findings {
	bool any_arch, any_cap, kernel;
	bool all_caps;
	bool names_arches, names_kernel;
};

static int look_at_filter(const json_t *filter, const struct conditions *at,
			  struct findings *ret_findings, struct error *err)
{
	const json_t *arches = NULL, *caps = NULL;
	const char *kernel = NULL;
	size_t holding;
	int r;

	r = optional(filter, "arches", JSON_ARRAY, &arches, err);
	if (r < 0)
		return r;
	r = optional(filter, "caps", JSON_ARRAY, &caps, err);
	if (r < 0)
		return r;
	r = optional_string(filter, "minKernel", &kernel, err);
	if (r < 0)
		return r;

	r = count_arches(arches, &holding, err);
	if (r < 0)
		return r;
	ret_findings->names_arches = json_array_size(arches) > 0;
	ret_findings->any_arch = holding > 0;
	r = count_capabilities(caps, at->capabilities, &holding, err);
	if (r < 0)
		return r;
	ret_findings->any_cap = holding > 0;
	ret_findings->all_caps = holding == json_array_size(caps);
	ret_findings->names_kernel = kernel && *kernel;
	r = ret_findings->names_kernel ? kernel_is_at_least(kernel, at->kernel, err) : 0;
	if (r < 0)
		return r;
	ret_findings->kernel = r;
	return 0;
}

/* 1 when the entry applies, 0 when not. */
static int applies(const json_t *call, const struct conditions *at, struct error *err)
{
	const json_t *includes = NULL, *excludes = NULL;
	struct findings f = {0};
	int r;

	r = optional(call, "includes", JSON_OBJECT, &includes, err);
	if (r < 0)
		return r;
	r = optional(call, "excludes", JSON_OBJECT, &excludes, err);
	if (r < 0)
		return r;
	if (excludes) {
		r = look_at_filter(excludes, at, &f, err);
		if (r < 0)
			return r;
		if (f.any_arch || f.any_cap || f.kernel)
			return 0;
	}
	if (!includes)
		return 1;
	r = look_at_filter(includes, at, &f, err);
	if (r < 0)
		return r;
	return (!f.names_arches || f.any_arch) && f.all_caps && (!f.names_kernel || f.kernel);
}

/* Adds the architectures that archMap gives to this machine's own. */
static int add_arch_map(struct seccomp_plan *plan, const json_t *map, struct error *err)
{
	for (size_t i = 0; i < json_array_size(map); i++) {
		const json_t *item = json_array_get(map, i), *others = NULL;
		const char *name = NULL;
		uint32_t arch;
		int r;

		if (!json_is_object(item))
			return invalid(err, "wrong type of", "archMap");
		r = optional_string(item, "architecture", &name, err);
		if (r < 0)
			return r;
		r = optional(item, "subArchitectures", JSON_ARRAY, &others, err);
		if (r < 0)
			return r;
		if (!name || seccomp_arch_by_name(name, &arch) < 0)
			return invalid(err, "unknown architecture", name ? name : "");
		if (arch != seccomp_arch_native())
			continue;
		r = add_arches(plan, others, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- whole documents ---- */

static int parse_flags(const json_t *object, struct seccomp_plan *plan, struct error *err)
{
	static const struct {
		const char *name;
		unsigned int flag;
	} flags[] = {
		{"SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC},
		{"SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG},
		{"SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW},
	};
	const json_t *list = NULL;
	int r;

	r = optional(object, "flags", JSON_ARRAY, &list, err);
	if (r < 0)
		return r;
	/* Nothing said: no mitigation that slows the container down, as runc decided. */
	if (!list)
		plan->flags = SECCOMP_FILTER_FLAG_SPEC_ALLOW;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name = json_string_value(json_array_get(list, i));
		size_t k = 0;

		while (name && k < ARRAY_SIZE(flags) && strcmp(flags[k].name, name) != 0)
			k++;
		if (!name || k == ARRAY_SIZE(flags))
			return invalid(err, "unknown flag", name ? name : "");
		plan->flags |= flags[k].flag;
	}
	return 0;
}

/* What the two formats have in common, but for `syscalls`. */
static int parse_head(const json_t *object, struct seccomp_plan *plan, const json_t **ret_calls,
		      struct error *err)
{
	const json_t *arches = NULL;
	int r;

	if (!json_is_object(object))
		return err_set(err, ERR_INVALID, 0, "seccomp profile: not a JSON object");
	if (json_object_get(object, "listenerPath"))
		return err_set(err, ERR_UNAVAILABLE, 0,
			       "seccomp profile: listenerPath is not supported");
	r = parse_action(object, "defaultAction", "defaultErrnoRet", &plan->default_action, err);
	if (r < 0)
		return r;
	r = parse_flags(object, plan, err);
	if (r < 0)
		return r;
	r = optional(object, "architectures", JSON_ARRAY, &arches, err);
	if (r < 0)
		return r;
	r = add_arches(plan, arches, err);
	if (r < 0)
		return r;
	return optional(object, "syscalls", JSON_ARRAY, ret_calls, err);
}

static int fill_plan(const json_t *object, const struct conditions *conditions,
		     struct seccomp_plan *plan, struct error *err)
{
	const json_t *calls = NULL, *map = NULL;
	int r;

	r = parse_head(object, plan, &calls, err);
	if (r < 0)
		return r;
	if (conditions) {
		r = optional(object, "archMap", JSON_ARRAY, &map, err);
		if (r < 0)
			return r;
		if (map && json_array_size(json_object_get(object, "architectures")) > 0)
			return err_set(err, ERR_INVALID, 0,
				       "seccomp profile: both 'architectures' and 'archMap'");
		r = add_arch_map(plan, map, err);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < json_array_size(calls); i++) {
		const json_t *call = json_array_get(calls, i);

		if (!json_is_object(call))
			return invalid(err, "wrong type of", "syscalls");
		r = conditions ? applies(call, conditions, err) : 1;
		if (r > 0)
			r = add_call(plan, call, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int make_plan(const json_t *object, const struct conditions *conditions,
		     struct seccomp_plan *ret_plan, struct error *err)
{
	int r;

	seccomp_plan_init(ret_plan);
	r = fill_plan(object, conditions, ret_plan, err);
	if (r < 0)
		seccomp_plan_release(ret_plan);
	return r;
}

int seccomp_profile_plan(const json_t *profile, uint64_t capabilities, unsigned int kernel,
			 struct seccomp_plan *ret_plan, struct error *err)
{
	struct conditions conditions = {.capabilities = capabilities, .kernel = kernel};

	return make_plan(profile, &conditions, ret_plan, err);
}

int seccomp_oci_plan(const json_t *seccomp, struct seccomp_plan *ret_plan, struct error *err)
{
	return make_plan(seccomp, NULL, ret_plan, err);
}
