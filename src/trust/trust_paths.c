/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/trust_paths.h"

#include <stdbool.h>
#include <unistd.h>

#include "base/alloc.h"

/* A relative path would mean something else in every directory. */
static const char *absolute_variable(const char *name)
{
	const char *value = getenv(name);

	return value && value[0] == '/' ? value : NULL;
}

/* The variable's directory, else `below` in the home directory; NULL when there is neither. */
static char *variable_or_home(const char *name, const char *home, const char *below)
{
	const char *value = absolute_variable(name);

	if (value)
		return xstrdup(value);
	return home ? xasprintf("%s/%s", home, below) : NULL;
}

void trust_paths_init(struct trust_paths *ret_paths)
{
	const char *home = absolute_variable("HOME");
	const char *runtime = absolute_variable("XDG_RUNTIME_DIR");
	bool root = geteuid() == 0;

	*ret_paths = (struct trust_paths){
		.home = xstrdup_or_null(home),
		.config_home = variable_or_home("XDG_CONFIG_HOME", home, ".config"),
		.cache_home = root ? xstrdup("/var/cache")
				   : variable_or_home("XDG_CACHE_HOME", home, ".cache"),
		.runtime_auth = runtime ? xasprintf("%s/containers/auth.json", runtime)
					: xasprintf("/run/containers/%u/auth.json", geteuid()),
		.docker_config = variable_or_home("DOCKER_CONFIG", home, ".docker"),
		.auth_file = xstrdup_or_null(absolute_variable("REGISTRY_AUTH_FILE")),
		.registries_conf = xstrdup_or_null(absolute_variable("CONTAINERS_REGISTRIES_CONF")),
		.etc = xstrdup("/etc"),
	};
}

char *trust_docker_config_file(void)
{
	auto_free char *directory =
		variable_or_home("DOCKER_CONFIG", absolute_variable("HOME"), ".docker");

	return directory ? xasprintf("%s/config.json", directory) : NULL;
}

void trust_paths_release(struct trust_paths *paths)
{
	free(paths->home);
	free(paths->config_home);
	free(paths->cache_home);
	free(paths->runtime_auth);
	free(paths->docker_config);
	free(paths->auth_file);
	free(paths->registries_conf);
	free(paths->etc);
	*paths = (struct trust_paths){0};
}
