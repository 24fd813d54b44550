/* SPDX-License-Identifier: Apache-2.0 */
/*
 * userns.h - the parent's part of a start with a user namespace
 *
 * Theory. The child is cloned into its user namespace, so that all namespaces it makes belong to it, or it
 * is cloned by somebody who has entered an existing one. From then on it may do nothing to what is the
 * host's. What it cannot do, the parent does, before it is cloned or beside it:
 *
 *	maps                written by the parent; until SYNC_IDMAP the child is nobody
 *	layers, binds       the parent makes mounts of them that show other owners (mount_map_owners()):
 *	                    nothing is copied and nobody's files are given away. On the disk they belong
 *	                    to who they would without the namespace. Binds only when they say "idmap"
 *	/dev                nodes cannot be made in there: a tmpfs of the host's, nodes and all, owned by
 *	                    the container's root
 *	joined namespaces   of others cannot be entered from in there: the parent is in them while it
 *	                    clones. The filesystems that show one of them (sysfs, procfs, mqueue) are
 *	                    made by the parent too
 *	oom score, limits   above what we have: of the host's root only
 *	pipes               given to the container's root, who may open /dev/stdout again
 *
 * A procfs and a sysfs of its own the kernel lets the child have as long as it sees the host's
 * (mount_too_revealing()): stage_visible() makes them before the host's tree is gone.
 */
#ifndef SKIFF_RUNTIME_USERNS_H
#define SKIFF_RUNTIME_USERNS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

struct runtime_process;
struct spec;
struct start;

bool userns_is_used(const struct spec *spec);

/* Whether layers are to be shown with other owners: not when everybody is who he is on the host. */
bool userns_maps_files(const struct start *start);

/* Checks what of the configuration is possible, and learns the maps of a namespace to join. */
int userns_prepare(struct start *start, struct error *err);

/*
 * Makes what the child cannot, and clones it: process->pid and pidfd, or 0 in the child. Without a user
 * namespace this is process_clone() with the flags.
 */
pid_t userns_clone(struct start *start, struct runtime_process *process, uint64_t flags,
		   struct error *err);

/* Writes the maps and sends SYNC_IDMAP; then opens the namespace and maps the binds' owners. */
int userns_finish(struct start *start, const struct runtime_process *process, struct error *err);

/* Pipes of an exec, which enters the namespace later; failing costs only /dev/stdout. */
void userns_give_streams(const struct spec *spec, const int streams[3]);

/* userns_filesystems.c: /dev, and what shows namespaces that are not the child's own. */
int userns_make_filesystems(struct start *start, struct error *err);

#endif
