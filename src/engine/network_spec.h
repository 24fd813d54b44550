/* SPDX-License-Identifier: Apache-2.0 */
/*
 * network_spec.h - the value of --network: a name, or name=…,alias=…,ip=…,… as docker takes it (a line of CSV)
 */
#ifndef SKIFF_ENGINE_NETWORK_SPEC_H
#define SKIFF_ENGINE_NETWORK_SPEC_H

#include "base/error.h"
#include "engine/network_config.h"

struct network_spec {
	char *name; /* "bridge", "none", "host", "container:X", a name or an id */
	struct endpoint_config endpoint;
};

/* ERR_INVALID says what is wrong with it. Addresses are checked, names are not looked up. */
int network_spec_parse(const char *text, struct network_spec *ret_spec, struct error *err);
void network_spec_release(struct network_spec *spec);

/* --ip, --ip6, --mac-address, --network-alias, --link: the first network's, unless it says so itself. */
int network_spec_check_ip(const char *text, int family, struct error *err);
int network_spec_check_mac(const char *text, struct error *err);

DEFINE_CLEANUP_VALUE(struct network_spec, network_spec_release);

#endif
