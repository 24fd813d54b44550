/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manifest_list.h - use cases: lists of manifests that are put together here and pushed
 *
 * As docker has them: `create` looks up each manifest in its registry and remembers what it found,
 * `annotate` changes what the list says of one of them, `push` uploads the list (and the manifests
 * that its repository lacks), `rm` forgets. A list is a file of its own in ROOT/manifests; it
 * holds no images, and no image in the store has to do with it.
 */
#ifndef SKIFF_ENGINE_MANIFEST_LIST_H
#define SKIFF_ENGINE_MANIFEST_LIST_H

#include <stdbool.h>

#include "base/error.h"
#include "base/json.h"
#include "base/strv.h"
#include "engine/engine.h"
#include "engine/registry.h"

/*
 * The text of a manifest or index: of a list here, or of a registry. With `list`, of the manifest
 * `name` in that list. `verbose`: docker's object (or array of them) about it. Indented by tabs;
 * caller frees.
 */
struct manifest_inspect_request {
	const char *list, *name;
	bool verbose;
	struct registry_options registry;
};

int manifest_inspect(struct engine *engine, const struct manifest_inspect_request *request,
		     char **ret_text, struct error *err);

/* ERR_CONFLICT when the list is there and `amend` is false. *ret_name: normalized; caller frees. */
int manifest_create(struct engine *engine, const char *list, const struct strv *names, bool amend,
		    const struct registry_options *options, char **ret_name, struct error *err);

struct manifest_annotation {
	const char *os, *architecture, *variant, *os_version; /* NULL: as it is */
	const struct strv *os_features;                       /* empty: as they are */
};

int manifest_annotate(struct engine *engine, const char *list, const char *name,
		      const struct manifest_annotation *annotation, struct error *err);

/* *ret_digest is the list's; caller frees. `purge` forgets it afterwards. */
int manifest_push(struct engine *engine, const char *list, bool purge,
		  const struct registry_options *options, char **ret_digest, struct error *err);

int manifest_remove(struct engine *engine, const char *list, struct error *err);

#endif
