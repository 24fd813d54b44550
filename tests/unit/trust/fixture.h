/* SPDX-License-Identifier: Apache-2.0 */
/* fixture.h - a home directory and an /etc of the test's own */
#ifndef SKIFF_TEST_UNIT_TRUST_FIXTURE_H
#define SKIFF_TEST_UNIT_TRUST_FIXTURE_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/path.h"
#include "trust/trust_paths.h"

struct places {
	char *top;
	struct trust_paths paths;
};

static inline int places_setup(void **state)
{
	struct places *places = xcalloc(1, sizeof(*places));
	char template[] = "/tmp/skiff-trust-XXXXXX";

	if (!mkdtemp(template))
		return -1;
	places->top = xstrdup(template);
	places->paths = (struct trust_paths){
		.home = xasprintf("%s/home", template),
		.config_home = xasprintf("%s/home/.config", template),
		.cache_home = xasprintf("%s/cache", template),
		.runtime_auth = xasprintf("%s/run/containers/auth.json", template),
		.docker_config = xasprintf("%s/home/.docker", template),
		.etc = xasprintf("%s/etc", template),
	};
	*state = places;
	return 0;
}

static inline int places_teardown(void **state)
{
	struct places *places = *state;

	(void)path_remove_tree(AT_FDCWD, places->top);
	trust_paths_release(&places->paths);
	free(places->top);
	free(places);
	return 0;
}

/* Caller frees. */
static inline char *places_path(const struct places *places, const char *name)
{
	return xasprintf("%s/%s", places->top, name);
}

static inline void places_write(const struct places *places, const char *name, const char *text,
				mode_t mode)
{
	auto_free char *path = places_path(places, name);
	auto_free char *parent = xstrndup(path, (size_t)(strrchr(path, '/') - path));
	auto_close int fd = NO_FD;

	if (path_mkdir_parents(parent, 0755) < 0)
		abort();
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	if (fd < 0 || fd_write_all(fd, text, strlen(text)) < 0)
		abort();
}

#endif
