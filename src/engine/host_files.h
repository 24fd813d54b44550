/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host_files.h - /etc/hosts, /etc/hostname and /etc/resolv.conf of a container, as texts
 *
 * Pure functions: what the host's own files say is given to them. Callers free the texts.
 */
#ifndef SKIFF_ENGINE_HOST_FILES_H
#define SKIFF_ENGINE_HOST_FILES_H

#include <stdbool.h>

#include "base/error.h"
#include "base/strv.h"

/* Stands for the host's address in the container's network, which is known when it starts. */
#define HOST_GATEWAY "host-gateway"

/* --add-host NAME:ADDRESS (or NAME=ADDRESS); gives "NAME:ADDRESS" with a checked address. */
int add_host_parse(const char *text, char **ret_entry, struct error *err);

/* --dns: an address of either family. */
int dns_server_check(const char *text, struct error *err);

/* --dns-search: a domain, or "." for none at all. */
int dns_search_check(const char *text, struct error *err);

/* `entries` are "NAME:ADDRESS"; `base` (may be NULL) is put first instead of the usual lines. */
char *hosts_text(const char *base, const struct strv *entries);

struct resolv_settings {
	const struct strv *servers, *search, *options; /* empty: the host's */
	bool keep_loopback; /* the host's servers on 127.0.0.0/8 and ::1 can be reached */
	bool own_resolver;  /* 127.0.0.11 answers inside, and asks the servers */
};

/* The servers that a container's questions go to in the end. */
void resolv_conf_servers(const char *host_text, const struct resolv_settings *settings,
			 struct strv *ret_servers);

/* Whether all it names is the stub of systemd-resolved, which nobody but the host can reach. */
bool resolv_conf_is_stub(const char *host_text);

char *resolv_conf_text(const char *host_text, const struct resolv_settings *settings);

#endif
