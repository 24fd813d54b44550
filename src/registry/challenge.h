/* SPDX-License-Identifier: Apache-2.0 */
/*
 * challenge.h - what WWW-Authenticate asks for (RFC 9110, section 11.6.1)
 *
 * A header holds any number of challenges, and there may be several headers. Names are compared
 * without case; of a parameter that occurs twice, the first counts. What cannot be understood ends
 * the header quietly: a challenge that we do not see is one that we do not answer.
 */
#ifndef SKIFF_REGISTRY_CHALLENGE_H
#define SKIFF_REGISTRY_CHALLENGE_H

#include <stddef.h>

#include "base/cleanup.h"

#define CHALLENGES_MAX 8

enum challenge_scheme {
	CHALLENGE_BASIC,
	CHALLENGE_BEARER,
	CHALLENGE_OTHER,
};

struct challenge {
	enum challenge_scheme scheme;
	char *realm, *service, *scope; /* NULL when absent */
};

struct challenges {
	struct challenge items[CHALLENGES_MAX];
	size_t count;
};

/* Adds those of one header. */
void challenges_parse(struct challenges *challenges, const char *header);
void challenges_release(struct challenges *challenges);

/* The first of this scheme; NULL when there is none. */
const struct challenge *challenges_find(const struct challenges *challenges,
					enum challenge_scheme scheme);

DEFINE_CLEANUP_VALUE(struct challenges, challenges_release);

#endif
