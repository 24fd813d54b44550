/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/challenge.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/strbuf.h"

/* "token" of RFC 9110: visible characters that are no delimiters. */
static size_t token_len(const char *s)
{
	size_t len = 0;

	while (s[len] > ' ' && s[len] < 0x7f && !strchr("\"(),/:;<=>?@[\\]{}", s[len]))
		len++;
	return len;
}

static const char *skip_space(const char *s)
{
	return s + strspn(s, " \t");
}

/* The text in quotes at s, without its escapes; returns what follows, NULL when it has no end. */
static const char *read_quoted(const char *s, char **ret_text)
{
	auto_(strbuf_release) struct strbuf text = {0};

	for (s++; *s != '"'; s++) {
		if (*s == '\\' && s[1])
			s++;
		if (!*s)
			return NULL;
		strbuf_addc(&text, *s);
	}
	*ret_text = strbuf_take(&text);
	return s + 1;
}

static const char *read_value(const char *s, char **ret_text)
{
	size_t len;

	if (*s == '"')
		return read_quoted(s, ret_text);
	len = token_len(s);
	*ret_text = xstrndup(s, len);
	return s + len;
}

static bool is_name(const char *s, size_t len, const char *name)
{
	return len == strlen(name) && strncasecmp(s, name, len) == 0;
}

static enum challenge_scheme scheme_of(const char *s, size_t len)
{
	if (is_name(s, len, "basic"))
		return CHALLENGE_BASIC;
	if (is_name(s, len, "bearer"))
		return CHALLENGE_BEARER;
	return CHALLENGE_OTHER;
}

static void set_parameter(struct challenge *challenge, const char *name, size_t len, char *value)
{
	char **where = is_name(name, len, "realm")     ? &challenge->realm
		       : is_name(name, len, "service") ? &challenge->service
		       : is_name(name, len, "scope")   ? &challenge->scope
						       : NULL;

	if (where && !*where)
		*where = value;
	else
		free(value);
}

/*
 * A name followed by "=" is a parameter of the challenge before it; any other begins the next. (What
 * Negotiate sends looks like parameters; nobody looks at those.)
 */
void challenges_parse(struct challenges *challenges, const char *header)
{
	struct challenge *current = NULL;
	const char *s = header;

	for (;;) {
		const char *name = s += strspn(s, " \t,");
		size_t len = token_len(s);
		char *value = NULL;

		if (len == 0)
			return;
		s = skip_space(s + len);
		if (*s != '=') {
			if (challenges->count == CHALLENGES_MAX)
				return;
			current = &challenges->items[challenges->count++];
			*current = (struct challenge){.scheme = scheme_of(name, len)};
			continue;
		}
		if (!current)
			return;
		s = read_value(skip_space(s + 1), &value);
		if (!s)
			return;
		set_parameter(current, name, len, value);
	}
}

void challenges_release(struct challenges *challenges)
{
	for (size_t i = 0; i < challenges->count; i++) {
		free(challenges->items[i].realm);
		free(challenges->items[i].service);
		free(challenges->items[i].scope);
	}
	*challenges = (struct challenges){0};
}

const struct challenge *challenges_find(const struct challenges *challenges,
					enum challenge_scheme scheme)
{
	for (size_t i = 0; i < challenges->count; i++)
		if (challenges->items[i].scheme == scheme)
			return &challenges->items[i];
	return NULL;
}
