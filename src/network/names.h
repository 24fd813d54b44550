/* SPDX-License-Identifier: Apache-2.0 */
/*
 * names.h - who is who in a network, as directories
 *
 *	STATE/networks/ID/names/NAME/CONTAINER        -> "172.18.0.2,fd12::2"
 *	STATE/networks/ID/addresses/ADDRESS/CONTAINER -> "NAME"
 *
 * Each entry is a symbolic link whose target is the data: it appears and goes in one step, is read with
 * one call, and needs no lock. A name that several containers share is a directory with several
 * entries. Nobody keeps a copy: a resolver looks when it is asked, so there is nothing to be told of
 * changes and nothing to go stale, with one container or a thousand. Names are kept in lower case;
 * what cannot be asked for (other characters than letters, digits, '-', '_', '.') is left out.
 */
#ifndef SKIFF_NETWORK_NAMES_H
#define SKIFF_NETWORK_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "network/ip.h"
#include "network/plan.h"

/* state_fd: STATE. Entries that are there are replaced; 0 or a negative errno. */
int names_add(int state_fd, const char *container, const struct network_interface *interface);

/* What is not there is success. */
void names_remove(int state_fd, const char *container, const struct network_interface *interface);

/* Removes what a network has left; it must have no containers. */
void names_forget(int state_fd, const char *network);

/* ---- looking ---- */

#define NAMES_FOUND_MAX 64
#define NAME_TEXT_SIZE 254

struct names_found {
	struct ip_address items[NAMES_FOUND_MAX];
	size_t count;
	bool exists; /* the name is known, perhaps with addresses of the other family only */
};

/* networks_fd: STATE/networks. Adds what this network knows of `name` in lower case. */
void names_find(int networks_fd, const char *network, const char *name, int family,
		struct names_found *found);

/* The first name of whoever has the address; false when nobody has it. */
bool names_find_address(int networks_fd, const char *network, const struct ip_address *address,
			char ret_name[NAME_TEXT_SIZE]);

/* Lower case; false when it cannot be a name of ours. */
bool names_normalize(const char *name, char ret_name[NAME_TEXT_SIZE]);

#endif
