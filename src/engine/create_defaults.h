/* SPDX-License-Identifier: Apache-2.0 */
/*
 * create_defaults.h - what the settings say where a request says nothing
 *
 *	r = create_defaults_apply(request, &defaults, &err);
 *	… defaults.request …
 *	create_defaults_release(&defaults);
 */
#ifndef SKIFF_ENGINE_CREATE_DEFAULTS_H
#define SKIFF_ENGINE_CREATE_DEFAULTS_H

#include "base/error.h"
#include "engine/container.h"

struct create_defaults {
	struct create_request
		request; /* borrows from the original, the settings and the lists below */
	struct strv ulimits, log_opts, security_opt;
};

int create_defaults_apply(const struct create_request *request,
			  struct create_defaults *ret_defaults, struct error *err);
void create_defaults_release(struct create_defaults *defaults);

DEFINE_CLEANUP_VALUE(struct create_defaults, create_defaults_release);

#endif
