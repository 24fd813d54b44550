/* SPDX-License-Identifier: Apache-2.0 */
/*
 * origin.h - who is at the other end of a URL, and what that may see
 *
 * Credentials belong to the registry they were given for (CVE-2020-15157). A token goes back to
 * exactly the origin (scheme, host, port) that asked for one; a password goes there, and to the
 * realm that it names only when that is the same host, a host of the same owner (the same registrable
 * domain by the public suffix list, so that registry-1.docker.io may name auth.docker.io, but
 * evil.github.io not victim.github.io), or one that the user has named.
 */
#ifndef SKIFF_REGISTRY_ORIGIN_H
#define SKIFF_REGISTRY_ORIGIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"

struct origin {
	bool plain; /* http, else https */
	char *host; /* lower case; IPv6 in brackets */
	char *port;
};

/* Only http and https, no user information. ERR_INVALID. */
int origin_parse(const char *url, struct origin *ret_origin, struct error *err);
void origin_release(struct origin *origin);
bool origin_is_same(const struct origin *a, const struct origin *b);

/* `location` as seen from `base` (RFC 3986); caller frees. */
int url_resolve(const char *base, const char *location, char **ret_url, struct error *err);

/* "localhost", 127.0.0.0/8, [::1]. */
bool host_is_loopback(const char *host);

/* Whether what is meant for `registry` may be shown to `realm`; `trusted` are the user's. */
bool host_may_see_password(const char *registry, const char *realm, const struct strv *trusted);

DEFINE_CLEANUP_VALUE(struct origin, origin_release);

#endif
