/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/oci_config.h"

#include <string.h>

#include "base/alloc.h"
#include "base/parse.h"
#include "engine/capability_list.h"
#include "engine/oci_internal.h"
#include "engine/ulimit_spec.h"

void oci_append(json_t *array, const char *text)
{
	(void)json_array_append_new(array, json_string_nocheck(text));
}

void oci_environment(const struct container_config *config, struct strv *ret_env)
{
	strv_add(ret_env, OCI_PATH_DEFAULT);
	if (config->hostname)
		strv_addf(ret_env, "HOSTNAME=%s", config->hostname);
	if (config->tty)
		strv_add(ret_env, "TERM=xterm");
	for (size_t i = 0; i < config->env.count; i++) {
		const char *item = config->env.items[i];
		const char *equals = strchr(item, '=');
		auto_free char *key = NULL;

		if (!equals)
			continue;
		key = xstrndup(item, (size_t)(equals - item));
		strv_env_set(ret_env, key, equals + 1);
	}
}

/* What the record says of a variable counts. */
static void add_link_environment(const struct strv *link_env, struct strv *env)
{
	for (size_t i = 0; link_env && i < link_env->count; i++) {
		const char *item = link_env->items[i];
		auto_free char *key = xstrndup(item, strcspn(item, "="));

		if (!strv_env_find(env, key))
			strv_add(env, item);
	}
}

/* Plain numbers as they are; names are for the runtime, which reads the container's files. */
static json_t *process_user(const char *user)
{
	const char *colon = user ? strchr(user, ':') : NULL;
	auto_free char *uid_text = NULL;
	uint32_t uid = 0, gid = 0;

	if (user) {
		uid_text = xstrndup(user, colon ? (size_t)(colon - user) : SIZE_MAX);
		if (parse_u32(uid_text, &uid) < 0)
			uid = 0;
		if (colon && parse_u32(colon + 1, &gid) < 0)
			gid = 0;
	}
	return json_pack("{s:I, s:I}", "uid", (json_int_t)uid, "gid", (json_int_t)gid);
}

static json_t *process_capabilities(uint64_t set)
{
	json_t *object = json_object();
	json_t *names = capability_set_to_json(set);

	(void)json_object_set(object, "bounding", names);
	(void)json_object_set(object, "effective", names);
	(void)json_object_set(object, "permitted", names);
	(void)json_object_set_new(object, "inheritable", json_array());
	(void)json_object_set_new(object, "ambient", json_array());
	json_decref(names);
	return object;
}

/* 2^64-1 does not fit into a JSON integer here; the runtime takes -1 for it. */
static json_t *rlimit_value(rlim_t value)
{
	return value == RLIM_INFINITY ? json_integer(-1) : json_integer((json_int_t)value);
}

static int process_rlimits(const struct strv *ulimits, json_t **ret_array, struct error *err)
{
	auto_(json_decref) json_t *array = json_array();
	int r;

	for (size_t i = 0; i < ulimits->count; i++) {
		struct ulimit_spec spec;
		json_t *object;

		r = ulimit_spec_parse(ulimits->items[i], &spec, err);
		if (r < 0)
			return r;
		object = json_object();
		json_set_string(object, "type", spec.oci);
		(void)json_object_set_new(object, "soft", rlimit_value(spec.soft));
		(void)json_object_set_new(object, "hard", rlimit_value(spec.hard));
		(void)json_array_append_new(array, object);
	}
	*ret_array = TAKE_PTR(array);
	return 0;
}

int oci_process(const struct oci_input *in, json_t **ret_process, struct error *err)
{
	const struct container_config *c = in->config;
	auto_(json_decref) json_t *process = json_object();
	auto_(strv_release) struct strv args = {0};
	auto_(strv_release) struct strv env = {0};
	json_t *rlimits;
	int r;

	strv_add_all(&args, &c->entrypoint);
	strv_add_all(&args, &c->cmd);
	oci_environment(c, &env);
	add_link_environment(in->link_env, &env);
	if (c->tty)
		(void)json_object_set_new(process, "terminal", json_true());
	(void)json_object_set_new(process, "user", process_user(c->user));
	(void)json_object_set_new(process, "args", json_from_strv(&args));
	(void)json_object_set_new(process, "env", json_from_strv(&env));
	json_set_string(process, "cwd", c->workdir ? c->workdir : "/");
	(void)json_object_set_new(process, "capabilities", process_capabilities(in->capabilities));
	if (c->ulimits.count) {
		r = process_rlimits(&c->ulimits, &rlimits, err);
		if (r < 0)
			return r;
		(void)json_object_set_new(process, "rlimits", rlimits);
	}
	if (c->oom_score_adj)
		(void)json_object_set_new(process, "oomScoreAdj", json_integer(c->oom_score_adj));
	(void)json_object_set_new(process, "noNewPrivileges", json_boolean(c->no_new_privileges));
	*ret_process = TAKE_PTR(process);
	return 0;
}

int oci_config_build(const struct oci_input *in, json_t **ret_config, struct error *err)
{
	auto_(json_decref) json_t *config = json_object();
	json_t *part;
	int r;

	json_set_string(config, "ociVersion", OCI_VERSION);
	r = oci_process(in, &part, err);
	if (r < 0)
		return r;
	(void)json_object_set_new(config, "process", part);
	part = json_object();
	json_set_string(part, "path", "rootfs");
	(void)json_object_set_new(part, "readonly", json_boolean(in->config->read_only));
	(void)json_object_set_new(config, "root", part);
	if (in->config->hostname && !in->config->uts_mode)
		json_set_string(config, "hostname", in->config->hostname);
	if (in->config->domainname)
		json_set_string(config, "domainname", in->config->domainname);
	if (in->config->annotations.count)
		(void)json_object_set_new(config, "annotations", oci_map(&in->config->annotations));
	(void)json_object_set_new(config, "mounts", oci_mounts(in));
	r = oci_linux(in, &part, err);
	if (r < 0)
		return r;
	(void)json_object_set_new(config, "linux", part);
	*ret_config = TAKE_PTR(config);
	return 0;
}
