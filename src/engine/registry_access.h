/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry_access.h - whom to ask about a name, as whom, and how to trust them
 *
 * Puts together what trust/ finds in the host's files and what the command line says, as the
 * configuration of a skiff-registry (registry/protocol.h). A new reference; it holds secrets.
 */
#ifndef SKIFF_ENGINE_REGISTRY_ACCESS_H
#define SKIFF_ENGINE_REGISTRY_ACCESS_H

#include <stdbool.h>

#include "base/error.h"
#include "base/json.h"
#include "base/strv.h"
#include "engine/registry.h"

struct reference;

/*
 * What a typed name may stand for, best first: normalized, by aliases and search lists. *ret_ask (may
 * be NULL): there are several, and who `can_ask` shall ask somebody which is meant. When nobody can,
 * several may be ERR_INVALID, as registries.conf has it.
 */
int registry_access_names(const char *text, bool can_ask, struct strv *ret_names, bool *ret_ask,
			  struct error *err);

/* What somebody has answered: from now on the short name in `text` means this one. */
int registry_access_remember(const char *text, const char *chosen, struct error *err);

/* Mirrors first, then the registry itself. ERR_DENIED when it is blocked. */
int registry_access_pull(const struct registry_options *options, const struct reference *reference,
			 json_t **ret_config, struct error *err);

/* The registry itself; `mount_from` are other repositories of it, paths only. */
int registry_access_push(const struct registry_options *options, const struct reference *reference,
			 const struct strv *mount_from, json_t **ret_config, struct error *err);

/* Asking a registry about no repository in particular. */
int registry_access_host(const struct registry_options *options, const char *domain,
			 json_t **ret_config, struct error *err);

#endif
