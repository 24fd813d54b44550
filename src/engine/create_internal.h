/* SPDX-License-Identifier: Apache-2.0 */
/*
 * create_internal.h - the parts of create: each fills its members of the record
 *
 * All take the request as it was typed and report the first thing that is wrong with it. Nothing
 * is made on disk here but by create_volumes() and, in the end, create_record().
 */
#ifndef SKIFF_ENGINE_CREATE_INTERNAL_H
#define SKIFF_ENGINE_CREATE_INTERNAL_H

#include "base/error.h"
#include "engine/container.h"
#include "engine/container_config.h"

struct endpoint_requests;
struct image_config;

/* What runs: entry point, command, environment, user, directory, labels, signals. */
int create_process(const struct create_request *request, const struct image_config *image,
		   struct container_config *config, struct error *err);

/*
 * Host name, namespaces, names and addresses. `id` gives the default host name. Needs network_mode,
 * which create_network() sets (network_internal.h).
 */
int create_namespaces(struct engine *engine, const struct create_request *request, const char *id,
		      struct container_config *config, struct error *err);

/* Everything that is mounted; volumes keep the names they were given, anonymous ones have none yet. */
int create_mounts(struct engine *engine, const struct create_request *request,
		  const struct image_config *image, struct container_config *config,
		  struct error *err);

/*
 * Makes the volumes that are not there; anonymous ones get names, all of them the options of what is
 * there. *ret_anonymous: those that were made and have no other name.
 */
int create_volumes(struct engine *engine, struct mount_list *mounts, struct strv *ret_names,
		   struct strv *ret_anonymous, struct error *err);

/* Capabilities, devices, limits, security options, logs. */
int create_confinement(const struct create_request *request, struct container_config *config,
		       struct error *err);

/*
 * Adds the proxies of docker's config.json to the environment, but those that the request's variables
 * (`wanted`) mention. A file that is not understood is a warning.
 */
void create_proxies(const struct strv *wanted, struct strv *env, struct strv *warnings);

/* A container that is ready to be written down; all borrowed. */
struct create_parts {
	const char *id;
	const char *name; /* checked; NULL: one is generated */
	const char *image_id, *image_ref;
	struct container_config *config; /* its volumes get their names */
	const struct endpoint_requests *endpoints;
};

/* Its volumes, its directory, its record: all of them, or nothing is left. */
int create_record(struct engine *engine, const struct create_parts *parts, struct error *err);

#endif
