/* SPDX-License-Identifier: Apache-2.0 */
/* image_pull(): from a name to an image in the store; see pull_internal.h. */
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "engine/emit.h"
#include "engine/image_policy.h"
#include "engine/pull_internal.h"
#include "engine/registry_access.h"
#include "storage/repo_digest.h"
#include "trust/policy.h"

void pull_result_release(struct pull_result *result)
{
	free(result->id);
	free(result->name);
	free(result->digest);
	free(result->alien);
	*result = (struct pull_result){0};
}

static void pull_release(struct pull *pull)
{
	registry_helper_stop(&pull->helper);
	if (pull->policy)
		policy_free(pull->policy);
	loader_release(&pull->loader);
	reference_release(&pull->reference);
	source_image_release(&pull->image);
	manifest_release(&pull->manifest);
	free(pull->digest);
}

DEFINE_CLEANUP_VALUE(struct pull, pull_release);

static int start_helper(struct pull *pull, struct error *err)
{
	auto_(json_decref) json_t *config = NULL;
	int r;

	r = registry_access_pull(&pull->request->registry, &pull->reference, &config, err);
	if (r < 0)
		return r;
	return registry_helper_start(config, pull->loader.signal_fd, &pull->helper, err);
}

static char *normal_name(const struct reference *reference)
{
	return reference->digest ? repository_at_digest(reference) : reference_format(reference);
}

/* Whether the name meant this image before. */
static bool is_that_already(const struct pull *pull)
{
	auto_(image_record_release) struct image_record record = {0};
	auto_(error_release) struct error ignored = {0};
	auto_free char *name = normal_name(&pull->reference);

	if (pull->reference.digest
		    ? repo_digest_find(pull->loader.store, name, &record, &ignored) < 0
		    : image_record_find(pull->loader.store, name, &record, &ignored) < 0)
		return false;
	return strcmp(record.id, pull->image.id) == 0;
}

static int remember_digest(const struct pull *pull, struct error *err)
{
	auto_free char *repository = reference_repository(&pull->reference);
	auto_free char *name = xasprintf("%s@%s", repository, pull->digest);

	return repo_digest_add(pull->loader.store, pull->image.id, name,
			       pull->image.manifest_digest, err);
}

/* What is there already, with all its layers, only gets the name. */
static int bring(struct pull *pull, struct error *err)
{
	auto_(layer_jobs_release) struct layer_jobs jobs = {0};
	int r;

	r = image_layers_plan(&pull->loader, &pull->image, &jobs, err);
	if (r < 0)
		return r;
	r = pull_layers(pull, &jobs, err);
	if (r < 0)
		return r;
	return image_commit(&pull->loader, &pull->image, &jobs, err);
}

static char *alien_platform(const struct image_config *config)
{
	const struct platform offered = {config->os, config->architecture, config->variant};
	auto_(platform_release) struct platform machine = {0};

	platform_of_machine(&machine);
	return platform_runs(&machine, &offered) ? NULL : platform_format(&offered);
}

static int run_pull(struct pull *pull, const sigset_t *signals, struct pull_result *result,
		    struct error *err)
{
	int r;

	r = loader_begin(&pull->loader, pull->request->platform, signals, err);
	if (r >= 0)
		r = image_policy_begin(&pull->reference, &pull->policy, err);
	if (r >= 0)
		r = start_helper(pull, err);
	if (r >= 0)
		r = pull_documents(pull, err);
	if (r < 0)
		return r;
	result->name = normal_name(&pull->reference);
	if (!pull->reference.digest)
		strv_add(&pull->image.names, result->name);
	result->was_there = is_that_already(pull);
	r = bring(pull, err);
	if (r >= 0)
		r = remember_digest(pull, err);
	if (r < 0)
		return r;
	result->id = xstrdup(pull->image.id);
	result->digest = xstrdup(pull->digest);
	if (!pull->request->platform)
		result->alien = alien_platform(&pull->image.config);
	return 0;
}

/* docker names the image with its tag, and without as attribute. */
static void emit_pull(struct engine *engine, const struct reference *reference)
{
	auto_free char *whole = reference_format(reference);
	auto_free char *familiar = image_familiar_name(whole);
	auto_free char *name = xstrdup(familiar);
	char *slash = strrchr(name, '/'), *colon = strrchr(slash ? slash : name, ':');

	if (colon)
		*colon = '\0';
	emit_image(engine, familiar, name, "pull");
}

static int pull_one(struct engine *engine, const struct pull_request *request, const char *name,
		    struct pull_result *ret_result, struct error *err)
{
	auto_(pull_release) struct pull pull = {
		.request = request,
		.endpoint = -1,
		.helper = REGISTRY_HELPER_EMPTY,
		.loader = LOADER_EMPTY,
	};
	auto_(pull_result_release) struct pull_result result = {0};
	auto_(error_release) struct error ignored = {0};
	struct held_signals held;
	uint64_t bytes;
	int r;

	r = reference_parse(name, &pull.reference, err);
	if (r >= 0)
		r = engine_store(engine, &pull.loader.store, err);
	if (r < 0)
		return r;
	/* Room first: what a pull that was killed left is in the way of this one. */
	(void)store_sweep(pull.loader.store, &bytes, &ignored);
	signals_hold(&held);
	r = run_pull(&pull, &held.set, &result, err);
	signals_let_go(&held, r < 0 && err->kind == ERR_CANCELLED);
	if (r < 0)
		return err->kind == ERR_CANCELLED ? r : err_wrap(err, r, "pull '%s'", name);
	emit_pull(engine, &pull.reference);
	*ret_result = result;
	result = (struct pull_result){0};
	return 0;
}

/* "docker://alpine" is "alpine". */
static const char *bare_name(const char *name)
{
	static const char transport[] = "docker://";

	return strncmp(name, transport, strlen(transport)) == 0 ? name + strlen(transport) : name;
}

/* Only the chosen one is left in `names`. */
static int ask_which(const struct image_progress *progress, const char *text, struct strv *names,
		     struct error *err)
{
	int index = progress->choose(progress->context, text, names);
	char *chosen;

	if (index < 0 || (size_t)index >= names->count)
		return err_set(err, ERR_INVALID, 0, "'%s' names no registry, and none was chosen",
			       text);
	chosen = xstrdup(names->items[index]);
	strv_release(names);
	strv_add_take(names, chosen);
	return 0;
}

static int pull_chosen(struct engine *engine, const struct pull_request *request, const char *text,
		       const char *name, struct pull_result *ret_result, struct error *err)
{
	auto_(error_release) struct error forgotten = {0};
	int r;

	r = pull_one(engine, request, name, ret_result, err);
	if (r >= 0 && registry_access_remember(text, name, &forgotten) < 0)
		log_debug("registry", "ignoring that the choice for '%s' was not recorded: %s",
			  text, err_message(&forgotten));
	return r;
}

int image_pull(struct engine *engine, const struct pull_request *request,
	       struct pull_result *ret_result, struct error *err)
{
	const struct image_progress *progress = request->progress;
	const char *text = bare_name(request->name);
	auto_(strv_release) struct strv names = {0};
	bool can_ask = progress && progress->choose, ask = false;
	int r;

	r = registry_access_names(text, can_ask, &names, &ask, err);
	if (r >= 0 && can_ask && ask)
		r = ask_which(progress, text, &names, err);
	if (r < 0)
		return r;
	if (ask)
		return pull_chosen(engine, request, text, names.items[0], ret_result, err);
	/* A short name may be one of several registries': the first that has it. */
	for (size_t i = 0; i < names.count; i++) {
		r = pull_one(engine, request, names.items[i], ret_result, err);
		if (r >= 0 || i + 1 == names.count ||
		    (err->kind != ERR_NOT_FOUND && err->kind != ERR_DENIED))
			return r;
		error_release(err);
	}
	return err_set(err, ERR_NOT_FOUND, 0, "No such image: %s", request->name);
}
