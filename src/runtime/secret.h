/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret.h - what a container is told and its image must not know
 *
 * The bytes are in files of the container's directory (launch.json says which), opened by the parent.
 * The child puts them on a tmpfs of its own at /run/secrets, which becomes read-only: they are never
 * in the writable layer, and gone with the container. Variables become part of the environment of
 * the first process alone; config.json has none of them.
 */
#ifndef SKIFF_RUNTIME_SECRET_H
#define SKIFF_RUNTIME_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/json.h"
#include "base/strv.h"

#define SECRET_FILE_FORMAT "secret-%zu"
#define SECRET_MODE 0444
#define SECRETS_DIRECTORY "/run/secrets"

struct runtime_secret {
	char *file; /* in the container's directory */
	char *name;
	char *target; /* a variable; a name in SECRETS_DIRECTORY; or an absolute path */
	bool is_variable;
	uint32_t uid, gid, mode; /* of the file */
};

void runtime_secret_release(struct runtime_secret *secret);

/* Part of launch.json: {"file", "name", "target", "variable", "uid", "gid", "mode"}. */
json_t *runtime_secrets_to_json(const struct runtime_secret *secrets, size_t count);

/* `array` NULL: none. *ret_secrets is the caller's, each one too. */
int runtime_secrets_from_json(const json_t *array, struct runtime_secret **ret_secrets,
			      size_t *ret_count, struct error *err);

struct start;

/*
 * start_read_secrets() - the bytes of all secrets
 *
 * Where:    the monitor, host namespaces.
 * Leaves:   start->secret_texts; variables in start->spec.env.
 */
int start_read_secrets(struct start *start, struct error *err);

/* Wipes them; nothing there is fine. */
void start_forget_secrets(struct start *start);

/*
 * stage_secrets() - the files
 *
 * Where:    child, inside the container's root, after stage_mounts: over whatever is mounted there.
 * Must:     resolve every target beneath the root.
 */
int stage_secrets(struct start *start, struct error *err);

#endif
