/* SPDX-License-Identifier: Apache-2.0 */
/* log_context.c - what a log says of its container: see log_option.h */
#include <regex.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "engine/container_internal.h"
#include "engine/log_option.h"
#include "runtime/launch.h"
#include "template/template.h"

/* ---- labels and variables ---- */

static bool is_named(const char *list, const char *item)
{
	size_t len = strcspn(item, "=");

	while (list && *list) {
		size_t n = strcspn(list, ",");

		if (n == len && strncmp(list, item, len) == 0)
			return true;
		list += n + (list[n] == ',');
	}
	return false;
}

static bool is_matched(const regex_t *pattern, const char *item)
{
	auto_free char *key = xstrndup(item, strcspn(item, "="));

	return pattern && regexec(pattern, key, 0, NULL, 0) == 0;
}

/* Those of `pairs` that the options `list_key` and `regex_key` ask for. */
static void select_pairs(const struct strv *options, const char *list_key, const char *regex_key,
			 const struct strv *pairs, struct strv *ret_attributes)
{
	const char *list = strv_env_find(options, list_key);
	const char *regex = strv_env_find(options, regex_key);
	regex_t pattern;
	bool has_pattern = regex && regcomp(&pattern, regex, REG_EXTENDED | REG_NOSUB) == 0;

	for (size_t i = 0; i < pairs->count; i++)
		if (is_named(list, pairs->items[i]) ||
		    is_matched(has_pattern ? &pattern : NULL, pairs->items[i]))
			strv_add(ret_attributes, pairs->items[i]);
	if (has_pattern)
		regfree(&pattern);
}

/* ---- tag ---- */

static const char *after_colon(const char *text)
{
	const char *colon = text ? strchr(text, ':') : NULL;

	return colon ? colon + 1 : text ? text : "";
}

/* docker's log tag fields. */
static json_t *tag_data(const struct container *c)
{
	const char *image_id = c->record.image_id ? c->record.image_id : "";
	auto_free char *short_id = xstrndup(c->record.id, 12);
	auto_free char *short_image = xstrndup(after_colon(image_id), 12);
	json_t *data = json_object();

	json_set_string(data, "ID", short_id);
	json_set_string(data, "FullID", c->record.id);
	json_set_string(data, "Name", c->record.name);
	json_set_string(data, "ImageID", short_image);
	json_set_string(data, "ImageFullID", image_id);
	json_set_string(data, "ImageName", c->record.image_ref);
	json_set_string(data, "Command", c->record.command);
	json_set_string(data, "DaemonName", "skiff");
	return data;
}

static int make_tag(const struct container *c, const char *text, char **ret_tag, struct error *err)
{
	auto_(template_free) struct template *template = NULL;
	auto_(json_decref) json_t *value = tag_data(c);
	auto_(strbuf_release) struct strbuf tag = {0};
	const struct template_data data = {.value = value};
	int r;

	r = template_parse(text, &template, err);
	if (r >= 0)
		r = template_run(template, &data, &tag, err);
	if (r < 0)
		return err_wrap(err, r, "log opt 'tag'");
	*ret_tag = strbuf_take(&tag);
	return 0;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int log_context_apply(const struct container *c, struct launch *launch, struct error *err)
{
	struct log_context *context = &launch->log_context;
	const struct strv *options = &c->config.log_opts;
	const char *tag = strv_env_find(options, "tag");
	bool is_remote = launch->log_driver == LOG_DRIVER_JOURNALD ||
			 launch->log_driver == LOG_DRIVER_SYSLOG;
	int r = 0;

	if (options->count == 0 && !is_remote)
		return 0;
	select_pairs(options, "labels", "labels-regex", &c->config.labels, &context->attributes);
	select_pairs(options, "env", "env-regex", &c->config.env, &context->attributes);
	if (is_remote || (tag && *tag))
		r = make_tag(c, tag && *tag ? tag : "{{.ID}}", &context->tag, err);
	if (r < 0)
		return r;
	if (!is_remote && context->tag)
		strv_addf(&context->attributes, "tag=%s", context->tag);
	if (context->attributes.count)
		qsort(context->attributes.items, context->attributes.count,
		      sizeof(*context->attributes.items), compare_texts);
	context->id = xstrdup(c->record.id);
	context->name = xstrdup(c->record.name);
	context->image = xstrdup_or_null(c->record.image_ref);
	return 0;
}
