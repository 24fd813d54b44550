/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confine.h - the last steps of every process that enters a container
 *
 * Shared by the container's first process and by exec, so that both end up with the same
 * privileges.
 */
#ifndef SKIFF_RUNTIME_CONFINE_H
#define SKIFF_RUNTIME_CONFINE_H

#include <stdbool.h>

#include "base/error.h"
#include "base/strv.h"
#include "runtime/seccomp.h"
#include "runtime/spec.h"
#include "runtime/user_lookup.h"

struct confine_request {
	const struct user_identity *identity;
	const struct spec_capabilities *capabilities;
	const struct spec_rlimit *rlimits;
	size_t rlimit_count;
	const struct seccomp_filter *seccomp; /* NULL: none */
	bool no_new_privileges;
	mode_t umask;
};

/*
 * confine_process() - give up everything the container's process must not have
 *
 * Where:    child, in all of the container's namespaces, still uid 0 with full capabilities.
 * Must:     limits; bounding set; then with no_new_privileges: ids, capabilities, no_new_privs,
 * seccomp; without: seccomp while CAP_SYS_ADMIN still allows it, then ids and capabilities (the
 *           filter lets setgroups, setgid, setuid, capset and prctl pass).
 * Leaves:   nothing privileged.
 */
int confine_process(const struct confine_request *request, struct error *err);

/* Capabilities are cut to what this machine's bounding set has. */
uint64_t confine_bounding_set(void);

/*
 * Changes to `path` inside the container, creating it when `create`, never through /proc's magic
 * links, and checks that the result is inside (CVE-2024-21626).
 */
int confine_workdir(int root_fd, const char *path, bool create, struct error *err);

/*
 * Finds args[0] in the environment's PATH and executes it; returns only with ERR_COMMAND_MISSING or
 * ERR_NOT_EXECUTABLE, worded as runc words them (docker derives 127 and 126 from that).
 * init_fd, when open, is executed with "-- ARGS" instead.
 */
int confine_exec(const struct strv *args, const struct strv *env, int init_fd, struct error *err);

/*
 * Looks whether confine_exec() will find it, with the eyes of that user but still privileged: a container
 * that waits to be started has its command. confine_exec() looks again.
 */
int confine_probe(const struct strv *args, const struct strv *env,
		  const struct user_identity *identity, struct error *err);

#endif
