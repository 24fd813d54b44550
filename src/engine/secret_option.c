/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/secret_option.h"

#include <string.h>

#include "base/alloc.h"
#include "base/parse.h"
#include "runtime/launch.h"
#include "runtime/secret.h"
#include "storage/secret_record.h"

#define SECRETS_MAX 256
#define MODE_MAX 07777
#define ID_MAX ((uint32_t)INT32_MAX)

struct secret_option {
	char *name;
	struct runtime_secret secret; /* `file` is not set */
};

static void secret_option_release(struct secret_option *option)
{
	free(option->name);
	runtime_secret_release(&option->secret);
	*option = (struct secret_option){0};
}

DEFINE_CLEANUP_VALUE(struct secret_option, secret_option_release);

static int set_type(const char *value, struct secret_option *option)
{
	option->secret.is_variable = strcmp(value, "env") == 0;
	return option->secret.is_variable || strcmp(value, "mount") == 0 ? 0 : -EINVAL;
}

static int set_target(const char *value, struct secret_option *option)
{
	free(option->secret.target);
	option->secret.target = xstrdup(value);
	return 0;
}

static int set_source(const char *value, struct secret_option *option)
{
	free(option->name);
	option->name = xstrdup(value);
	return *value ? 0 : -EINVAL;
}

static int set_uid(const char *value, struct secret_option *option)
{
	return parse_u32(value, &option->secret.uid) < 0 || option->secret.uid > ID_MAX ? -EINVAL
											: 0;
}

static int set_gid(const char *value, struct secret_option *option)
{
	return parse_u32(value, &option->secret.gid) < 0 || option->secret.gid > ID_MAX ? -EINVAL
											: 0;
}

static int set_mode(const char *value, struct secret_option *option)
{
	return parse_octal(value, &option->secret.mode) < 0 || option->secret.mode > MODE_MAX
		       ? -EINVAL
		       : 0;
}

static const struct {
	const char *key;
	int (*set)(const char *value, struct secret_option *option);
} settings[] = {
	{"gid", set_gid},       {"mode", set_mode}, {"source", set_source},
	{"target", set_target}, {"type", set_type}, {"uid", set_uid},
};

static int apply(const char *text, struct secret_option *option)
{
	const char *equals = strchr(text, '=');

	if (!equals)
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		if (strlen(settings[i].key) == (size_t)(equals - text) &&
		    strncmp(settings[i].key, text, (size_t)(equals - text)) == 0)
			return settings[i].set(equals + 1, option);
	return -EINVAL;
}

/* A relative target is a file of the tmpfs itself: it has no directories. */
static int check_target(const struct secret_option *option, const char *text, struct error *err)
{
	const struct runtime_secret *secret = &option->secret;
	const char *target = secret->target;

	if (!*target || strcmp(target, ".") == 0 || strcmp(target, "..") == 0 ||
	    (secret->is_variable ? strpbrk(target, "=\n") != NULL
				 : *target != '/' && strchr(target, '/') != NULL))
		return err_set(err, ERR_INVALID, 0, "invalid --secret '%s': target '%s'", text,
			       target);
	if (secret->is_variable && (secret->uid || secret->gid || secret->mode != SECRET_MODE))
		return err_set(err, ERR_INVALID, 0,
			       "invalid --secret '%s': UID, GID, Mode options cannot be set with "
			       "secret type env",
			       text);
	return 0;
}

static int parse(const char *text, struct secret_option *ret_option, struct error *err)
{
	auto_(secret_option_release) struct secret_option option = {
		.secret = {.mode = SECRET_MODE}};
	auto_(strv_release) struct strv words = {0};
	int r;

	strv_split(&words, text, ',');
	for (size_t i = 0; i < words.count; i++) {
		if (i == 0 && !strchr(words.items[0], '='))
			r = set_source(words.items[0], &option);
		else
			r = apply(words.items[i], &option);
		if (r < 0)
			return err_set(err, ERR_INVALID, 0, "invalid --secret '%s': '%s'", text,
				       words.items[i]);
	}
	if (!option.name)
		return err_set(err, ERR_INVALID, 0, "invalid --secret '%s': no secret name", text);
	if (!option.secret.target)
		option.secret.target = xstrdup(option.name);
	option.secret.name = xstrdup(option.name);
	r = check_target(&option, text, err);
	if (r < 0)
		return r;
	*ret_option = option;
	option = (struct secret_option){0};
	return 0;
}

/* Two of them cannot be the same file or variable. */
static int claim_place(const struct secret_option *option, struct strv *places, struct error *err)
{
	const struct runtime_secret *secret = &option->secret;
	bool elsewhere = !secret->is_variable && secret->target[0] == '/';
	auto_free char *place = xasprintf("%s%s", secret->is_variable ? "$" : "",
					  elsewhere ? secret->name : secret->target);

	if (strv_has(places, place) || (elsewhere && strv_has(places, secret->target)))
		return err_set(err, ERR_INVALID, 0, "Duplicate secret target: %s", secret->target);
	strv_add(places, place);
	if (elsewhere)
		strv_add(places, secret->target);
	return 0;
}

int secret_options_check(struct engine *engine, const struct strv *texts, struct error *err)
{
	auto_(strv_release) struct strv places = {0};
	struct store *store;
	int r;

	if (texts->count == 0)
		return 0;
	if (texts->count > SECRETS_MAX)
		return err_set(err, ERR_INVALID, E2BIG, "more than %d secrets", SECRETS_MAX);
	r = engine_store(engine, &store, err);
	for (size_t i = 0; r >= 0 && i < texts->count; i++) {
		auto_(secret_record_release) struct secret_record record = {0};
		auto_(secret_option_release) struct secret_option option = {0};

		r = parse(texts->items[i], &option, err);
		if (r >= 0)
			r = secret_record_find(store, option.name, &record, err);
		if (r >= 0)
			r = claim_place(&option, &places, err);
	}
	return r < 0 ? r : 0;
}

int secret_options_link(struct engine *engine, const struct strv *texts, int dir_fd,
			struct error *err)
{
	struct store *store;
	int r = 0;

	if (texts->count == 0)
		return 0;
	r = engine_store(engine, &store, err);
	for (size_t i = 0; r >= 0 && i < texts->count; i++) {
		auto_(secret_record_release) struct secret_record record = {0};
		auto_(secret_option_release) struct secret_option option = {0};
		auto_free char *file = xasprintf(SECRET_FILE_FORMAT, i);

		r = parse(texts->items[i], &option, err);
		if (r >= 0)
			r = secret_record_find(store, option.name, &record, err);
		if (r >= 0)
			r = secret_record_link(store, &record, dir_fd, file, err);
	}
	return r < 0 ? r : 0;
}

int secret_options_apply(const struct strv *texts, struct launch *launch, struct error *err)
{
	int r = 0;

	if (texts->count == 0)
		return 0;
	launch->secrets = xcalloc(texts->count, sizeof(*launch->secrets));
	for (size_t i = 0; r >= 0 && i < texts->count; i++) {
		auto_(secret_option_release) struct secret_option option = {0};

		r = parse(texts->items[i], &option, err);
		if (r < 0)
			break;
		launch->secrets[launch->secret_count++] = option.secret;
		option.secret = (struct runtime_secret){0};
		launch->secrets[i].file = xasprintf(SECRET_FILE_FORMAT, i);
	}
	return r < 0 ? r : 0;
}
