/* SPDX-License-Identifier: Apache-2.0 */
#include "image/reference.h"

#include <string.h>

#include "base/alloc.h"
#include "base/hex.h"
#include "base/sha256.h"

#define DEFAULT_DOMAIN "docker.io"
#define LEGACY_DOMAIN "index.docker.io"
#define OFFICIAL "library/"
#define DEFAULT_TAG "latest"

#define NAME_MAX_LEN 255
#define TAG_MAX_LEN 128
#define TEXT_MAX_LEN 1024

void reference_release(struct reference *reference)
{
	free(reference->domain);
	free(reference->path);
	free(reference->tag);
	free(reference->digest);
	*reference = (struct reference){0};
}

/* The C library's classes depend on the locale. */
static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_lower_alnum(char c)
{
	return is_lower(c) || is_digit(c);
}

static bool is_alnum(char c)
{
	return is_lower_alnum(c) || is_upper(c);
}

/* Length of the separator at s: ".", "_", "__" or any number of "-"; 0 when there is none. */
static size_t separator_len(const char *s)
{
	if (s[0] == '.')
		return 1;
	if (s[0] == '_')
		return s[1] == '_' ? 2 : 1;
	return strspn(s, "-");
}

/* Lower-case alphanumeric runs, with separators between them, in components between slashes. */
static bool path_is_valid(const char *path)
{
	for (const char *p = path;;) {
		if (!is_lower_alnum(*p))
			return false;
		while (is_lower_alnum(*p))
			p++;
		if (!*p)
			return true;
		if (*p == '/') {
			p++;
			continue;
		}
		if (separator_len(p) == 0)
			return false;
		p += separator_len(p);
	}
}

static bool port_is_valid(const char *port)
{
	return *port && port[strspn(port, "0123456789")] == '\0';
}

static bool domain_label_is_valid(const char *label, size_t len)
{
	if (len == 0 || !is_alnum(label[0]) || !is_alnum(label[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_alnum(label[i]) && label[i] != '-')
			return false;
	return true;
}

static bool domain_is_valid(const char *domain)
{
	const char *p = domain;

	if (*p == '[') {
		size_t len = strspn(p + 1, "0123456789abcdefABCDEF:");

		if (len == 0 || p[1 + len] != ']')
			return false;
		p += len + 2;
		return *p == '\0' || (*p == ':' && port_is_valid(p + 1));
	}
	for (;;) {
		size_t len = strcspn(p, ".:");

		if (!domain_label_is_valid(p, len))
			return false;
		p += len;
		if (*p == '\0')
			return true;
		if (*p == ':')
			return port_is_valid(p + 1);
		p++;
	}
}

static bool tag_is_valid(const char *tag)
{
	size_t len = strlen(tag);

	if (len == 0 || len > TAG_MAX_LEN || !(is_alnum(tag[0]) || tag[0] == '_'))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_alnum(tag[i]) && !strchr("_.-", tag[i]))
			return false;
	return true;
}

/* What is before the first slash is a domain when it cannot be a user's name. */
static bool looks_like_domain(const char *text, size_t len)
{
	if (len == strlen("localhost") && strncmp(text, "localhost", len) == 0)
		return true;
	for (size_t i = 0; i < len; i++)
		if (text[i] == '.' || text[i] == ':' || is_upper(text[i]))
			return true;
	return false;
}

/* Splits a name without tag and digest. */
static void split_domain(const char *name, struct reference *reference)
{
	const char *slash = strchr(name, '/');
	const char *path = name;

	if (slash && looks_like_domain(name, (size_t)(slash - name))) {
		reference->domain = xstrndup(name, (size_t)(slash - name));
		path = slash + 1;
	}
	if (!reference->domain || strcmp(reference->domain, LEGACY_DOMAIN) == 0) {
		free(reference->domain);
		reference->domain = xstrdup(DEFAULT_DOMAIN);
	}
	if (strcmp(reference->domain, DEFAULT_DOMAIN) == 0 && !strchr(path, '/'))
		reference->path = xasprintf(OFFICIAL "%s", path);
	else
		reference->path = xstrdup(path);
}

static int bad(struct error *err, const char *text, const char *why)
{
	return err_set(err, ERR_INVALID, 0, "invalid reference format: '%.200s': %s", text, why);
}

static int check(const struct reference *r, const char *text, struct error *err)
{
	if (r->digest && !digest_is_valid(r->digest))
		return bad(err, text, "the digest is not sha256: and 64 lower-case hex digits");
	if (r->tag && !tag_is_valid(r->tag))
		return bad(err, text,
			   "a tag is 1 to 128 of [A-Za-z0-9_.-], not starting with . or -");
	if (!domain_is_valid(r->domain))
		return bad(err, text, "the registry's name is not valid");
	for (const char *p = r->path; *p; p++)
		if (is_upper(*p))
			return bad(err, text, "repository name must be lowercase");
	if (!path_is_valid(r->path))
		return bad(err, text, "the repository's name is not valid");
	if (strlen(r->domain) + 1 + strlen(r->path) > NAME_MAX_LEN)
		return bad(err, text, "longer than 255 characters");
	return 0;
}

int reference_parse(const char *text, struct reference *ret_reference, struct error *err)
{
	auto_(reference_release) struct reference reference = {0};
	auto_free char *name = NULL;
	char *at, *colon, *slash;
	int r;

	if (strlen(text) > TEXT_MAX_LEN)
		return bad(err, text, "too long");
	if (strlen(text) == 64 && hex_is(text, 64))
		return bad(err, text, "64 hexadecimal digits are an id, not a name");
	name = xstrdup(text);
	at = strchr(name, '@');
	if (at) {
		*at = '\0';
		reference.digest = xstrdup(at + 1);
	}
	colon = strrchr(name, ':');
	slash = strrchr(name, '/');
	if (colon && (!slash || colon > slash)) {
		*colon = '\0';
		reference.tag = xstrdup(colon + 1);
	}
	if (!reference.tag && !reference.digest)
		reference.tag = xstrdup(DEFAULT_TAG);
	split_domain(name, &reference);
	r = check(&reference, text, err);
	if (r < 0)
		return r;
	*ret_reference = reference;
	reference = (struct reference){0};
	return 0;
}

char *reference_repository(const struct reference *reference)
{
	return xasprintf("%s/%s", reference->domain, reference->path);
}

char *reference_familiar_repository(const struct reference *reference)
{
	const char *path = reference->path;

	if (strcmp(reference->domain, DEFAULT_DOMAIN) != 0)
		return reference_repository(reference);
	/* "docker.io/a.b/c" must not become "a.b/c", which is another registry's. */
	if (looks_like_domain(path, strcspn(path, "/")))
		return reference_repository(reference);
	if (strncmp(path, OFFICIAL, strlen(OFFICIAL)) == 0 && !strchr(path + strlen(OFFICIAL), '/'))
		path += strlen(OFFICIAL);
	return xstrdup(path);
}

static char *with_tag_or_digest(const struct reference *reference, const char *repository)
{
	if (reference->tag)
		return xasprintf("%s:%s", repository, reference->tag);
	return xasprintf("%s@%s", repository, reference->digest);
}

char *reference_format(const struct reference *reference)
{
	auto_free char *repository = reference_repository(reference);

	return with_tag_or_digest(reference, repository);
}

char *reference_familiar(const struct reference *reference)
{
	auto_free char *repository = reference_familiar_repository(reference);

	return with_tag_or_digest(reference, repository);
}
