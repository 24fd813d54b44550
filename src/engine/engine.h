/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine.h - the use cases, as a library
 *
 * cli, and later api, call these functions: request in, result or error out, progress by callback,
 * nothing printed, nothing exited. One engine belongs to one process and one thread. The store is
 * opened when first needed.
 */
#ifndef SKIFF_ENGINE_ENGINE_H
#define SKIFF_ENGINE_ENGINE_H

#include "base/error.h"

struct engine;
struct store;

struct engine_paths {
	const char *root;  /* --root; NULL: of the settings, or /var/lib/skiff */
	const char *state; /* --state; NULL: of the settings, or /run/skiff */
};

/* Checks privileges: without root, ERR_DENIED and one line that says what is needed. */
int engine_open(const struct engine_paths *paths, struct engine **ret_engine, struct error *err);
void engine_close(struct engine *engine);

/* Opened on first use; borrowed. */
int engine_store(struct engine *engine, struct store **ret_store, struct error *err);
const char *engine_root_path(const struct engine *engine);
const char *engine_state_path(const struct engine *engine);

/* Descriptor of the state directory, which has a private "containers" in it (both are created when
 * they are missing); borrowed; negative errno with err set. */
int engine_state_fd(struct engine *engine, struct error *err);

DEFINE_CLEANUP(struct engine *, engine_close);

#endif
