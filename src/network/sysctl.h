/* SPDX-License-Identifier: Apache-2.0 */
/* sysctl.h - the few settings below /proc/sys/net that netlink cannot make; of the caller's namespace */
#ifndef SKIFF_NETWORK_SYSCTL_H
#define SKIFF_NETWORK_SYSCTL_H

#include <stdbool.h>

/* net.FAMILY.conf.LINK.KEY; `link` may be "default". -ENOENT where the kernel has not the family. */
int sysctl_set_link(const char *family, const char *link, const char *key, const char *value);

/* "ipv4/conf/log_martians=1" of `link`; the text was checked by whoever made the plan. */
int sysctl_set_text(const char *link, const char *text);

/* Whether bridged packets go through the packet filter's IP hooks too (br_netfilter). */
bool sysctl_bridge_filters(void);

/* Writes only when it is off. */
int sysctl_forward4(void);

/*
 * The same for IPv6. A router ignores what other routers advertise, so links that got their own
 * addresses that way are told to go on listening.
 */
int sysctl_forward6(void);

#endif
