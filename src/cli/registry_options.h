/* SPDX-License-Identifier: Apache-2.0 */
/* registry_options.h - what all commands that talk to a registry have in common */
#ifndef SKIFF_CLI_REGISTRY_OPTIONS_H
#define SKIFF_CLI_REGISTRY_OPTIONS_H

#include <stdbool.h>

#include "cli/option.h"
#include "engine/registry.h"

struct registry_opts {
	const char *authfile, *creds, *cert_dir;
	bool tls_verify;
};

/* For OPT_INCLUDE. */
extern const struct option_spec registry_options[];

void registry_opts_init(struct registry_opts *opts);
struct registry_options registry_opts_request(const struct registry_opts *opts);

#endif
