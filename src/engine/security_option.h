/* SPDX-License-Identifier: Apache-2.0 */
/*
 * security_option.h - --security-opt
 *
 *	no-new-privileges[=true|false]
 *	seccomp=unconfined | builtin | FILE   a profile in docker's JSON format, read and kept now
 *	systempaths=unconfined                no masked and no read-only paths
 *	apparmor=unconfined, label=disable    already so: neither is ever applied
 *
 * ':' may stand for '='. Everything else is refused by name: an option that confines must not be
 * ignored.
 */
#ifndef SKIFF_ENGINE_SECURITY_OPTION_H
#define SKIFF_ENGINE_SECURITY_OPTION_H

#include "base/error.h"
#include "engine/container_config.h"

/* Applies one option to the record. */
int security_option_apply(const char *text, struct container_config *config, struct error *err);

#endif
