/* SPDX-License-Identifier: Apache-2.0 */
/*
 * create_options.h - what run and create have in common
 *
 * Most options go straight into the engine's request; the table says where. The rest (files to
 * read, variables to inherit) is added by create_opts_finish().
 */
#ifndef SKIFF_CLI_CREATE_OPTIONS_H
#define SKIFF_CLI_CREATE_OPTIONS_H

#include <stdio.h>

#include "base/error.h"
#include "base/strv.h"
#include "cli/option.h"
#include "cli/refused_options.h"
#include "engine/container.h"

struct create_opts {
	struct create_request request;
	bool quiet_pull;
	struct strv attach, env, env_files, labels, label_files;
	const char *unused; /* options that are accepted and have no meaning any more */
	struct refused_opts refused;
};

extern const struct option_spec create_options[];

void create_opts_init(struct create_opts *opts);
void create_opts_release(struct create_opts *opts);

/*
 * Completes the request: `args` are IMAGE [COMMAND] [ARG...]. `detach`: nothing is attached.
 * ERR_INVALID for files that cannot be read or make no sense.
 */
int create_opts_finish(struct create_opts *opts, const struct strv *args, bool detach,
		       struct error *err);

/*
 * Creates the container and its --cidfile; a cidfile that exists is refused, and none is left when
 * there is no container. Warnings are in the result. A pull shows on `progress` how far it is.
 */
int create_opts_create(struct create_opts *opts, struct engine *engine, FILE *progress,
		       struct create_result *ret_result, struct error *err);

#endif
