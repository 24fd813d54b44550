/* SPDX-License-Identifier: Apache-2.0 */
/*
 * endpoint_option.h - what one interface of a container gets beside its addresses of the network
 *
 * --link-local-ip ADDRESS      another address, as many as one likes; not given out by anybody and not
 *                              looked for in other containers, which is what docker does
 * --driver-opt KEY=VALUE       of docker's keys these two:
 *	com.docker.network.endpoint.ifname=NAME       the interface's name inside
 *	com.docker.network.endpoint.sysctls=KEY=VALUE,…  as net.ipv4.conf.IFNAME.log_martians=1, where
 *	                                              IFNAME stands for the interface's name
 */
#ifndef SKIFF_ENGINE_ENDPOINT_OPTION_H
#define SKIFF_ENGINE_ENDPOINT_OPTION_H

#include "base/error.h"
#include "base/strv.h"
#include "engine/network_config.h"
#include "network/plan.h"

/* ERR_INVALID names what is wrong. */
int endpoint_link_local_check(const char *text, struct error *err);

/* All of config->driver_options; sets config->interface when they name it. */
int endpoint_driver_options_check(struct endpoint_config *config, struct error *err);

/* Of an endpoint that was checked: the interface's further addresses and its settings. */
void endpoint_options_fill(const struct endpoint_config *config,
			   struct network_interface *interface);

#endif
