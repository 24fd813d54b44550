/* SPDX-License-Identifier: Apache-2.0 */
/*
 * settings.h - what the machine's owner has chosen, once, for all containers
 *
 * Two files are read, the second over the first: /etc/skiff/skiff.conf and skiff/skiff.conf below
 * $XDG_CONFIG_HOME (~/.config). SKIFF_CONFIG (--config) names one that is read instead of both. Without
 * them every key has its default. They are read when a key is first asked for, and cost one open() each
 * when they are not there.
 *
 *	# what containers get unless they are told otherwise
 *	shm_size = 256m
 *	dns = 192.0.2.1
 *	dns = 192.0.2.2
 *
 * Lines are "key = value"; '#' begins a comment line; a value may stand in double quotes. A key that
 * is a list may be given several times; a later file replaces the whole list. Anything else is an error
 * with its line. docs/configuration.md lists the keys, settings.c has the table.
 *
 * A file must belong to root or to us, and nobody else may write to it: it decides what containers may
 * do.
 */
#ifndef SKIFF_ENGINE_SETTINGS_H
#define SKIFF_ENGINE_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"
#include "network/ip.h"

/* NULL, false and empty: not set. */
struct settings {
	char *root, *state;
	char *network; /* what containers without --network use */
	struct ip_address publish_address;
	bool bridge_ipv6;     /* docker's "ipv6" */
	char *bridge_subnet6; /* docker's "fixed-cidr-v6"; asks for IPv6 too */
	char *log_driver;
	struct strv log_opts;
	struct strv ulimits;
	char *cgroup_parent, *cgroupns, *ipc, *shm_size, *seccomp_profile;
	char *userns, *userns_remap, *userns_range;
	bool init, no_new_privileges;
	struct strv dns, dns_options, dns_search;
	struct strv cdi_dirs;
	struct strv origins; /* "shm_size = 256m (/etc/skiff/skiff.conf:3)", what is in force */
};

/* Borrowed, for the life of the process. ERR_INVALID names the file and the line. */
int settings_get(const struct settings **ret_settings, struct error *err);

/* Borrowed, for the life of the process; "bridge" when it is not set. */
int settings_network(const char **ret_name, struct error *err);

/* Untouched when it is not set. */
int settings_publish_address(struct ip_address *ret_address, struct error *err);

/* Whether --init is the default; false when the files cannot be read, which create will say. */
bool settings_init(void);

/* Reads `text` as the file `name` over what *settings has; it is empty ({0}) or from a file before. */
int settings_parse(const char *text, const char *name, struct settings *settings,
		   struct error *err);
void settings_release(struct settings *settings);

DEFINE_CLEANUP_VALUE(struct settings, settings_release);

#endif
