/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dns_answer.h - what a container's resolver knows by itself
 */
#ifndef SKIFF_NETWORK_DNS_ANSWER_H
#define SKIFF_NETWORK_DNS_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "network/plan.h"

struct dns_context {
	int networks_fd; /* STATE/networks; NO_FD: nothing is known */
	const struct network_plan *plan;
	unsigned int turn; /* counts answers: shared names are given in turn */
};

/*
 * Answers a message into `to`, at most `size` bytes. Returns the answer's length, 0 when somebody else
 * has to be asked, or a negative errno when it deserves no answer. A plan all of whose networks are
 * internal never asks anybody else (CVE-2024-29018 was that).
 */
int dns_answer_local(struct dns_context *context, const uint8_t *message, size_t len, uint8_t *to,
		     size_t size);

/* That nobody could be asked. Returns the length, 0 when there is nothing to answer. */
size_t dns_answer_failure(const uint8_t *message, size_t len, uint8_t *to, size_t size);

/* That the whole answer does not fit into what was asked for: to be asked for by TCP. */
size_t dns_answer_truncated(const uint8_t *message, size_t len, uint8_t *to, size_t size);

/* How long an answer to this message by UDP may be. */
size_t dns_answer_limit(const uint8_t *message, size_t len);

#endif
