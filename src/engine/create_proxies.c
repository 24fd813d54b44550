/* SPDX-License-Identifier: Apache-2.0 */
/*
 * create_proxies() - the proxies that docker's config.json has for containers
 *
 *	{"proxies": {"default": {"httpProxy": "http://proxy:3128", "noProxy": "localhost"}}}
 *
 * docker's client puts them into the environment of each container it makes, in capitals and in small
 * letters, unless -e says something of that variable; an image's variable gives way. inspect shows
 * them, as docker's does.
 */
#include <ctype.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/create_internal.h"
#include "trust/auth_file.h"
#include "trust/trust_paths.h"

static const struct {
	const char *member, *variable;
} proxies[] = {
	{"httpProxy", "HTTP_PROXY"}, {"httpsProxy", "HTTPS_PROXY"}, {"noProxy", "NO_PROXY"},
	{"ftpProxy", "FTP_PROXY"},   {"allProxy", "ALL_PROXY"},
};

/* "KEY=value", or "KEY" alone: that hides what there would be otherwise. */
static bool is_mentioned(const struct strv *wanted, const char *variable)
{
	size_t len = strlen(variable);

	for (size_t i = 0; i < wanted->count; i++)
		if (strncmp(wanted->items[i], variable, len) == 0 &&
		    (wanted->items[i][len] == '=' || !wanted->items[i][len]))
			return true;
	return false;
}

static void set_unless_mentioned(const struct strv *wanted, const char *variable, const char *value,
				 struct strv *env)
{
	if (!is_mentioned(wanted, variable))
		strv_env_set(env, variable, value);
}

static char *in_small_letters(const char *text)
{
	char *small = xstrdup(text);

	for (char *p = small; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return small;
}

static void apply(const json_t *of_default, const struct strv *wanted, struct strv *env)
{
	for (size_t i = 0; i < ARRAY_SIZE(proxies); i++) {
		const char *value = json_get_string(of_default, proxies[i].member, "");
		auto_free char *small = in_small_letters(proxies[i].variable);

		if (!*value)
			continue;
		set_unless_mentioned(wanted, proxies[i].variable, value, env);
		set_unless_mentioned(wanted, small, value, env);
	}
}

void create_proxies(const struct strv *wanted, struct strv *env, struct strv *warnings)
{
	auto_free char *path = trust_docker_config_file();
	auto_(auth_file_release) struct auth_file file = {0};
	auto_(error_release) struct error err = {0};
	int r;

	r = auth_file_read(path, AUTH_FILE_DOCKER, &file, &err);
	if (r < 0)
		strv_addf(warnings, "no proxies for the container: %s", err_message(&err));
	if (r > 0)
		apply(json_object_get(json_object_get(file.root, "proxies"), "default"), wanted,
		      env);
}
