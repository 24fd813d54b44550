/* SPDX-License-Identifier: Apache-2.0 */
#include "image/image_config.h"

#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/sha256.h"
#include "base/strbuf.h"

void image_config_release(struct image_config *config)
{
	free(config->architecture);
	free(config->os);
	free(config->variant);
	free(config->author);
	free(config->user);
	free(config->working_dir);
	free(config->stop_signal);
	strv_release(&config->env);
	strv_release(&config->entrypoint);
	strv_release(&config->cmd);
	strv_release(&config->on_build);
	strv_release(&config->shell);
	strv_release(&config->volumes);
	strv_release(&config->labels);
	strv_release(&config->exposed_ports);
	strv_release(&config->diff_ids);
	json_decref(config->healthcheck);
	json_decref(config->history);
	*config = (struct image_config){0};
}

static int bad(struct error *err, const char *member, const char *why)
{
	return err_set(err, ERR_INVALID, 0, "image configuration: \"%.100s\" %s", member, why);
}

/* A text without NUL in it and of bounded length. Jansson gives both pointer and length. */
static int check_text(const json_t *value, const char *member, struct error *err)
{
	if (!json_is_string(value))
		return bad(err, member, "is not a string");
	if (json_string_length(value) > IMAGE_CONFIG_MAX_TEXT)
		return bad(err, member, "is too long");
	if (strlen(json_string_value(value)) != json_string_length(value))
		return bad(err, member, "contains a NUL");
	return 0;
}

/* Absent and null leave *ret_text alone. */
static int get_text(const json_t *object, const char *member, char **ret_text, struct error *err)
{
	const json_t *value = json_object_get(object, member);
	int r;

	if (!value || json_is_null(value))
		return 0;
	r = check_text(value, member, err);
	if (r < 0)
		return r;
	free(*ret_text);
	*ret_text = xstrdup(json_string_value(value));
	return 0;
}

static int get_list(const json_t *object, const char *member, struct strv *ret_list,
		    struct error *err)
{
	const json_t *array = json_object_get(object, member);
	const json_t *item;
	size_t i;
	int r;

	if (!array || json_is_null(array))
		return 0;
	if (!json_is_array(array))
		return bad(err, member, "is not a list");
	if (json_array_size(array) > IMAGE_CONFIG_MAX_ITEMS)
		return bad(err, member, "has too many elements");
	json_array_foreach (array, i, item) {
		r = check_text(item, member, err);
		if (r < 0)
			return r;
		strv_add(ret_list, json_string_value(item));
	}
	return 0;
}

/* The members of an object: its keys, or "key=value" when the values are texts. */
static int get_map(const json_t *object, const char *member, bool with_values,
		   struct strv *ret_list, struct error *err)
{
	json_t *map = json_object_get(object, member);
	const char *key;
	json_t *value;
	int r;

	if (!map || json_is_null(map))
		return 0;
	if (!json_is_object(map))
		return bad(err, member, "is not an object");
	if (json_object_size(map) > IMAGE_CONFIG_MAX_ITEMS)
		return bad(err, member, "has too many members");
	json_object_foreach (map, key, value) {
		if (strlen(key) > IMAGE_CONFIG_MAX_TEXT)
			return bad(err, member, "has a key that is too long");
		if (!with_values) {
			strv_add(ret_list, key);
			continue;
		}
		r = check_text(value, member, err);
		if (r < 0)
			return r;
		strv_addf(ret_list, "%s=%s", key, json_string_value(value));
	}
	return 0;
}

/* A bare KEY must never inherit the host's value (CVE-2026-57231): it is dropped. */
static int get_env(const json_t *object, struct strv *ret_env, struct error *err)
{
	auto_(strv_release) struct strv all = {0};
	int r;

	r = get_list(object, "Env", &all, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < all.count; i++) {
		const char *equals = strchr(all.items[i], '=');

		if (equals && equals != all.items[i])
			strv_add(ret_env, all.items[i]);
	}
	return 0;
}

static int get_volumes(const json_t *object, struct strv *ret_volumes, struct error *err)
{
	int r;

	r = get_map(object, "Volumes", /* with_values= */ false, ret_volumes, err);
	for (size_t i = 0; r >= 0 && i < ret_volumes->count; i++)
		if (ret_volumes->items[i][0] != '/')
			r = bad(err, "Volumes", "has a path that is not absolute");
	return r;
}

static int get_timeout(const json_t *object, int64_t *ret_seconds, struct error *err)
{
	const json_t *value = json_object_get(object, "StopTimeout");

	if (!value || json_is_null(value))
		return 0;
	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
	    json_integer_value(value) > INT32_MAX)
		return bad(err, "StopTimeout", "is not a number of seconds");
	*ret_seconds = json_integer_value(value);
	return 0;
}

static int get_healthcheck(const json_t *object, json_t **ret_healthcheck, struct error *err)
{
	json_t *value = json_object_get(object, "Healthcheck");

	if (!value || json_is_null(value))
		return 0;
	if (!json_is_object(value))
		return bad(err, "Healthcheck", "is not an object");
	*ret_healthcheck = json_incref(value);
	return 0;
}

static int parse_process(const json_t *object, struct image_config *config, struct error *err)
{
	const struct {
		const char *member;
		char **text;
	} texts[] = {
		{"User", &config->user},
		{"WorkingDir", &config->working_dir},
		{"StopSignal", &config->stop_signal},
	};
	const struct {
		const char *member;
		struct strv *list;
	} lists[] = {
		{"Entrypoint", &config->entrypoint},
		{"Cmd", &config->cmd},
		{"OnBuild", &config->on_build},
		{"Shell", &config->shell},
	};
	int r;

	r = get_env(object, &config->env, err);
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(texts); i++)
		r = get_text(object, texts[i].member, texts[i].text, err);
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(lists); i++)
		r = get_list(object, lists[i].member, lists[i].list, err);
	if (r >= 0)
		r = get_volumes(object, &config->volumes, err);
	if (r >= 0)
		r = get_map(object, "Labels", /* with_values= */ true, &config->labels, err);
	if (r >= 0)
		r = get_map(object, "ExposedPorts", /* with_values= */ false,
			    &config->exposed_ports, err);
	if (r >= 0)
		r = get_timeout(object, &config->stop_timeout_s, err);
	if (r >= 0)
		r = get_healthcheck(object, &config->healthcheck, err);
	return r;
}

static int parse_rootfs(const json_t *root, struct image_config *config, struct error *err)
{
	const json_t *rootfs = json_object_get(root, "rootfs");
	const char *type = json_get_string(rootfs, "type", "layers");
	int r;

	if (!json_is_object(rootfs))
		return bad(err, "rootfs", "is missing");
	if (strcmp(type, "layers") != 0)
		return bad(err, "rootfs", "is of an unknown type");
	r = get_list(rootfs, "diff_ids", &config->diff_ids, err);
	if (r < 0)
		return r;
	if (config->diff_ids.count > IMAGE_CONFIG_MAX_LAYERS)
		return bad(err, "diff_ids", "has too many layers");
	for (size_t i = 0; i < config->diff_ids.count; i++)
		if (!digest_is_valid(config->diff_ids.items[i]))
			return bad(err, "diff_ids", "has something that is no sha256 digest");
	return 0;
}

static int parse_about(const json_t *root, struct image_config *config, struct error *err)
{
	auto_free char *created = NULL;
	json_t *history = json_object_get(root, "history");
	int r;

	r = get_text(root, "architecture", &config->architecture, err);
	if (r >= 0)
		r = get_text(root, "os", &config->os, err);
	if (r >= 0)
		r = get_text(root, "variant", &config->variant, err);
	if (r >= 0)
		r = get_text(root, "author", &config->author, err);
	if (r >= 0)
		r = get_text(root, "created", &created, err);
	if (r < 0)
		return r;
	if (created && clock_parse(created, &config->created_ns) < 0)
		config->created_ns = 0; /* docker accepts any; it is for show */
	if (!config->architecture || !config->os || !config->architecture[0] || !config->os[0])
		return bad(err, config->os ? "architecture" : "os", "is missing");
	if (history && !json_is_null(history)) {
		if (!json_is_array(history) || json_array_size(history) > IMAGE_CONFIG_MAX_ITEMS)
			return bad(err, "history", "is not a list of bounded length");
		config->history = json_incref(history);
	}
	return 0;
}

int image_config_parse(const char *text, size_t len, struct image_config *ret_config,
		       struct error *err)
{
	auto_(image_config_release) struct image_config config = {.stop_timeout_s = -1};
	auto_(json_decref) json_t *root = NULL;
	const json_t *process;
	int r;

	r = json_parse(text, len, "image configuration", &root, err);
	if (r < 0)
		return r;
	if (!json_is_object(root))
		return err_set(err, ERR_INVALID, 0, "image configuration: not a JSON object");
	/* A manifest must not pass as a configuration, nor the other way round (CVE-2021-41190). */
	if (json_object_get(root, "layers") || json_object_get(root, "manifests"))
		return err_set(err, ERR_INVALID, 0,
			       "image configuration: has members of a manifest");
	r = parse_about(root, &config, err);
	if (r >= 0)
		r = parse_rootfs(root, &config, err);
	if (r < 0)
		return r;
	process = json_object_get(root, "config");
	if (process && !json_is_null(process)) {
		if (!json_is_object(process))
			return bad(err, "config", "is not an object");
		r = parse_process(process, &config, err);
		if (r < 0)
			return r;
	}
	*ret_config = config;
	config = (struct image_config){0};
	return 0;
}

void image_config_chain_ids(const struct image_config *config, struct strv *ret_chain_ids)
{
	for (size_t i = 0; i < config->diff_ids.count; i++) {
		const char *diff_id = config->diff_ids.items[i];
		char digest[DIGEST_TEXT_LEN + 1];
		auto_free char *pair = NULL;

		if (i == 0) {
			strv_add(ret_chain_ids, diff_id);
			continue;
		}
		pair = xasprintf("%s %s", ret_chain_ids->items[ret_chain_ids->count - 1], diff_id);
		sha256_of(pair, strlen(pair), digest);
		strv_add(ret_chain_ids, digest);
	}
}
