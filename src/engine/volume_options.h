/* SPDX-License-Identifier: Apache-2.0 */
/*
 * volume_options.h - `volume create -o`: docker's driver "local"
 *
 *	type=TYPE,device=DEVICE[,o=OPTIONS]   what mount(8) would be given. It is mounted anew for every
 *	                                      container, in its own mount namespace: the host's table never
 *	                                      shows it, and what is only in memory (a tmpfs) is each container's own
 *	size=BYTES                            a quota: refused, there is none yet
 *
 * Options are "key=value" texts.
 */
#ifndef SKIFF_ENGINE_VOLUME_OPTIONS_H
#define SKIFF_ENGINE_VOLUME_OPTIONS_H

#include <stdbool.h>

#include "base/error.h"
#include "base/strv.h"

/* ERR_INVALID with docker's words. */
int volume_options_check(const struct strv *options, struct error *err);

/* Whether it is something else than a directory of the store. */
bool volume_options_has_device(const struct strv *options);

/* What is mounted. A bind has the type "bind", and "bind" or "rbind" among its options. */
struct volume_device {
	const char *type, *source; /* borrowed from the options */
	struct strv options;
	bool is_bind;
};

void volume_options_device(const struct strv *options, struct volume_device *ret_device);
void volume_device_release(struct volume_device *device);

DEFINE_CLEANUP_VALUE(struct volume_device, volume_device_release);

#endif
