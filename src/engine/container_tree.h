/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container_tree.h - the files of a container, handed to skiff-unpack
 *
 *	auto_(container_tree_release) struct container_tree tree = CONTAINER_TREE_EMPTY;
 *
 *	container_tree_open(engine, selector, TREE_ROOT, &tree, err)
 *	start a helper with tree.fd as its output_fd (engine/unpack_helper.h)
 *
 * While the tree of a container that does not run is open, the container cannot be started or removed.
 */
#ifndef SKIFF_ENGINE_CONTAINER_TREE_H
#define SKIFF_ENGINE_CONTAINER_TREE_H

#include "base/error.h"
#include "engine/container_internal.h"
#include "runtime/tree.h"

struct container_tree {
	struct container container;
	struct container_view view;
	int lock_fd; /* NO_FD: it runs */
	int fd;      /* the mount namespace (runtime/tree.h) */
};

#define CONTAINER_TREE_EMPTY                                                                       \
	((struct container_tree){.container = CONTAINER_EMPTY, .lock_fd = NO_FD, .fd = NO_FD})

int container_tree_open(struct engine *engine, const char *selector, enum tree_kind kind,
			struct container_tree *tree, struct error *err);
void container_tree_release(struct container_tree *tree);

DEFINE_CLEANUP_VALUE(struct container_tree, container_tree_release);

#endif
