/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_registry_answer.c - what registries send beside manifests
 *
 * The first byte chooses: challenges, links, ranges, dates, tokens, lists of tags, URLs. A token must be
 * fit for a header, a tag for a line.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "registry/challenge.h"
#include "registry/header_value.h"
#include "registry/origin.h"
#include "registry/tag_list.h"
#include "registry/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_headers(const char *text)
{
	auto_(challenges_release) struct challenges challenges = {0};
	auto_free char *url = NULL;
	struct content_range range;
	uint64_t number;

	challenges_parse(&challenges, text);
	if (challenges.count > CHALLENGES_MAX)
		abort();
	(void)header_next_link(text, &url);
	if (header_content_range(text, &range) == 0 && range.first > range.last)
		abort();
	(void)header_upload_range(text, &number);
	(void)header_retry_after(text, 1700000000, &number);
}

static void try_token(const char *text, size_t len)
{
	auto_(error_release) struct error err = {0};
	auto_free char *token = NULL;

	if (token_parse(text, len, &token, &err) >= 0 && strpbrk(token, " \r\n\t"))
		abort();
}

static void try_tags(const char *text, size_t len)
{
	auto_(error_release) struct error err = {0};
	auto_(json_decref) json_t *root = NULL;
	auto_(strbuf_release) struct strbuf lines = {0};
	size_t count, found = 0;

	if (json_parse(text, len, "tags", &root, &err) < 0)
		return;
	count = tag_list_collect(root, &lines);
	for (const char *c = strbuf_text(&lines); *c; c++)
		found += *c == '\n';
	if (found != count)
		abort();
}

static void try_url(const char *text)
{
	auto_(error_release) struct error err = {0}, other = {0};
	auto_(origin_release) struct origin origin = {0};
	auto_free char *url = NULL;

	if (url_resolve("https://registry.example/v2/x", text, &url, &err) < 0)
		return;
	if (origin_parse(url, &origin, &other) >= 0 && !origin.host[0])
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *text = NULL;

	if (size == 0)
		return 0;
	text = xstrndup((const char *)data + 1, size - 1);
	switch (data[0] % 4) {
	case 0:
		try_headers(text);
		break;
	case 1:
		try_token(text, strlen(text));
		break;
	case 2:
		try_tags(text, strlen(text));
		break;
	default:
		try_url(text);
	}
	return 0;
}
