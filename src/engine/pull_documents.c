/* SPDX-License-Identifier: Apache-2.0 */
/* From a name to a manifest and a configuration; see pull_internal.h. */
#include <string.h>

#include "base/alloc.h"
#include "base/sha256.h"
#include "engine/image_policy.h"
#include "engine/pull_internal.h"
#include "registry/protocol.h"

/* Indexes within indexes. */
#define MAX_NESTING 4

struct document {
	char *text; /* owned */
	size_t len;
	char *media_type; /* owned; what the registry says, NULL when that is none of ours */
	char digest[DIGEST_TEXT_LEN + 1];
};

static void document_release(struct document *document)
{
	free(document->text);
	free(document->media_type);
	*document = (struct document){0};
}

DEFINE_CLEANUP_VALUE(struct document, document_release);

/* Some registries call everything application/json: that says nothing. */
static char *known_media_type(const char *text)
{
	static const char *const known[] = {
		MEDIA_OCI_INDEX,
		MEDIA_OCI_MANIFEST,
		MEDIA_DOCKER_LIST,
		MEDIA_DOCKER_MANIFEST,
	};

	for (size_t i = 0; text && i < ARRAY_SIZE(known); i++)
		if (strcmp(known[i], text) == 0)
			return xstrdup(text);
	return NULL;
}

static int check_digest(const struct document *document, const char *wanted, struct error *err)
{
	if (!wanted || strcmp(document->digest, wanted) == 0)
		return 0;
	return err_set(err, ERR_INVALID, EBADMSG, "the registry sent %s where %s was asked for",
		       document->digest, wanted);
}

static int fetch_manifest(struct pull *pull, const char *reference, struct document *ret_document,
			  struct error *err)
{
	auto_(document_release) struct document document = {0};
	auto_(json_decref) json_t *done = NULL;
	json_t *request = json_pack("{s:s, s:s}", "op", "manifest", "reference", reference);
	const char *claim;
	int r;

	if (pull->endpoint >= 0)
		(void)json_object_set_new(request, "endpoint", json_integer(pull->endpoint));
	r = registry_helper_fetch(&pull->helper, request, MANIFEST_MAX_BYTES, &done, &document.text,
				  &document.len, err);
	if (r < 0)
		return r;
	sha256_of(document.text, document.len, document.digest);
	document.media_type = known_media_type(json_get_string(done, "mediaType", NULL));
	/* A tag promises nothing; but what the registry says of its own answer should be true. */
	claim = json_get_string(done, "digest", NULL);
	r = check_digest(&document,
			 digest_is_valid(reference)        ? reference
			 : claim && digest_is_valid(claim) ? claim
							   : NULL,
			 err);
	if (r < 0)
		return r;
	pull->endpoint = json_get_int(done, "endpoint", 0);
	*ret_document = document;
	document = (struct document){0};
	return 0;
}

static int nothing_suits(const struct pull *pull, const char *offered, struct error *err)
{
	auto_free char *wanted = platform_format(&pull->loader.platform);

	if (!offered[0])
		return err_set(err, ERR_INVALID, 0, "nothing in the index is an image");
	return err_set(err, ERR_UNAVAILABLE, 0,
		       "no matching manifest for %s in the manifest list entries: there is %s",
		       wanted, offered);
}

/* Leads from an index to the next document. */
static int follow_index(struct pull *pull, const struct manifest *index, struct document *document,
			char **expected_type, struct error *err)
{
	auto_free char *offered = NULL;
	const struct descriptor *chosen;
	int r;

	r = manifest_choose(index, &pull->loader.platform, &offered);
	if (r < 0)
		return nothing_suits(pull, offered, err);
	chosen = &index->items[r];
	pull->from_index = true;
	document_release(document);
	r = fetch_manifest(pull, chosen->digest, document, err);
	if (r < 0)
		return r;
	if (document->len != chosen->size_bytes)
		return err_set(err, ERR_INVALID, EBADMSG, "%s has %zu bytes, not %llu",
			       chosen->digest, document->len,
			       (unsigned long long)chosen->size_bytes);
	free(*expected_type);
	*expected_type =
		xstrdup_or_null(chosen->media_type ? chosen->media_type : document->media_type);
	return 0;
}

/*
 * A signature of an index vouches for all that the index names. One that has none may lead to a
 * manifest that has one.
 */
static int check_policy(struct pull *pull, const char *digest, struct error *err)
{
	auto_(error_release) struct error refusal = {0};

	if (pull->trusted)
		return 0;
	if (image_policy_check(pull->policy, &pull->reference, digest, &pull->helper,
			       pull->endpoint, &refusal) >= 0) {
		pull->trusted = true;
		return 0;
	}
	if (pull->manifest.kind == MANIFEST_INDEX && refusal.kind == ERR_DENIED)
		return 0;
	return err_move(err, &refusal);
}

static int find_manifest(struct pull *pull, struct document *document, struct error *err)
{
	const struct reference *reference = &pull->reference;
	auto_free char *expected_type = NULL;
	int r;

	r = fetch_manifest(pull, reference->digest ? reference->digest : reference->tag, document,
			   err);
	if (r < 0)
		return r;
	pull->digest = xstrdup(document->digest);
	expected_type = xstrdup_or_null(document->media_type);
	for (unsigned int depth = 0; depth < MAX_NESTING; depth++) {
		manifest_release(&pull->manifest);
		r = manifest_parse(document->text, document->len, expected_type, &pull->manifest,
				   err);
		if (r >= 0)
			r = check_policy(pull, document->digest, err);
		if (r < 0 || pull->manifest.kind == MANIFEST_IMAGE)
			return r;
		r = follow_index(pull, &pull->manifest, document, &expected_type, err);
		if (r < 0)
			return r;
	}
	return err_set(err, ERR_INVALID, 0, "indexes are nested too deep");
}

static int fetch_config(struct pull *pull, struct error *err)
{
	const struct descriptor *config = &pull->manifest.config;
	struct source_image *image = &pull->image;
	char digest[DIGEST_TEXT_LEN + 1];
	json_t *request;
	int r;

	if (config->size_bytes > REGISTRY_DOCUMENT_MAX)
		return err_set(err, ERR_INVALID, EFBIG, "the configuration is too long");
	request = json_pack("{s:s, s:s, s:I, s:I}", "op", "blob", "digest", config->digest, "size",
			    (json_int_t)config->size_bytes, "endpoint", (json_int_t)pull->endpoint);
	r = registry_helper_fetch(&pull->helper, request, REGISTRY_DOCUMENT_MAX, NULL,
				  &image->config_text, &image->config_len, err);
	if (r < 0)
		return err_wrap(err, r, "the image's configuration");
	sha256_of(image->config_text, image->config_len, digest);
	if (strcmp(digest, config->digest) != 0)
		return err_set(err, ERR_INVALID, EBADMSG,
			       "the configuration hashes to %s, not to %s", digest, config->digest);
	return 0;
}

static bool is_foreign(const struct descriptor *layer)
{
	return layer->media_type && (strstr(layer->media_type, ".foreign.") ||
				     strstr(layer->media_type, ".nondistributable."));
}

static int list_layers(struct pull *pull, struct error *err)
{
	struct source_image *image = &pull->image;
	const struct manifest *manifest = &pull->manifest;

	image->layers = xcalloc(manifest->count + 1, sizeof(image->layers[0]));
	for (size_t i = 0; i < manifest->count; i++) {
		if (is_foreign(&manifest->items[i]) && !pull->request->foreign_layers)
			return err_set(err, ERR_DENIED, 0,
				       "layer %zu of %zu is to be fetched from elsewhere "
				       "(--foreign-layers allows it)",
				       i + 1, manifest->count);
		image->layers[i].digest = xstrdup(manifest->items[i].digest);
		image->layers[i].size_bytes = manifest->items[i].size_bytes;
		image->layer_count = i + 1;
	}
	return 0;
}

int pull_documents(struct pull *pull, struct error *err)
{
	auto_(document_release) struct document document = {0};
	int r;

	r = find_manifest(pull, &document, err);
	if (r < 0)
		return r;
	pull->image.manifest_digest = xstrdup(document.digest);
	pull->image.manifest_text = TAKE_PTR(document.text);
	pull->image.manifest_len = document.len;
	r = list_layers(pull, err);
	if (r >= 0)
		r = fetch_config(pull, err);
	if (r < 0)
		return r;
	/* What is no index is for one platform: whoever asked for none gets that. */
	return source_image_check(
		&pull->image, pull->request->name,
		pull->request->platform || pull->from_index ? &pull->loader.platform : NULL, err);
}
