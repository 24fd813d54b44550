/* SPDX-License-Identifier: Apache-2.0 */
/*
 * system_boot.h - what comes back after the machine was started
 *
 * docker's daemon does this when it starts; here a command does it, once per boot.
 */
#ifndef SKIFF_ENGINE_SYSTEM_BOOT_H
#define SKIFF_ENGINE_SYSTEM_BOOT_H

#include "base/error.h"
#include "engine/engine.h"

/* Called for every container that was to be started; `err` has ERR_NONE when it runs. */
typedef void system_boot_fn(const char *name, const struct error *err, void *context);

/*
 * Starts the containers that docker would, the oldest first:
 *
 *	always            in any case
 *	unless-stopped    unless it was stopped or killed by hand
 *	on-failure        when its last exit code was not 0, or is not known
 *
 * None that was never started, and none that runs. What a --rm container has left goes. One that
 * cannot be started does not keep the others from it.
 */
int system_boot(struct engine *engine, system_boot_fn *report, void *context, struct error *err);

#endif
