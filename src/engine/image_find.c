/* SPDX-License-Identifier: Apache-2.0 */
/* What a user calls an image, and which one that is. */
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "engine/copy_place.h"
#include "engine/emit.h"
#include "engine/image_copy.h"
#include "engine/image_internal.h"
#include "engine/registry.h"
#include "engine/registry_access.h"
#include "image/image_config.h"
#include "image/platform.h"
#include "image/reference.h"
#include "storage/repo_digest.h"

/* 1 found, 0 not there. */
static int find_in_store(struct store *store, const char *selector, struct image_record *ret_record,
			 struct error *err)
{
	int r;

	r = image_record_find(store, selector, ret_record, err);
	if (r < 0 && err->kind == ERR_NOT_FOUND) {
		error_release(err);
		return 0;
	}
	return r < 0 ? r : 1;
}

static bool has_repository(const struct image_record *record, const struct reference *reference)
{
	auto_free char *repository = reference_repository(reference);
	size_t len = strlen(repository);

	for (size_t i = 0; i < record->names.count; i++)
		if (strncmp(record->names.items[i], repository, len) == 0 &&
		    strchr(":@", record->names.items[i][len]))
			return true;
	return record->names.count == 0;
}

char *repository_at_digest(const struct reference *reference)
{
	auto_free char *repository = reference_repository(reference);

	return xasprintf("%s@%s", repository, reference->digest);
}

/* name@sha256:…, the digest of the manifest; the tag, if any, does not count then. */
static int find_by_digest(struct store *store, const struct reference *reference,
			  struct image_record *ret_record, struct error *err)
{
	auto_(image_record_release) struct image_record record = {0};
	auto_free char *name = NULL;
	int r;

	name = repository_at_digest(reference);
	r = repo_digest_find(store, name, ret_record, err);
	if (r >= 0 || err->kind != ERR_NOT_FOUND)
		return r < 0 ? r : 1;
	error_release(err);
	r = image_record_find_manifest(store, reference->digest, &record, err);
	if (r < 0 && err->kind == ERR_NOT_FOUND) {
		error_release(err);
		return 0;
	}
	if (r < 0)
		return r;
	if (!has_repository(&record, reference))
		return 0;
	*ret_record = record;
	record = (struct image_record){0};
	return 1;
}

/* A name first, then an id or the beginning of one, as docker does. 1, 0, or negative. */
static int find_by_name_or_id(struct store *store, const char *selector,
			      struct image_record *ret_record, struct error *err)
{
	auto_(reference_release) struct reference reference = {0};
	auto_(error_release) struct error no_name = {0};
	auto_free char *normal = NULL;
	int r;

	if (reference_parse(selector, &reference, &no_name) >= 0) {
		normal = reference_format(&reference);
		r = reference.digest ? find_by_digest(store, &reference, ret_record, err)
				     : find_in_store(store, normal, ret_record, err);
		if (r != 0)
			return r;
	}
	return find_in_store(store, selector, ret_record, err);
}

static int not_found(const char *selector, struct error *err)
{
	auto_(reference_release) struct reference reference = {0};
	auto_(error_release) struct error no_name = {0};

	if (reference_parse(selector, &reference, &no_name) < 0 && strlen(selector) != 64)
		return err_move(err, &no_name);
	return err_set(err, ERR_NOT_FOUND, 0, "No such image: %s", selector);
}

int image_find(struct engine *engine, const char *selector, struct image_record *ret_record,
	       struct error *err)
{
	struct store *store;
	int r;

	r = engine_store(engine, &store, err);
	if (r < 0)
		return r;
	r = find_by_name_or_id(store, selector, ret_record, err);
	if (r == 0)
		return not_found(selector, err);
	return r < 0 ? r : 0;
}

int image_require_platform(const char *name, const struct image_config *config,
			   const char *platform, struct error *err)
{
	const struct platform offered = {config->os, config->architecture, config->variant};
	auto_(platform_release) struct platform wanted = {0};
	int r;

	r = platform_parse(platform, &wanted, err);
	if (r < 0)
		return r;
	if (platform_match(&wanted, &offered) > 0)
		return 0;
	return err_set(err, ERR_NOT_FOUND, 0,
		       "image with reference %s was found but does not provide the specified "
		       "platform (%s)",
		       name, platform);
}

/* ---- places ---- */

int image_load_place(struct engine *engine, const struct image_want *want, struct strv *ret_ids,
		     struct load_result *ret_result, struct error *err)
{
	const struct place place = place_parse(want->name);
	auto_free char *path = NULL, *reference = NULL;
	struct load_request request = {
		.transport = place_transport(place.kind),
		.platform = want->platform,
		.progress = want->progress,
	};
	int r;

	place_split(place.name, &path, &reference);
	request.path = path;
	request.reference = reference;
	r = image_load_ids(engine, &request, /* single= */ true, ret_ids, ret_result, err);
	return r < 0 && err->kind != ERR_CANCELLED ? err_wrap(err, r, "load '%s'", want->name) : r;
}

/* 1 found, 0 when the name is none of a place. */
static int load_and_find(struct engine *engine, const struct image_want *want,
			 struct image_record *ret_record, struct error *err)
{
	auto_(load_result_release) struct load_result result = {0};
	auto_(strv_release) struct strv ids = {0};
	int r;

	if (!image_copy_is_file_place(want->name))
		return 0;
	r = image_load_place(engine, want, &ids, &result, err);
	if (r >= 0)
		r = image_find(engine, ids.items[0], ret_record, err);
	return r < 0 ? r : 1;
}

static int pull_and_find(struct engine *engine, const struct image_want *want,
			 struct image_record *ret_record, struct error *err)
{
	const struct pull_request request = {
		.name = want->name,
		.platform = want->platform,
		.progress = want->progress,
	};
	auto_(pull_result_release) struct pull_result result = {0};
	int r;

	r = image_pull(engine, &request, &result, err);
	if (r < 0)
		return r;
	return image_find(engine, result.id, ret_record, err);
}

/* Whether what is there was made for the platform that was asked for. */
static bool suits(const struct image_want *want, const struct image_record *record)
{
	auto_(image_config_release) struct image_config config = {0};
	auto_(platform_release) struct platform wanted = {0};
	auto_(error_release) struct error ignored = {0};
	struct platform offered;

	if (!want->platform)
		return true;
	if (platform_parse(want->platform, &wanted, &ignored) < 0 ||
	    image_config_parse(record->config, strlen(record->config), &config, &ignored) < 0)
		return false;
	offered = (struct platform){config.os, config.architecture, config.variant};
	return platform_match(&wanted, &offered) > 0;
}

/* 1 found, 0 not there. A name that has to be looked up first is looked up when it is missing. */
static int find_wanted(struct engine *engine, const struct image_want *want,
		       struct image_record *ret_record, struct error *err)
{
	auto_(image_record_release) struct image_record record = {0};
	auto_(strv_release) struct strv names = {0};
	struct store *store;
	int r;

	r = engine_store(engine, &store, err);
	if (r >= 0)
		r = find_by_name_or_id(store, want->name, &record, err);
	if (r == 0 && registry_access_names(want->name, /* can_ask= */ true, &names, NULL, err) < 0)
		error_release(err); /* it is no name: whoever pulls it says so */
	for (size_t i = 0; r == 0 && i < names.count; i++)
		r = find_by_name_or_id(store, names.items[i], &record, err);
	if (r <= 0 || !suits(want, &record))
		return r < 0 ? r : 0;
	*ret_record = record;
	record = (struct image_record){0};
	return 1;
}

static int pull_missing(struct engine *engine, const struct image_want *want,
			struct image_record *ret_record, struct error *err)
{
	auto_(reference_release) struct reference reference = {0};
	auto_(error_release) struct error no_name = {0};
	const struct image_progress *progress = want->progress;

	if (want->pull == IMAGE_PULL_NEVER || reference_parse(want->name, &reference, &no_name) < 0)
		return not_found(want->name, err);
	if (want->pull == IMAGE_PULL_MISSING && progress && progress->missing) {
		auto_free char *name = reference_familiar(&reference);

		progress->missing(progress->context, name);
	}
	return pull_and_find(engine, want, ret_record, err);
}

int image_pull_policy_parse(const char *text, enum image_pull_policy *ret_policy, struct error *err)
{
	static const char *const names[] = {
		[IMAGE_PULL_MISSING] = "missing",
		[IMAGE_PULL_ALWAYS] = "always",
		[IMAGE_PULL_NEVER] = "never",
	};

	*ret_policy = IMAGE_PULL_MISSING;
	if (!text || !*text)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(names[i], text) != 0)
			continue;
		*ret_policy = (enum image_pull_policy)i;
		return 0;
	}
	return err_set(err, ERR_INVALID, 0,
		       "invalid pull option: '%s': must be one of \"always\", \"missing\" or "
		       "\"never\"",
		       text);
}

int image_obtain(struct engine *engine, const struct image_want *want,
		 struct image_record *ret_record, struct error *err)
{
	const struct place place = place_parse(want->name);
	struct image_want remote = *want;
	int r = 0;

	if (place.kind == PLACE_REGISTRY) {
		remote.name = place.name;
		return pull_and_find(engine, &remote, ret_record, err);
	}
	if (want->pull != IMAGE_PULL_ALWAYS)
		r = find_wanted(engine, want, ret_record, err);
	if (r == 0)
		r = load_and_find(engine, want, ret_record, err);
	if (r == 0)
		r = pull_missing(engine, want, ret_record, err);
	return r < 0 ? r : 0;
}

int image_add_digests(struct engine *engine, struct image_record *record, struct error *err)
{
	struct store *store;
	int r;

	r = engine_store(engine, &store, err);
	return r < 0 ? r : repo_digest_list(store, record->id, &record->repo_digests, err);
}

int image_list(struct engine *engine, struct image_records *ret_records, struct error *err)
{
	auto_(image_records_release) struct image_records records = {0};
	struct store *store;
	int r;

	r = engine_store(engine, &store, err);
	if (r >= 0)
		r = image_record_list(store, &records, err);
	for (size_t i = 0; r >= 0 && i < records.count; i++)
		r = image_add_digests(engine, &records.items[i], err);
	if (r < 0)
		return r;
	*ret_records = records;
	records = (struct image_records){0};
	return 0;
}

int image_names_of_repository(struct engine *engine, const char *repository, struct strv *ret_names,
			      struct error *err)
{
	auto_(image_records_release) struct image_records records = {0};
	auto_(reference_release) struct reference reference = {0};
	auto_free char *prefix = NULL;
	struct store *store;
	int r;

	r = reference_parse(repository, &reference, err);
	if (r >= 0)
		r = engine_store(engine, &store, err);
	if (r >= 0)
		r = image_record_list(store, &records, err);
	if (r < 0)
		return r;
	prefix = xasprintf("%s/%s:", reference.domain, reference.path);
	for (size_t i = 0; i < records.count; i++)
		for (size_t k = 0; k < records.items[i].names.count; k++)
			if (strncmp(records.items[i].names.items[k], prefix, strlen(prefix)) == 0)
				strv_add(ret_names, records.items[i].names.items[k]);
	if (ret_names->count == 0)
		return err_set(err, ERR_NOT_FOUND, 0,
			       "An image does not exist locally with the tag: %s", repository);
	return 0;
}

int image_tag(struct engine *engine, const char *source, const char *target, struct error *err)
{
	auto_(image_record_release) struct image_record record = {0};
	auto_(reference_release) struct reference reference = {0};
	auto_free char *name = NULL, *familiar = NULL;
	struct store *store;
	int r;

	r = engine_store(engine, &store, err);
	if (r < 0)
		return r;
	r = reference_parse(target, &reference, err);
	if (r < 0)
		return r;
	if (reference.digest)
		return err_set(err, ERR_INVALID, 0,
			       "refusing to create a tag with a digest reference");
	r = image_find(engine, source, &record, err);
	if (r < 0)
		return r;
	name = reference_format(&reference);
	r = image_record_tag(store, record.id, name, err);
	if (r < 0)
		return r;
	familiar = image_familiar_name(name);
	emit_image(engine, record.id, familiar, "tag");
	return 0;
}
