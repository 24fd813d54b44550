/* SPDX-License-Identifier: Apache-2.0 */
/* registries_internal.h - between reading registries.conf and answering from it */
#ifndef SKIFF_TRUST_REGISTRIES_INTERNAL_H
#define SKIFF_TRUST_REGISTRIES_INTERNAL_H

#include "base/json.h"
#include "trust/registries_conf.h"

enum mirror_pull {
	MIRROR_PULL_ALL,
	MIRROR_PULL_DIGEST_ONLY,
	MIRROR_PULL_TAG_ONLY,
};

#define MIRROR_PULL_COUNT 3

struct mirror {
	char *location;
	bool insecure;
	enum mirror_pull pull;
};

/* One [[registry]]. */
struct registry {
	char *prefix;   /* "host/path", or "*.host" */
	char *location; /* what stands in the prefix's place; "" with "*.host": nothing does */
	bool insecure, blocked;
	struct mirror mirrors[REGISTRY_MAX_MIRRORS];
	size_t mirror_count;
};

enum short_name_mode {
	SHORT_NAME_PERMISSIVE,
	SHORT_NAME_ENFORCING,
	SHORT_NAME_DISABLED,
};

#define SHORT_NAME_MODE_COUNT 3

struct registries_conf {
	struct registry **registries;
	size_t count;
	struct strv search; /* unqualified-search-registries */
	bool search_set;
	struct strv aliases; /* "name=value", as an environment list */
	enum short_name_mode mode;
};

void registry_free(struct registry *registry);

/* Whether what is before the first slash must be a registry's name ("a.b/c", not "a/b"). */
bool domain_begins(const char *name);

/* One file's text over what is known already. `what` names it. */
int registries_conf_merge(struct registries_conf *conf, const char *text, size_t len,
			  const char *what, struct error *err);

DEFINE_CLEANUP(struct registry *, registry_free);

#endif
