/* SPDX-License-Identifier: Apache-2.0 */
/*
 * short_name_alias.h - what somebody has said that a short name means
 *
 * Recorded in short-name-aliases.conf in the cache directory, a file that podman, buildah and skopeo
 * read and write too; registries_conf_load() reads it after all others.
 */
#ifndef SKIFF_TRUST_SHORT_NAME_ALIAS_H
#define SKIFF_TRUST_SHORT_NAME_ALIAS_H

#include "base/error.h"

struct trust_paths;

/*
 * From now on `text` ("app", "team/app:1") means `chosen`, one of the names that
 * registries_conf_complete() has made of it; tags and digests are no part of an alias.
 */
int short_name_alias_record(const struct trust_paths *paths, const char *text, const char *chosen,
			    struct error *err);

#endif
