/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_option.h - --log-driver and --log-opt
 *
 *	json-file  max-size (10m; -1: never rotated), max-file (3), compress (true), and docker's
 *	           labels, labels-regex, env, env-regex, tag
 *	local      max-size (20m), max-file (5), compress (true)
 *	journald   labels, labels-regex, env, env-regex, tag
 *	syslog     the same, and syslog-address, syslog-facility, syslog-format
 *	none       nothing
 *
 * All but none take mode=blocking|non-blocking and max-buffer-size (1m).
 */
#ifndef SKIFF_ENGINE_LOG_OPTION_H
#define SKIFF_ENGINE_LOG_OPTION_H

#include "base/error.h"
#include "base/strv.h"

struct container;
struct launch;

/* Sets the log members of `launch`. `driver` NULL: json-file. */
int log_options_apply(const char *driver, const struct strv *options, struct launch *launch,
		      struct error *err);

/*
 * The part that depends on the container: the labels and variables that the options name, and the tag,
 * a template of docker's ({{.ID}}, {{.FullID}}, {{.Name}}, {{.ImageName}}, {{.ImageID}}, …).
 */
int log_context_apply(const struct container *container, struct launch *launch, struct error *err);

#endif
