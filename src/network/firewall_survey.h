/* SPDX-License-Identifier: Apache-2.0 */
/*
 * firewall_survey.h - is our table whole, and who else has a say about our packets?
 *
 * A packet for a container passes the hooks prerouting, forward and postrouting, and every base chain
 * there may drop it, whatever ours decides. Rules of others are not evaluated: it is only said which
 * chains drop everything, and which might drop something.
 */
#ifndef SKIFF_NETWORK_FIREWALL_SURVEY_H
#define SKIFF_NETWORK_FIREWALL_SURVEY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/strv.h"

/* Somebody else's base chain that packets to containers pass. */
struct firewall_gate {
	char *name;   /* "ip filter FORWARD", as nft(8) wants it */
	bool v4, v6;  /* whose packets pass it */
	bool drops;   /* by its policy */
	bool accepts; /* some rule may */
	bool refuses; /* some rule may drop */
};

struct firewall_survey {
	bool has_table;
	struct strv faults;          /* what is missing in our table, a line each */
	struct strv tables;          /* other tables: "ip filter", "inet firewalld" */
	struct firewall_gate *gates; /* only those that can drop a packet */
	size_t gate_count;
};

int firewall_survey(int nft_sock, struct firewall_survey *ret_survey, struct error *err);
void firewall_survey_release(struct firewall_survey *survey);

/* Nothing that it forwards gets through. */
bool firewall_gate_is_shut(const struct firewall_gate *gate);

DEFINE_CLEANUP_VALUE(struct firewall_survey, firewall_survey_release);

#endif
