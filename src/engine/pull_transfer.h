/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pull_transfer.h - the layers of one pull on their way; between the files of pull_layers()
 *
 * What the steps are and why is told in pull_layers.c, which has the loop. pull_layer_start.c brings a
 * layer to RUNNING, pull_layer_finish.c from there to DONE, pull_child.c has what may take long and
 * must not hold up the loop. Only the loop looks at the layers together.
 */
#ifndef SKIFF_ENGINE_PULL_TRANSFER_H
#define SKIFF_ENGINE_PULL_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "engine/pull_internal.h"
#include "storage/partial_blob.h"

enum layer_step {
	STEP_WAITING,
	STEP_LOCKING,
	STEP_RUNNING,
	STEP_READY,
	STEP_FLUSHING,
	STEP_DONE,
};

/* A forked child that does one thing which may take long. */
struct pull_child {
	pid_t pid; /* 0: none */
	int pidfd;
};

struct layer_pull {
	struct layer_job *job;
	const struct descriptor *descriptor;
	size_t number;
	enum layer_step step;
	struct partial_blob partial;
	struct pull_child locker;
	int64_t request_id; /* 0: nothing is being fetched */
	bool fetched;       /* the partial blob is whole */
	bool resumed;       /* its beginning is of an earlier try */
	const char *said;   /* what the progress said last */
	uint64_t said_bytes;
};

struct transfer {
	struct pull *pull;
	struct layer_pull *layers;
	size_t count;
	struct pull_child flusher;
};

/* Tells whoever watches; not twice the same. */
void transfer_say(const struct transfer *transfer, struct layer_pull *layer, const char *what,
		  uint64_t bytes);

/* ---- pull_child.c ---- */

/*
 * A child that waits until the lock of the layer's partial blob is ours; its status is 0 then. It dies
 * with us.
 */
int layer_pull_wait_for_lock(struct layer_pull *layer, struct error *err);
/* A child that flushes the store's file system; its status is 0 or the errno. */
int transfer_flush(struct transfer *transfer, struct error *err);
/* Its exit status, when its pidfd says that it has ended. */
int pull_child_end(struct pull_child *child);
void pull_child_kill(struct pull_child *child);

/* ---- pull_layer_start.c ---- */

/* To RUNNING; to LOCKING when somebody else has the lock. Call layer_pull_settle() after it. */
int layer_pull_start(struct transfer *transfer, struct layer_pull *layer, struct error *err);

/* ---- pull_layer_finish.c ---- */

/*
 * The unpacker has ended: what did it verify? Bytes that are not what they should be are fetched once
 * more when their beginning was an earlier try's.
 */
int layer_pull_finish_unpack(struct transfer *transfer, struct layer_pull *layer,
			     struct error *err);
/* To READY, when nothing is under way for it any more; verifies what nobody has. */
int layer_pull_settle(struct transfer *transfer, struct layer_pull *layer, struct error *err);
/* To DONE: it was flushed. */
int layer_pull_place(struct transfer *transfer, struct layer_pull *layer, struct error *err);

#endif
