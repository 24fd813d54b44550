/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hooks.h - the programs that an OCI configuration wants run at points of a container's life
 *
 * Each gets the container's state as JSON on its standard input, and nothing else of ours: the variables
 * are those of the document, descriptors are closed, what it prints is kept for the message of its
 * failure. They run one after the other; the first that fails ends the rest.
 *
 *	prestart, createRuntime    caller's namespaces; the container's exist, its root is not pivoted
 *	createContainer            the container's namespaces, the host's files: its root not pivoted
 *	startContainer             inside, confined as the container's command is about to be
 *	poststart, poststop        caller's namespaces
 */
#ifndef SKIFF_RUNTIME_HOOKS_H
#define SKIFF_RUNTIME_HOOKS_H

#include <sys/types.h>

#include "base/error.h"
#include "base/json.h"
#include "runtime/spec.h"

struct confine_request;

struct hook_subject {
	const char *id, *bundle;
	const json_t *annotations; /* NULL: none */
};

/* The state of the OCI runtime specification, a new reference; pid 0: left out. */
json_t *hooks_state(const struct hook_subject *subject, const char *status, pid_t pid);

/*
 * `confine` (may be NULL): what each of them gives up before it is executed. A hook that is still there
 * when its time is over is killed.
 */
int hooks_run(const struct spec *spec, enum spec_hook_point point, const json_t *state,
	      const struct confine_request *confine, struct error *err);

#endif
