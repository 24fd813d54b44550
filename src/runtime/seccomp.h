/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp.h - filters: compiled once, cached, loaded
 *
 * Compiling a policy takes half a millisecond, and writing it to disk more; knowing that it is in the
 * cache takes microseconds. The program is cached by everything that shaped it (the profile's text,
 * capabilities, architecture, libseccomp's version) in a directory only root can write. Files of
 * containers that exist must stay there: exec loads the same program.
 */
#ifndef SKIFF_RUNTIME_SECCOMP_H
#define SKIFF_RUNTIME_SECCOMP_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"

/*
 * Docker's default policy for a process with these capabilities (bit n set: CAP n), as the
 * kernel-independent profile compiled for this machine: its system calls return EPERM (ENOSYS for
 * those the profile does not know), everything on its list is allowed, and what it allows only
 * with a capability follows `capabilities`. Makes sure that it is in the cache and gives the
 * name of the file below cache_dir_fd; caller frees.
 */
int seccomp_cache_default(int cache_dir_fd, uint64_t capabilities, char **ret_name,
			  struct error *err);

/* The same for docker's profile format (--security-opt seccomp=FILE), given as JSON. */
int seccomp_cache_profile(int cache_dir_fd, const json_t *profile, uint64_t capabilities,
			  char **ret_name, struct error *err);

/* The same for the `linux.seccomp` object of an OCI configuration. */
int seccomp_cache_oci(int cache_dir_fd, const json_t *seccomp, char **ret_name, struct error *err);

/* A program read from the cache, ready to load. */
struct seccomp_filter {
	struct sock_filter *instructions; /* owned */
	unsigned short count;
	unsigned int flags; /* SECCOMP_FILTER_FLAG_* */
};

int seccomp_filter_read(int cache_dir_fd, const char *name, struct seccomp_filter *ret_filter,
			struct error *err);
void seccomp_filter_release(struct seccomp_filter *filter);

/*
 * Loads it into this process with seccomp(2). Needs CAP_SYS_ADMIN or no_new_privs. Returns 0 or a
 * negative errno; runs in a container's child, so it allocates nothing.
 */
int seccomp_filter_load(const struct seccomp_filter *filter);

DEFINE_CLEANUP_VALUE(struct seccomp_filter, seccomp_filter_release);

#endif
