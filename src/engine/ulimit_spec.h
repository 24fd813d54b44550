/* SPDX-License-Identifier: Apache-2.0 */
/* ulimit_spec.h - --ulimit NAME=SOFT[:HARD]; -1 or "unlimited" is no limit */
#ifndef SKIFF_ENGINE_ULIMIT_SPEC_H
#define SKIFF_ENGINE_ULIMIT_SPEC_H

#include <stdint.h>
#include <sys/resource.h>

#include "base/error.h"

struct ulimit_spec {
	const char *name;  /* "nofile"; static */
	const char *oci;   /* "RLIMIT_NOFILE"; static */
	int resource;      /* RLIMIT_… */
	rlim_t soft, hard; /* RLIM_INFINITY: none */
};

int ulimit_spec_parse(const char *text, struct ulimit_spec *ret_spec, struct error *err);

/*
 * Whether this process may give it away: raising the hard limit takes CAP_SYS_RESOURCE, and some
 * limits have a ceiling in the kernel. ERR_DENIED tells which limit and what is allowed.
 */
int ulimit_spec_check(const struct ulimit_spec *spec, struct error *err);

#endif
