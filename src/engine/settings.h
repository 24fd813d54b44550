/* SPDX-License-Identifier: Apache-2.0 */
/*
 * settings.h - what the machine's owner has chosen, once, for all containers
 *
 * /etc/skiff/skiff.conf, or the file that SKIFF_CONFIG names: lines "key = value", '#' begins a
 * comment. Without the file every key has its default. It is read when one of them is first asked for:
 * a command that names its network reads no file.
 *
 *	network = bridge               what containers without --network use: bridge, none, host,
 *	                               or a network's name
 *	publish_address = 127.0.0.1    where -p binds unless it names an address
 */
#ifndef SKIFF_ENGINE_SETTINGS_H
#define SKIFF_ENGINE_SETTINGS_H

#include "base/error.h"
#include "network/ip.h"

/* Borrowed, for the life of the process. ERR_INVALID names the file and the line. */
int settings_network(const char **ret_name, struct error *err);

/* Untouched when it is not set. */
int settings_publish_address(struct ip_address *ret_address, struct error *err);

/* For tests and the fuzzer: `text` as if it were the file. */
struct settings {
	char *network;
	struct ip_address publish_address;
};
int settings_parse(const char *text, const char *name, struct settings *ret_settings,
		   struct error *err);
void settings_release(struct settings *settings);

DEFINE_CLEANUP_VALUE(struct settings, settings_release);

#endif
