/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/security_option.h"

#include <fcntl.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/parse.h"

#define PATHS_MAX 256
#define PROFILE_MAX_BYTES ((size_t)1 << 20)

static int read_profile(const char *path, char **ret_text, struct error *err)
{
	auto_(json_decref) json_t *profile = NULL;
	auto_close int fd = NO_FD;
	auto_free char *text = NULL;
	size_t len;
	int r;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return err_set(err, ERR_INVALID, errno, "opening seccomp profile (%s) failed: %s",
			       path, errno_text(errno));
	r = fd_read_text(fd, PROFILE_MAX_BYTES, &text, &len);
	if (r < 0)
		return err_set(err, ERR_INVALID, -r, "reading seccomp profile (%s) failed: %s",
			       path, errno_text(-r));
	r = json_parse(text, len, "seccomp profile", &profile, err);
	if (r < 0)
		return err_wrap(err, r, "%s", path);
	if (!json_is_object(profile) || !json_is_string(json_object_get(profile, "defaultAction")))
		return err_set(err, ERR_INVALID, 0,
			       "%s is no seccomp profile: it has no defaultAction", path);
	*ret_text = json_text(profile);
	return 0;
}

static int apply_seccomp(const char *value, struct container_config *config, struct error *err)
{
	free(config->seccomp_profile);
	config->seccomp_profile = NULL;
	config->seccomp_unconfined = strcmp(value, "unconfined") == 0;
	if (config->seccomp_unconfined || strcmp(value, "builtin") == 0)
		return 0;
	return read_profile(value, &config->seccomp_profile, err);
}

static int apply_no_new_privileges(const char *value, struct container_config *config,
				   const char *text, struct error *err)
{
	bool on = true;

	if (value && parse_bool(value, &on) < 0)
		return err_set(err, ERR_INVALID, 0, "invalid --security-opt: \"%s\"", text);
	config->no_new_privileges = on;
	return 0;
}

/* Podman's mask= and unmask=: absolute paths with ':' between. */
static int add_paths(const char *value, struct strv *paths, const char *text, struct error *err)
{
	auto_(strv_release) struct strv parts = {0};

	strv_split(&parts, value, ':');
	for (size_t i = 0; i < parts.count; i++)
		if (parts.items[i][0] != '/' || strstr(parts.items[i], "/../"))
			return err_set(
				err, ERR_INVALID, 0,
				"invalid --security-opt: \"%s\": '%s' is not an absolute path",
				text, parts.items[i]);
	strv_add_all(paths, &parts);
	return paths->count <= PATHS_MAX
		       ? 0
		       : err_set(err, ERR_INVALID, E2BIG, "--security-opt names more than %d paths",
				 PATHS_MAX);
}

int security_option_apply(const char *text, struct container_config *config, struct error *err)
{
	const char *separator = strpbrk(text, "=:");
	const char *value = separator ? separator + 1 : NULL;
	auto_free char *key = xstrndup(text, separator ? (size_t)(separator - text) : SIZE_MAX);

	if (strcmp(key, "no-new-privileges") == 0)
		return apply_no_new_privileges(value, config, text, err);
	if (!value || !*value)
		return err_set(err, ERR_INVALID, 0, "invalid --security-opt: \"%s\"", text);
	if (strcmp(key, "seccomp") == 0)
		return apply_seccomp(value, config, err);
	if (strcmp(key, "systempaths") == 0 && strcmp(value, "unconfined") == 0) {
		config->systempaths_unconfined = true;
		return 0;
	}
	if (strcmp(key, "mask") == 0)
		return add_paths(value, &config->mask_paths, text, err);
	if (strcmp(key, "unmask") == 0 && strcasecmp(value, "all") == 0) {
		config->systempaths_unconfined = true;
		return 0;
	}
	if (strcmp(key, "unmask") == 0)
		return add_paths(value, &config->unmask_paths, text, err);
	if ((strcmp(key, "apparmor") == 0 && strcmp(value, "unconfined") == 0) ||
	    (strcmp(key, "label") == 0 && strcmp(value, "disable") == 0))
		return 0;
	if (strcmp(key, "apparmor") == 0 || strcmp(key, "label") == 0)
		return err_set(err, ERR_UNAVAILABLE, 0,
			       "--security-opt %s: %s is not supported; nothing was applied", text,
			       strcmp(key, "label") == 0 ? "SELinux" : "AppArmor");
	return err_set(err, ERR_INVALID, 0, "invalid --security-opt: \"%s\"", text);
}
