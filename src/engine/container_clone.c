/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/container_clone.h"

#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/random.h"
#include "engine/container_internal.h"
#include "engine/container_name.h"
#include "engine/create_internal.h"
#include "engine/limit_option.h"
#include "engine/network_internal.h"
#include "engine/secret_option.h"

#define SHORT_ID_LEN 12
#define NAME_SUFFIX "-clone"
#define NAME_ATTEMPTS 100

/* ---- what is its own ---- */

/* A host name that create has made of the id. */
static void clone_hostname(struct container *c, const char *id)
{
	struct container_config *config = &c->config;

	if (!config->hostname || strlen(config->hostname) != SHORT_ID_LEN ||
	    strncmp(config->hostname, c->record.id, SHORT_ID_LEN) != 0)
		return;
	free(config->hostname);
	config->hostname = xstrndup(id, SHORT_ID_LEN);
}

/* What --volumes-from brought is shared, and stays so. */
static void clone_volumes(struct mount_list *mounts, bool keep_anonymous)
{
	for (size_t i = 0; i < mounts->count; i++) {
		struct mount_spec *spec = &mounts->items[i];

		if (spec->kind != MOUNT_KIND_VOLUME || !spec->anonymous || keep_anonymous ||
		    spec->origin == MOUNT_FROM_CONTAINER)
			continue;
		free(spec->source);
		spec->source = NULL;
		strv_release(&spec->volume_options);
	}
}

/* The same networks and names in them; addresses are given out anew. */
static int clone_endpoint(struct endpoint *endpoint, const char *id,
			  struct endpoint_requests *requests, struct error *err)
{
	struct endpoint_config *config = &endpoint->config;
	char **own[] = {&config->mac, &config->ip, &config->ip6, &config->host_link};

	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		free(*own[i]);
		*own[i] = NULL;
	}
	return endpoint_request_add(requests, &endpoint->network, id, config, err);
}

static int clone_endpoints(struct engine *engine, const char *from, const char *id,
			   struct endpoint_requests *requests, struct error *err)
{
	auto_(endpoint_set_release) struct endpoint_set set = {0};
	int r;

	r = endpoint_set_load(engine, from, &set, err);
	for (size_t i = 0; r >= 0 && i < set.count; i++)
		r = clone_endpoint(&set.items[i], id, requests, err);
	return r;
}

/* ---- its name ---- */

static bool is_taken(const struct error *err)
{
	return err->kind == ERR_CONFLICT && err->errnum != EADDRINUSE;
}

/* "web" gives "web-clone", then "web-clone1"; "web-clone" gives "web-clone1". */
static char *clone_name(const char *original, unsigned int attempt)
{
	size_t len = strlen(original), suffix = strlen(NAME_SUFFIX);
	size_t end = len;

	while (end > 0 && original[end - 1] >= '0' && original[end - 1] <= '9')
		end--;
	if (end > suffix && strncmp(original + end - suffix, NAME_SUFFIX, suffix) == 0)
		len = end - suffix;
	return attempt == 0 ? xasprintf("%.*s" NAME_SUFFIX, (int)len, original)
			    : xasprintf("%.*s" NAME_SUFFIX "%u", (int)len, original, attempt);
}

static int record_with_free_name(struct engine *engine, struct create_parts *parts,
				 const char *original, struct error *err)
{
	int r = -EBUSY;

	for (unsigned int attempt = 0; attempt < NAME_ATTEMPTS; attempt++) {
		auto_free char *name = clone_name(original, attempt);

		r = container_name_check(name, &parts->name, err);
		if (r < 0)
			return r;
		r = create_record(engine, parts, err);
		if (r >= 0 || !is_taken(err) || attempt + 1 == NAME_ATTEMPTS)
			return r;
		error_release(err);
	}
	return r;
}

/* ---- the whole ---- */

static int make_clone(struct container *c, const struct clone_request *request,
		      struct create_result *result, struct error *err)
{
	auto_(endpoint_requests_release) struct endpoint_requests endpoints = {0};
	struct create_parts parts = {
		.id = result->id,
		.image_id = c->record.image_id,
		.image_ref = c->record.image_ref,
		.config = &c->config,
		.endpoints = &endpoints,
	};
	int r;

	r = limit_request_merge(request->limits, &c->config, err);
	if (r >= 0)
		r = secret_options_check(c->engine, &c->config.secrets, err);
	if (r >= 0 && request->name)
		r = container_name_check(request->name, &parts.name, err);
	if (r < 0)
		return r;
	random_hex_id(result->id);
	clone_hostname(c, result->id);
	clone_volumes(&c->config.mounts, request->destroy);
	free(c->config.cidfile);
	c->config.cidfile = NULL;
	r = clone_endpoints(c->engine, c->record.id, result->id, &endpoints, err);
	if (r < 0)
		return r;
	if (request->name)
		return create_record(c->engine, &parts, err);
	return record_with_free_name(c->engine, &parts, c->record.name, err);
}

/* The clone is new and was never started, so taking it back is removing it. */
static int destroy_original(const struct container *c, bool force, const char *clone,
			    struct error *err)
{
	const struct remove_request original = {.force = force}, undo = {.force = true};
	auto_(error_release) struct error ignored = {0};
	int r;

	r = container_remove(c->engine, c->record.id, &original, err);
	if (r >= 0)
		return r;
	if (container_remove(c->engine, clone, &undo, &ignored) < 0)
		log_debug("engine", "ignoring: remove the clone: %s", err_message(&ignored));
	return r;
}

int container_clone(struct engine *engine, const char *selector,
		    const struct clone_request *request, struct create_result *ret_result,
		    struct error *err)
{
	auto_(container_release) struct container c = CONTAINER_EMPTY;
	struct create_result result = {0};
	int r;

	r = container_open(engine, selector, &c, err);
	if (r < 0)
		return r;
	if (!c.record.image_id)
		return err_set(err, ERR_CONFLICT, 0,
			       "the image of container %s is gone: it cannot be cloned",
			       c.record.name);
	r = make_clone(&c, request, &result, err);
	if (r >= 0 && request->destroy)
		r = destroy_original(&c, request->force, result.id, err);
	if (r >= 0)
		*ret_result = result;
	return r;
}
