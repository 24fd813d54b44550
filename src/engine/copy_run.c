/* SPDX-License-Identifier: Apache-2.0 */
/*
 * copy_run.c - documents and blobs from one end to the other
 *
 * Blobs first, then the document that names them, the index last: whoever sees a document at the
 * target can have all that it leads to. Nothing is parsed beyond digests and sizes, so artifacts of
 * any kind pass through; only to choose an image from an index is it looked at more closely.
 */
#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/sha256.h"
#include "engine/copy_internal.h"
#include "engine/image.h"
#include "image/manifest.h"
#include "image/platform.h"

/* Indexes within indexes, and referrers of referrers. */
#define MAX_NESTING 4

#define HASH_CHUNK ((size_t)1 << 20)

struct copy {
	const struct image_copy_request *request;
	struct copy_end *source, *target;
	struct platform platform;
	struct strv done;             /* digests that are there now */
	bool trusted;                 /* the policy has accepted what led here */
	const struct copy_blob *blob; /* on its way */
};

static void copy_release(struct copy *copy)
{
	platform_release(&copy->platform);
	strv_release(&copy->done);
}

DEFINE_CLEANUP_VALUE(struct copy, copy_release);

void copy_end_free(struct copy_end *end)
{
	if (end)
		end->ops->close(end);
}

void copy_document_release(struct copy_document *document)
{
	free(document->text);
	free(document->media_type);
	*document = (struct copy_document){0};
}

void copy_document_seal(struct copy_document *document)
{
	static_assert(sizeof(document->digest) > DIGEST_TEXT_LEN, "a digest fits");
	sha256_of(document->text, document->len, document->digest);
}

char *copy_referrers_tag(const char *digest)
{
	return xasprintf("sha256-%s", digest + strlen("sha256:"));
}

/* ---- blobs ---- */

static int check_file(int fd, const struct copy_blob *blob, struct error *err)
{
	auto_free char *chunk = xmalloc(HASH_CHUNK);
	char digest[DIGEST_TEXT_LEN + 1];
	struct sha256 hash;
	uint64_t offset = 0;
	ssize_t n;

	sha256_init(&hash);
	while ((n = fd_pread_full(fd, chunk, HASH_CHUNK, offset)) > 0) {
		sha256_update(&hash, chunk, (size_t)n);
		offset += (uint64_t)n;
	}
	if (n < 0)
		return err_set(err, ERR_SYSTEM, (int)-n, "read what was copied");
	sha256_digest(&hash, digest);
	if (strcmp(digest, blob->digest) != 0 || offset != blob->size_bytes)
		return err_set(err, ERR_INVALID, EBADMSG,
			       "the source sent %s (%llu bytes) instead of %s (%llu bytes)", digest,
			       (unsigned long long)offset, blob->digest,
			       (unsigned long long)blob->size_bytes);
	return 0;
}

static void say(const struct copy *copy, const char *what, uint64_t bytes)
{
	const struct image_progress *progress = copy->request->progress;

	if (progress)
		progress->layer(progress->context, copy->blob->digest, what, bytes,
				copy->blob->size_bytes);
}

static void say_read(void *context, uint64_t bytes)
{
	say(context, "Copying", bytes);
}

static void say_written(void *context, uint64_t bytes)
{
	say(context, "Uploading", bytes);
}

static int bring_blob(struct copy *copy, const struct copy_blob *blob, struct error *err)
{
	struct copy_end *source = copy->source, *target = copy->target;
	auto_close int fd = target->ops->new_file(target, err);
	int r;

	if (fd < 0)
		return fd;
	say(copy, "Copying", 0);
	r = source->ops->read_blob(source, blob, fd, err);
	if (r >= 0)
		r = check_file(fd, blob, err);
	if (r >= 0)
		r = target->ops->write_blob(target, blob, fd, err);
	if (r < 0)
		return err_wrap(err, r, "blob %s", blob->digest);
	say(copy, "Copied", blob->size_bytes);
	return 0;
}

static int copy_blob(struct copy *copy, const struct copy_blob *blob, struct error *err)
{
	int r;

	if (strv_has(&copy->done, blob->digest))
		return 0;
	copy->blob = blob;
	r = copy->target->ops->has_blob(copy->target, blob, err);
	if (r == 0)
		r = bring_blob(copy, blob, err);
	else if (r > 0)
		say(copy, "Already there", blob->size_bytes);
	copy->blob = NULL;
	if (r < 0)
		return r;
	strv_add(&copy->done, blob->digest);
	return 0;
}

static int take_descriptor(const json_t *object, struct copy_blob *ret_blob, struct error *err)
{
	const char *digest = json_get_string(object, "digest", "");
	int64_t size = json_get_int(object, "size", -1);

	if (!digest_is_valid(digest) || size < 0)
		return err_set(err, ERR_INVALID, 0, "a manifest has an invalid descriptor");
	*ret_blob = (struct copy_blob){.digest = digest, .size_bytes = (uint64_t)size};
	return 0;
}

/* What a manifest of any kind names: its configuration and its layers. */
static int copy_contents(struct copy *copy, const json_t *manifest, struct error *err)
{
	const json_t *config = json_object_get(manifest, "config");
	const json_t *layers = json_object_get(manifest, "layers");
	struct copy_blob blob = {0};
	int r = 0;

	if (json_array_size(layers) > MANIFEST_MAX_LAYERS)
		return err_set(err, ERR_INVALID, 0, "a manifest has too many layers");
	for (size_t i = 0; r >= 0 && i < json_array_size(layers); i++) {
		r = take_descriptor(json_array_get(layers, i), &blob, err);
		if (r >= 0)
			r = copy_blob(copy, &blob, err);
	}
	if (r >= 0 && config) {
		r = take_descriptor(config, &blob, err);
		if (r >= 0)
			r = copy_blob(copy, &blob, err);
	}
	return r;
}

/* ---- documents ---- */

static int copy_document_tree(struct copy *copy, const struct copy_document *document,
			      const char *reference, unsigned int depth, struct error *err);

/* A document that another one names, and that is no name of the target. */
static int copy_named(struct copy *copy, const char *digest, unsigned int depth, struct error *err)
{
	auto_(copy_document_release) struct copy_document document = {0};
	int r;

	if (strv_has(&copy->done, digest))
		return 0;
	r = copy->source->ops->read_document(copy->source, digest, &document, err);
	if (r >= 0)
		r = copy_document_tree(copy, &document, digest, depth + 1, err);
	return r < 0 ? err_wrap(err, r, "manifest %s", digest) : 0;
}

static int copy_listed(struct copy *copy, const json_t *index, unsigned int depth,
		       struct error *err)
{
	const json_t *items = json_object_get(index, "manifests");
	struct copy_blob item = {0};
	int r = 0;

	if (json_array_size(items) > INDEX_MAX_ENTRIES)
		return err_set(err, ERR_INVALID, 0, "an index has too many entries");
	for (size_t i = 0; r >= 0 && i < json_array_size(items); i++) {
		r = take_descriptor(json_array_get(items, i), &item, err);
		if (r >= 0)
			r = copy_named(copy, item.digest, depth, err);
	}
	return r;
}

/* Where the target does not keep the list itself, it is written as a tag. */
static int list_referrers(struct copy *copy, const char *digest, char *text, size_t len,
			  struct error *err)
{
	struct copy_end *target = copy->target;
	struct copy_document list = {.text = text, .len = len}; /* borrows */
	auto_free char *there = NULL, *tag = copy_referrers_tag(digest);
	size_t there_len;
	int r;

	if (!target->ops->read_referrers)
		return 0;
	r = target->ops->read_referrers(target, digest, &there, &there_len, err);
	if (r < 0 || there)
		return r;
	list.media_type = (char *)MEDIA_OCI_INDEX;
	copy_document_seal(&list);
	return target->ops->write_document(target, tag, &list, err);
}

static int copy_referrers(struct copy *copy, const char *digest, unsigned int depth,
			  struct error *err)
{
	auto_(json_decref) json_t *index = NULL;
	auto_free char *text = NULL;
	size_t len;
	int r;

	if (!copy->request->all || !copy->source->ops->read_referrers)
		return 0;
	r = copy->source->ops->read_referrers(copy->source, digest, &text, &len, err);
	if (r < 0 || !text)
		return r;
	r = json_parse(text, len, "the list of referrers", &index, err);
	if (r < 0 || json_array_size(json_object_get(index, "manifests")) == 0)
		return r;
	r = copy_listed(copy, index, depth, err);
	return r < 0 ? r : list_referrers(copy, digest, text, len, err);
}

static const char *media_type_of(const struct copy_document *document, const json_t *root)
{
	const char *own = json_get_string(root, "mediaType", "");

	if (own[0])
		return own;
	if (document->media_type)
		return document->media_type;
	return json_object_get(root, "manifests") ? MEDIA_OCI_INDEX : MEDIA_OCI_MANIFEST;
}

static int copy_document_tree(struct copy *copy, const struct copy_document *document,
			      const char *reference, unsigned int depth, struct error *err)
{
	auto_(json_decref) json_t *root = NULL;
	struct copy_document sent = *document; /* borrows */
	bool index;
	int r;

	if (depth > MAX_NESTING)
		return err_set(err, ERR_INVALID, 0, "indexes are nested too deep");
	r = json_parse(document->text, document->len, "manifest", &root, err);
	if (r < 0)
		return r;
	index = json_object_get(root, "manifests");
	/* CVE-2021-41190: what is both would be one thing here and another elsewhere. */
	if (index == (json_object_get(root, "layers") || json_object_get(root, "config")))
		return err_set(err, ERR_INVALID, 0,
			       "what the source has is neither a manifest nor an index, or both");
	r = index ? copy_listed(copy, root, depth, err) : copy_contents(copy, root, err);
	if (r < 0)
		return r;
	sent.media_type = (char *)media_type_of(document, root);
	r = copy->target->ops->write_document(copy->target, reference, &sent, err);
	if (r < 0)
		return r;
	strv_add(&copy->done, document->digest);
	return copy_referrers(copy, document->digest, depth, err);
}

/* ---- which document ---- */

static bool looks_like_index(const struct copy_document *document)
{
	auto_(error_release) struct error ignored = {0};
	auto_(json_decref) json_t *root = NULL;

	return json_parse(document->text, document->len, "manifest", &root, &ignored) >= 0 &&
	       json_is_array(json_object_get(root, "manifests"));
}

/* Replaces an index by the document in it for the platform. */
static int choose(struct copy *copy, struct copy_document *document, struct error *err)
{
	auto_(manifest_release) struct manifest index = {0};
	auto_free char *offered = NULL, *digest = NULL;
	int r;

	r = manifest_parse(document->text, document->len, NULL, &index, err);
	if (r < 0)
		return r;
	r = manifest_choose(&index, &copy->platform, &offered);
	if (r < 0)
		return err_set(err, ERR_UNAVAILABLE, 0,
			       "no image in the index is for this platform, there is %s (--all "
			       "copies all of them)",
			       offered[0] ? offered : "none");
	digest = xstrdup(index.items[r].digest);
	copy_document_release(document);
	return copy->source->ops->read_document(copy->source, digest, document, err);
}

/* As when pulling: an index may vouch for what it names, or that for itself. */
static int check_policy(struct copy *copy, const struct copy_document *document, bool may_follow,
			struct error *err)
{
	auto_(error_release) struct error refusal = {0};

	if (copy->trusted)
		return 0;
	if (copy->source->ops->check_policy(copy->source, document->digest, &refusal) >= 0) {
		copy->trusted = true;
		return 0;
	}
	if (may_follow && refusal.kind == ERR_DENIED)
		return 0;
	return err_move(err, &refusal);
}

static int run_copy(struct copy *copy, char **ret_digest, struct error *err)
{
	auto_(copy_document_release) struct copy_document document = {0};
	bool all = copy->request->all, index;
	int r;

	r = copy->source->ops->read_document(copy->source, NULL, &document, err);
	if (r < 0)
		return r;
	index = looks_like_index(&document);
	r = check_policy(copy, &document, index && !all, err);
	for (unsigned int depth = 0; r >= 0 && index && !all; depth++) {
		if (depth == MAX_NESTING)
			return err_set(err, ERR_INVALID, 0, "indexes are nested too deep");
		r = choose(copy, &document, err);
		index = r >= 0 && looks_like_index(&document);
		if (r >= 0)
			r = check_policy(copy, &document, index, err);
	}
	if (r >= 0)
		r = copy_document_tree(copy, &document, NULL, 0, err);
	if (r < 0)
		return r;
	*ret_digest = xstrdup(document.digest);
	return 0;
}

int copy_run(const struct image_copy_request *request, struct copy_end *source,
	     struct copy_end *target, char **ret_digest, struct error *err)
{
	auto_(copy_release) struct copy copy = {
		.request = request,
		.source = source,
		.target = target,
	};
	int r = 0;

	source->moved = say_read;
	target->moved = say_written;
	source->moved_context = target->moved_context = &copy;
	if (request->platform)
		r = platform_parse(request->platform, &copy.platform, err);
	else
		platform_of_machine(&copy.platform);
	return r < 0 ? r : run_copy(&copy, ret_digest, err);
}
