/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <string.h>

#include "base/alloc.h"
#include "base/parse.h"
#include "base/path.h"
#include "base/signal_name.h"
#include "engine/create_internal.h"
#include "engine/health_option.h"
#include "image/image_config.h"
#include "runtime/restart_policy.h"

#define USER_MAX_BYTES 512
#define ID_MAX ((uint32_t)INT32_MAX - 1)

static bool has_control(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	return false;
}

/*
 * Docker's rules: an entry point on the command line discards the image's command too, and an
 * empty one leaves only what follows the image.
 */
static int merge_command(const struct create_request *q, const struct image_config *image,
			 struct container_config *c, struct error *err)
{
	strv_copy(&c->cmd, &q->args);
	if (q->entrypoint_set) {
		if (q->entrypoint && *q->entrypoint)
			strv_add(&c->entrypoint, q->entrypoint);
	} else {
		strv_copy(&c->entrypoint, &image->entrypoint);
		if (q->args.count == 0)
			strv_copy(&c->cmd, &image->cmd);
	}
	if (c->entrypoint.count + c->cmd.count == 0)
		return err_set(err, ERR_INVALID, 0, "no command specified");
	return 0;
}

static bool env_has_key(const struct strv *env, const char *item)
{
	size_t len = strcspn(item, "=");

	for (size_t i = 0; i < env->count; i++)
		if (strncmp(env->items[i], item, len) == 0 &&
		    (env->items[i][len] == '=' || !env->items[i][len]))
			return true;
	return false;
}

/* The request's variables first, then those of the image that it does not mention. */
static int merge_env(const struct create_request *q, const struct image_config *image,
		     struct container_config *c, struct error *err)
{
	for (size_t i = 0; i < q->env.count; i++) {
		const char *item = q->env.items[i];
		const char *equals = strchr(item, '=');
		auto_free char *key = NULL;

		if (!*item || equals == item)
			return err_set(err, ERR_INVALID, 0, "invalid environment variable: %s",
				       item);
		if (!equals)
			continue; /* a name alone only hides the image's */
		key = xstrndup(item, (size_t)(equals - item));
		strv_env_set(&c->env, key, equals + 1);
	}
	for (size_t i = 0; i < image->env.count; i++)
		if (strchr(image->env.items[i], '=') && !env_has_key(&q->env, image->env.items[i]))
			strv_add(&c->env, image->env.items[i]);
	return 0;
}

static int merge_labels(const struct create_request *q, const struct image_config *image,
			struct container_config *c, struct error *err)
{
	strv_copy(&c->labels, &image->labels);
	for (size_t i = 0; i < q->labels.count; i++) {
		const char *item = q->labels.items[i];
		size_t len = strcspn(item, "=");
		auto_free char *key = xstrndup(item, len);

		if (len == 0)
			return err_set(err, ERR_INVALID, 0, "invalid label '%s': empty name", item);
		strv_env_set(&c->labels, key, item[len] ? item + len + 1 : "");
	}
	return 0;
}

/* Digits are always a number; anything else is a name that the container's own files must know. */
static int check_identity(const char *text, const char *whole, struct error *err)
{
	uint32_t id;

	if (!*text)
		return err_set(err, ERR_INVALID, 0, "invalid user '%s': empty name", whole);
	if (!strchr("0123456789+-", text[0]))
		return 0;
	if (strspn(text, "+-0123456789") != strlen(text))
		return 0;
	if (parse_u32(text, &id) < 0 || id > ID_MAX)
		return err_set(err, ERR_INVALID, 0,
			       "invalid user '%s': uids and gids must be in range 0-%u", whole,
			       ID_MAX);
	return 0;
}

static int check_user(const char *user, struct error *err)
{
	const char *colon = strchr(user, ':');
	auto_free char *name = xstrndup(user, colon ? (size_t)(colon - user) : SIZE_MAX);
	int r;

	if (strlen(user) > USER_MAX_BYTES || has_control(user) || strchr(user, '/'))
		return err_set(err, ERR_INVALID, 0,
			       "invalid user: longer than %d bytes, or with characters that no "
			       "user name has",
			       USER_MAX_BYTES);
	/* ":group" alone is root with that group. */
	r = *name ? check_identity(name, user, err) : 0;
	if (r < 0 || !colon)
		return r;
	if (strchr(colon + 1, ':'))
		return err_set(err, ERR_INVALID, 0, "invalid user '%s'", user);
	return check_identity(colon + 1, user, err);
}

static int merge_user(const struct create_request *q, const struct image_config *image,
		      struct container_config *c, struct error *err)
{
	const char *user = q->user && *q->user ? q->user : image->user;

	if (!user || !*user)
		return 0;
	c->user = xstrdup(user);
	return check_user(user, err);
}

static int merge_workdir(const struct create_request *q, const struct image_config *image,
			 struct container_config *c, struct error *err)
{
	const char *workdir = q->workdir && *q->workdir ? q->workdir : image->working_dir;

	if (!workdir || !*workdir)
		return 0;
	if (workdir[0] != '/')
		return err_set(err, ERR_INVALID, 0,
			       "the working directory '%s' is invalid, it needs to be an absolute "
			       "path",
			       workdir);
	if (strlen(workdir) >= PATH_MAX || has_control(workdir))
		return err_set(err, ERR_INVALID, 0,
			       "the working directory is invalid: too long, or with control "
			       "characters");
	c->workdir = path_clean(workdir);
	return 0;
}

static int merge_stop(const struct create_request *q, const struct image_config *image,
		      struct container_config *c, struct error *err)
{
	const char *signal = q->stop_signal && *q->stop_signal ? q->stop_signal
							       : image->stop_signal;
	int64_t timeout_s = q->stop_timeout_s >= 0 ? q->stop_timeout_s : image->stop_timeout_s;
	int r;

	if (signal && *signal) {
		r = signal_name_parse(signal, err);
		if (r < 0)
			return r;
		c->stop_signal = xstrdup(signal);
	}
	if (timeout_s >= 0) {
		c->stop_timeout_set = true;
		c->stop_timeout_s = timeout_s;
	}
	return 0;
}

static int merge_restart(const struct create_request *q, struct container_config *c,
			 struct error *err)
{
	struct restart_policy policy;
	int r;

	r = restart_policy_parse(q->restart, &policy, err);
	if (r < 0 || policy.kind == RESTART_NO)
		return r;
	if (q->auto_remove)
		return err_set(err, ERR_INVALID, 0,
			       "conflicting options: cannot specify both --restart and --rm");
	c->restart = xstrdup(q->restart);
	return 0;
}

int create_process(const struct create_request *q, const struct image_config *image,
		   struct container_config *c, struct error *err)
{
	int r;

	r = merge_command(q, image, c, err);
	if (r < 0)
		return r;
	r = merge_env(q, image, c, err);
	if (r < 0)
		return r;
	r = merge_labels(q, image, c, err);
	if (r < 0)
		return r;
	r = merge_user(q, image, c, err);
	if (r < 0)
		return r;
	r = merge_workdir(q, image, c, err);
	if (r < 0)
		return r;
	r = merge_stop(q, image, c, err);
	if (r < 0)
		return r;
	r = merge_restart(q, c, err);
	if (r < 0)
		return r;
	r = health_options_merge(q, image, c, err);
	if (r < 0)
		return r;
	c->tty = q->tty;
	c->open_stdin = q->open_stdin;
	c->stdin_once = q->stdin_once;
	c->attach_stdin = q->attach_stdin;
	c->attach_stdout = q->attach_stdout;
	c->attach_stderr = q->attach_stderr;
	c->init = q->init;
	c->auto_remove = q->auto_remove;
	c->read_only = q->read_only;
	c->cidfile = xstrdup_or_null(q->cidfile);
	return 0;
}
