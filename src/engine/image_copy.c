/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image_copy.c - which ends a copy has
 *
 * Most copies go from one end to another (copy_run()). The store as a target takes images in as pull
 * and load do; archives are packed when they are complete (copy_pack()); and an archive without
 * manifests, as docker wrote them before version 25, becomes an image of the store for a moment, where
 * it gets one.
 */
#include "engine/image_copy.h"

#include <string.h>

#include "base/alloc.h"
#include "engine/copy_internal.h"
#include "engine/copy_place.h"
#include "engine/image.h"
#include "engine/image_internal.h"
#include "engine/image_save.h"
#include "image/reference.h"

void image_copy_result_release(struct image_copy_result *result)
{
	free(result->digest);
	*result = (struct image_copy_result){0};
}

/* ---- ends ---- */

/* An image that is in the store for as long as it is copied. */
struct passing_image {
	struct engine *engine;
	char *id;   /* NULL: none */
	bool stays; /* it was there before */
};

static void passing_image_release(struct passing_image *image)
{
	const struct image_remove_request request = {.selector = image->id};
	auto_(strv_release) struct strv lines = {0};
	auto_(error_release) struct error ignored = {0};

	if (image->id && !image->stays)
		(void)image_remove(image->engine, &request, &lines, &ignored);
	free(image->id);
	image->id = NULL;
}

DEFINE_CLEANUP_VALUE(struct passing_image, passing_image_release);

/* Without the names that the archive has for it: those are not asked for. */
static int load_unnamed(struct engine *engine, const struct image_copy_request *request,
			const struct place *place, char **ret_id, struct error *err)
{
	auto_free char *path = NULL, *reference = NULL;
	auto_(load_result_release) struct load_result result = {0};
	auto_(strv_release) struct strv ids = {0};
	struct load_request load = {
		.transport = place_transport(place->kind),
		.platform = request->platform,
		.unnamed = true,
	};
	int r;

	place_split(place->name, &path, &reference);
	load.path = path;
	load.reference = reference;
	r = image_load_ids(engine, &load, /* single= */ true, &ids, &result, err);
	if (r < 0)
		return r;
	*ret_id = xstrdup(ids.items[0]);
	return 0;
}

static int pass_through_store(struct engine *engine, const struct image_copy_request *request,
			      const struct place *place, struct passing_image *passing,
			      struct copy_end **ret_end, struct error *err)
{
	auto_(image_records_release) struct image_records before = {0};
	int r;

	r = image_list(engine, &before, err);
	if (r >= 0)
		r = load_unnamed(engine, request, place, &passing->id, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < before.count; i++)
		passing->stays |= strcmp(before.items[i].id, passing->id) == 0;
	return copy_store_open(engine, passing->id, request->platform, ret_end, err);
}

static int open_archive(struct engine *engine, const struct image_copy_request *request,
			const struct place *place, struct passing_image *passing,
			struct copy_end **ret_end, struct error *err)
{
	int r = copy_archive_open(engine, place, ret_end, err);

	if (r >= 0 || err->errnum != ENOTSUP || place->kind != PLACE_DOCKER_ARCHIVE)
		return r;
	error_release(err);
	return pass_through_store(engine, request, place, passing, ret_end, err);
}

static int open_source(struct engine *engine, const struct image_copy_request *request,
		       const struct place *place, struct passing_image *passing,
		       struct copy_end **ret_end, struct error *err)
{
	passing->engine = engine;
	switch (place->kind) {
	case PLACE_STORE:
		return copy_store_open(engine, place->name, request->platform, ret_end, err);
	case PLACE_REGISTRY:
		return copy_registry_open(place->name, &request->source_registry,
					  /* writing= */ false, NULL, ret_end, err);
	case PLACE_LAYOUT:
		return copy_layout_open(place->name, /* writing= */ false, ret_end, err);
	case PLACE_DIRECTORY:
		return copy_directory_open(place->name, /* writing= */ false, ret_end, err);
	case PLACE_DOCKER_ARCHIVE:
	case PLACE_OCI_ARCHIVE:
		break;
	}
	return open_archive(engine, request, place, passing, ret_end, err);
}

/* The source's repository, when both are of one registry. */
static char *repository_to_mount(const struct place *source, const struct place *target)
{
	auto_(reference_release) struct reference from = {0}, to = {0};
	auto_(error_release) struct error ignored = {0};

	if (source->kind != PLACE_REGISTRY || target->kind != PLACE_REGISTRY ||
	    reference_parse(source->name, &from, &ignored) < 0 ||
	    reference_parse(target->name, &to, &ignored) < 0 ||
	    strcmp(from.domain, to.domain) != 0 || strcmp(from.path, to.path) == 0)
		return NULL;
	return xstrdup(from.path);
}

static int open_target(const struct image_copy_request *request, const struct place *source,
		       const struct place *target, struct copy_end **ret_end, struct error *err)
{
	auto_free char *mount_from = repository_to_mount(source, target);

	if (target->kind == PLACE_LAYOUT)
		return copy_layout_open(target->name, /* writing= */ true, ret_end, err);
	if (target->kind == PLACE_DIRECTORY)
		return copy_directory_open(target->name, /* writing= */ true, ret_end, err);
	return copy_registry_open(target->name, &request->target_registry, /* writing= */ true,
				  mount_from, ret_end, err);
}

static bool is_archive(enum place_kind kind)
{
	return kind == PLACE_DOCKER_ARCHIVE || kind == PLACE_OCI_ARCHIVE;
}

static int copy_between(struct engine *engine, const struct image_copy_request *request,
			const struct place *source, const struct place *target, char **ret_digest,
			struct error *err)
{
	auto_(passing_image_release) struct passing_image passing = {0};
	auto_(copy_end_free) struct copy_end *from = NULL;
	auto_(copy_end_free) struct copy_end *to = NULL;
	int r;

	r = open_source(engine, request, source, &passing, &from, err);
	if (r < 0)
		return r;
	if (is_archive(target->kind))
		return copy_pack(engine, request, from, target, ret_digest, err);
	r = open_target(request, source, target, &to, err);
	return r < 0 ? r : copy_run(request, from, to, ret_digest, err);
}

/* ---- the store as the target ---- */

/*
 * By digest, so that the image gets no name but the target's. What the policy says of the name that
 * was asked for is found out first.
 */
static int pull_to_store(struct engine *engine, const struct image_copy_request *request,
			 const char *name, char **ret_id, struct error *err)
{
	auto_(copy_end_free) struct copy_end *source = NULL;
	auto_(copy_document_release) struct copy_document document = {0};
	auto_(pull_result_release) struct pull_result result = {0};
	auto_(reference_release) struct reference reference = {0};
	auto_free char *repository = NULL, *by_digest = NULL;
	struct pull_request pull = {
		.platform = request->platform,
		.registry = request->source_registry,
		.progress = request->progress,
	};
	int r;

	r = reference_parse(name, &reference, err);
	if (r >= 0)
		r = copy_registry_open(name, &request->source_registry, /* writing= */ false, NULL,
				       &source, err);
	if (r >= 0)
		r = source->ops->read_document(source, NULL, &document, err);
	if (r < 0)
		return r;
	repository = reference_repository(&reference);
	pull.name = by_digest = xasprintf("%s@%s", repository, document.digest);
	r = image_pull(engine, &pull, &result, err);
	if (r < 0)
		return r;
	*ret_id = TAKE_PTR(result.id);
	return 0;
}

static int copy_to_store(struct engine *engine, const struct image_copy_request *request,
			 const struct place *source, const char *name, struct error *err)
{
	auto_free char *id = NULL;
	int r;

	if (request->all)
		return err_set(err, ERR_UNAVAILABLE, ENOTSUP,
			       "the store holds images, not indexes: --all needs another target");
	if (source->kind == PLACE_STORE)
		return image_tag(engine, source->name, name, err);
	if (source->kind == PLACE_REGISTRY)
		r = pull_to_store(engine, request, source->name, &id, err);
	else
		r = load_unnamed(engine, request, source, &id, err);
	return r < 0 ? r : image_tag(engine, id, name, err);
}

/* ---- the whole ---- */

/* The archive that `save` writes has both layouts; only an OCI name of one's own it cannot have. */
static bool is_saved(const struct place *source, const struct place *target)
{
	auto_free char *path = NULL, *name = NULL;

	if (source->kind != PLACE_STORE || !is_archive(target->kind))
		return false;
	place_split(target->name, &path, &name);
	return target->kind == PLACE_DOCKER_ARCHIVE || !name;
}

/* For `save` a repository means all its tags; here "app" is "app:latest". */
static int name_one(struct engine *engine, const char *name, struct strv *images, struct error *err)
{
	auto_(image_record_release) struct image_record record = {0};
	auto_(reference_release) struct reference reference = {0};
	auto_(error_release) struct error no_name = {0};
	auto_free char *normal = NULL;
	int r;

	r = image_find(engine, name, &record, err);
	if (r < 0)
		return r;
	if (reference_parse(name, &reference, &no_name) >= 0 && !reference.digest)
		normal = reference_format(&reference);
	strv_add(images, normal && strv_has(&record.names, normal) ? normal : record.id);
	return 0;
}

static int copy_by_saving(struct engine *engine, const struct image_copy_request *request,
			  const struct place *source, const struct place *target, struct error *err)
{
	auto_(strv_release) struct strv images = {0};
	auto_free char *path = NULL, *name = NULL;
	struct save_request save = {.images = &images, .platform = request->platform, .fd = NO_FD};
	int r;

	r = name_one(engine, source->name, &images, err);
	if (r < 0)
		return r;
	place_split(target->name, &path, &name);
	save.path = path;
	save.name = name;
	return image_save(engine, &save, err);
}

int image_copy(struct engine *engine, const struct image_copy_request *request,
	       struct image_copy_result *ret_result, struct error *err)
{
	const struct place source = place_parse(request->source);
	const struct place target = place_parse(request->target);
	auto_(image_copy_result_release) struct image_copy_result result = {0};
	int r;

	if (target.kind == PLACE_STORE)
		r = copy_to_store(engine, request, &source, target.name, err);
	else if (is_saved(&source, &target))
		r = copy_by_saving(engine, request, &source, &target, err);
	else
		r = copy_between(engine, request, &source, &target, &result.digest, err);
	if (r < 0)
		return err->kind == ERR_CANCELLED ? r
						  : err_wrap(err, r, "copy '%s' to '%s'",
							     request->source, request->target);
	*ret_result = result;
	result = (struct image_copy_result){0};
	return 0;
}
