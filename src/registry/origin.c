/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/origin.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <libpsl.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"

#define URL_MAX_LEN 8192

DEFINE_CLEANUP(CURLU *, curl_url_cleanup);
DEFINE_CLEANUP(char *, curl_free);

static int bad_url(struct error *err, const char *url, const char *why)
{
	return err_set(err, ERR_INVALID, 0, "'%.200s': %s", url, why);
}

static char *part_of(CURLU *u, CURLUPart part, unsigned int flags)
{
	auto_(curl_free) char *text = NULL;

	if (curl_url_get(u, part, &text, flags) != CURLUE_OK)
		return NULL;
	return xstrdup(text);
}

static int parse_url(const char *url, CURLU **ret_url, struct error *err)
{
	auto_(curl_url_cleanup) CURLU *u = curl_url();

	if (strlen(url) > URL_MAX_LEN)
		return bad_url(err, url, "too long");
	if (!u || curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
		return bad_url(err, url, "not a URL");
	*ret_url = TAKE_PTR(u);
	return 0;
}

int origin_parse(const char *url, struct origin *ret_origin, struct error *err)
{
	auto_(origin_release) struct origin origin = {0};
	auto_(curl_url_cleanup) CURLU *u = NULL;
	auto_free char *scheme = NULL, *user = NULL;
	int r;

	r = parse_url(url, &u, err);
	if (r < 0)
		return r;
	scheme = part_of(u, CURLUPART_SCHEME, 0);
	user = part_of(u, CURLUPART_USER, 0);
	origin.host = part_of(u, CURLUPART_HOST, 0);
	origin.port = part_of(u, CURLUPART_PORT, CURLU_DEFAULT_PORT);
	if (!scheme || (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0))
		return bad_url(err, url, "neither http nor https");
	if (user)
		return bad_url(err, url, "has a user name in it");
	if (!origin.host || !origin.host[0] || !origin.port)
		return bad_url(err, url, "has no host");
	for (char *c = origin.host; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	origin.plain = strcmp(scheme, "http") == 0;
	*ret_origin = origin;
	origin = (struct origin){0};
	return 0;
}

void origin_release(struct origin *origin)
{
	free(origin->host);
	free(origin->port);
	*origin = (struct origin){0};
}

bool origin_is_same(const struct origin *a, const struct origin *b)
{
	return a->plain == b->plain && strcmp(a->host, b->host) == 0 &&
	       strcmp(a->port, b->port) == 0;
}

int url_resolve(const char *base, const char *location, char **ret_url, struct error *err)
{
	auto_(curl_url_cleanup) CURLU *u = NULL;
	int r;

	r = parse_url(base, &u, err);
	if (r < 0)
		return r;
	if (strlen(location) > URL_MAX_LEN)
		return bad_url(err, location, "too long");
	if (curl_url_set(u, CURLUPART_URL, location, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
		return bad_url(err, location, "not a URL");
	*ret_url = part_of(u, CURLUPART_URL, 0);
	return *ret_url ? 0 : bad_url(err, location, "not a URL");
}

static bool is_address(const char *host)
{
	struct in_addr address;

	return host[0] == '[' || inet_pton(AF_INET, host, &address) == 1;
}

bool host_is_loopback(const char *host)
{
	struct in_addr address;

	if (strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
		return true;
	return inet_pton(AF_INET, host, &address) == 1 && (ntohl(address.s_addr) >> 24) == 127;
}

static bool same_owner(const char *a, const char *b)
{
	const psl_ctx_t *list = psl_builtin();
	const char *x, *y;

	if (!list || is_address(a) || is_address(b))
		return false;
	x = psl_registrable_domain(list, a);
	y = psl_registrable_domain(list, b);
	return x && y && strcmp(x, y) == 0;
}

bool host_may_see_password(const char *registry, const char *realm, const struct strv *trusted)
{
	return strcmp(registry, realm) == 0 || strv_has(trusted, realm) ||
	       same_owner(registry, realm);
}
