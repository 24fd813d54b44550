/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signature_list.c - the manifest under which cosign stores an image's signatures
 *
 * Each layer is a payload, and carries its signature as an annotation. Everything here comes from a
 * registry and proves nothing; what is of another kind is skipped.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/sha256.h"
#include "trust/policy.h"

#define PAYLOAD_TYPE "application/vnd.dev.cosign.simplesigning.v1+json"
#define SIGNATURE_KEY "dev.cosignproject.cosign/signature"
#define SIGNATURE_MAX_TEXT 8192

void signature_list_release(struct signature_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->items[i].digest);
		free(list->items[i].signature);
	}
	free(list->items);
	*list = (struct signature_list){0};
}

static bool is_signature(const json_t *layer)
{
	const char *text =
		json_get_string(json_object_get(layer, "annotations"), SIGNATURE_KEY, "");
	int64_t size = json_get_int(layer, "size", 0);

	return strcmp(json_get_string(layer, "mediaType", ""), PAYLOAD_TYPE) == 0 &&
	       digest_is_valid(json_get_string(layer, "digest", "")) && size > 0 &&
	       size <= (int64_t)SIGNATURE_MAX_PAYLOAD && text[0] &&
	       strlen(text) <= SIGNATURE_MAX_TEXT;
}

int signature_list_parse(const char *text, size_t len, struct signature_list *ret_list,
			 struct error *err)
{
	auto_(signature_list_release) struct signature_list list = {0};
	auto_(json_decref) json_t *root = NULL;
	const json_t *layers;
	int r;

	r = json_parse(text, len, "the manifest of the signatures", &root, err);
	if (r < 0)
		return r;
	layers = json_object_get(root, "layers");
	list.items = xcalloc(POLICY_MAX_SIGNATURES, sizeof(*list.items));
	for (size_t i = 0; i < json_array_size(layers) && list.count < POLICY_MAX_SIGNATURES; i++) {
		const json_t *layer = json_array_get(layers, i);

		if (!is_signature(layer))
			continue;
		list.items[list.count++] = (struct stored_signature){
			.digest = xstrdup(json_get_string(layer, "digest", "")),
			.size_bytes = (uint64_t)json_get_int(layer, "size", 0),
			.signature = xstrdup(json_get_string(json_object_get(layer, "annotations"),
							     SIGNATURE_KEY, "")),
		};
	}
	*ret_list = list;
	list = (struct signature_list){0};
	return 0;
}
