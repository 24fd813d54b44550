/* SPDX-License-Identifier: Apache-2.0 */
/* What a registry has: tags, and what is found by a word. */
#include <string.h>

#include "base/alloc.h"
#include "engine/registry.h"
#include "engine/registry_access.h"
#include "engine/registry_helper.h"
#include "image/reference.h"
#include "registry/protocol.h"

#define TAGS_MAX_BYTES ((size_t)16 << 20)
#define HUB "docker.io"

static int tags_of(const struct registry_options *options, const struct reference *reference,
		   struct strv *ret_tags, struct error *err)
{
	auto_(registry_helper_stop) struct registry_helper helper = REGISTRY_HELPER_EMPTY;
	auto_(json_decref) json_t *config = NULL;
	auto_(strv_release) struct strv lines = {0};
	auto_free char *text = NULL;
	int r;

	r = registry_access_push(options, reference, &lines, &config, err);
	if (r < 0)
		return r;
	json_set_string(config, "actions", "pull");
	r = registry_helper_start(config, NO_FD, &helper, err);
	if (r >= 0)
		r = registry_helper_fetch(&helper, json_pack("{s:s}", "op", "tags"), TAGS_MAX_BYTES,
					  NULL, &text, NULL, err);
	if (r < 0)
		return r;
	strv_split(&lines, text, '\n');
	for (size_t i = 0; i < lines.count; i++)
		if (lines.items[i][0])
			strv_add(ret_tags, lines.items[i]);
	return 0;
}

int registry_tags(const struct registry_options *options, const char *repository,
		  struct strv *ret_tags, char **ret_repository, struct error *err)
{
	auto_(strv_release) struct strv names = {0};
	int r;

	r = registry_access_names(repository, /* can_ask= */ false, &names, NULL, err);
	for (size_t i = 0; r >= 0 && i < names.count; i++) {
		auto_(reference_release) struct reference reference = {0};

		r = reference_parse(names.items[i], &reference, err);
		if (r >= 0)
			r = tags_of(options, &reference, ret_tags, err);
		if (r >= 0) {
			*ret_repository = reference_repository(&reference);
			return 0;
		}
		if (i + 1 == names.count || (err->kind != ERR_NOT_FOUND && err->kind != ERR_DENIED))
			return r;
		error_release(err);
		r = 0;
	}
	return r;
}

/* "host:5000/busy" asks that registry; what has no domain asks the Hub. */
static void split_term(const char *term, char **ret_domain, const char **ret_word)
{
	const char *slash = strchr(term, '/');
	size_t len = slash ? (size_t)(slash - term) : 0;
	auto_free char *first = xstrndup(term, len);

	if (slash && (strpbrk(first, ".:") || strcmp(first, "localhost") == 0)) {
		*ret_domain = TAKE_PTR(first);
		*ret_word = slash + 1;
		return;
	}
	*ret_domain = xstrdup(HUB);
	*ret_word = term;
}

int registry_search(const struct search_request *request, json_t **ret_results, struct error *err)
{
	auto_(registry_helper_stop) struct registry_helper helper = REGISTRY_HELPER_EMPTY;
	auto_(json_decref) json_t *config = NULL, *answer = NULL;
	auto_free char *domain = NULL, *text = NULL;
	const char *word;
	json_t *results;
	size_t len = 0;
	int r;

	split_term(request->term, &domain, &word);
	r = registry_access_host(&request->registry, domain, &config, err);
	if (r >= 0)
		r = registry_helper_start(config, NO_FD, &helper, err);
	if (r >= 0)
		r = registry_helper_fetch(&helper,
					  json_pack("{s:s, s:s, s:I}", "op", "search", "term", word,
						    "limit", (json_int_t)request->limit),
					  REGISTRY_DOCUMENT_MAX, NULL, &text, &len, err);
	if (r >= 0)
		r = json_parse(text, len, "the registry's answer", &answer, err);
	if (r < 0)
		return err_wrap(err, r, "search '%s'", request->term);
	results = json_object_get(answer, "results");
	*ret_results = json_is_array(results) ? json_incref(results) : json_array();
	return 0;
}
