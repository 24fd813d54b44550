/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bundle_write.h - everything in ROOT/containers/ID that a start needs
 *
 * config.json, launch.json, hostname, hosts and resolv.conf are made anew at every start: the
 * host's resolv.conf or the container joined may have changed. Nobody reads them meanwhile, so they
 * are written in place, and nothing is flushed: what a power failure cuts is written again.
 */
#ifndef SKIFF_ENGINE_BUNDLE_WRITE_H
#define SKIFF_ENGINE_BUNDLE_WRITE_H

#include <stdint.h>

#include "base/error.h"
#include "base/id_map.h"
#include "base/strv.h"
#include "engine/cdi.h"

struct container;
struct launch_mounts;
struct endpoint_set;
struct network_plan;
struct container_config;

/* What a start needs beside the files. */
struct bundle {
	/* Descriptors that must stay open until the container runs: config.json refers to them. */
	int network_ns_fd, pid_ns_fd, ipc_ns_fd, user_ns_fd; /* owned */
	struct id_map uids, gids;                            /* empty: no user namespace */
	int shm_fd;            /* owned; a detached mount: /dev/shm of who has the ipc namespace */
	uint64_t capabilities; /* bit n: capability n */
	struct cdi_edits cdi;
};

#define BUNDLE_EMPTY                                                                               \
	((struct bundle){.network_ns_fd = NO_FD,                                                   \
			 .pid_ns_fd = NO_FD,                                                       \
			 .ipc_ns_fd = NO_FD,                                                       \
			 .user_ns_fd = NO_FD,                                                      \
			 .shm_fd = NO_FD})

int bundle_write(const struct container *container, struct bundle *ret_bundle, struct error *err);
/* hostname, hosts and resolv.conf; a container that runs sees the change. */
int bundle_write_names(const struct container *container, const struct endpoint_set *endpoints,
		       struct error *err);

/* Sets the servers that its resolver asks, where it has one. */
void bundle_resolvers(const struct container *container, struct network_plan *plan);

void bundle_release(struct bundle *bundle);

/* Its layers, top first, relative to ROOT; MOUNT_POINTS_PATH is the last. */
void bundle_lowers(const struct container_config *config, struct strv *ret_lowers);

/*
 * What launch.json says of its mounts. Not for a start: nothing is given to the user, and nothing that is
 * only there while it runs is written to.
 */
void bundle_mounts(const struct container_config *config, bool for_start,
		   struct launch_mounts *ret_list);

/* Directories that -v names and that are not there (any more), as docker does at every start. */
int bundle_make_sources(const struct container_config *config, struct error *err);

/* The directory of hostname, hosts and resolv.conf, absolute; caller frees. */
char *bundle_files_directory(const struct container *container);

DEFINE_CLEANUP_VALUE(struct bundle, bundle_release);

#endif
