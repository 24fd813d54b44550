/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transfer_view.h - how far each layer of a pull or a push is
 *
 * On a terminal one line for each layer, rewritten in place, with a bar, the speed and the time left;
 * elsewhere, or when there are more layers than the terminal has lines, a line whenever a layer goes on
 * to its next step. Somebody at the terminal is also asked what a short name means.
 *
 *	struct transfer_view view = TRANSFER_VIEW(call->cli->out);
 *	request.progress = transfer_view_progress(&view);
 *	…
 *	transfer_view_release(&view);
 */
#ifndef SKIFF_CLI_TRANSFER_VIEW_H
#define SKIFF_CLI_TRANSFER_VIEW_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "engine/image.h"

struct transfer_line;

struct transfer_view {
	FILE *out;
	struct image_progress progress;
	struct transfer_line *lines;
	size_t count;
	bool begun, in_place; /* in place: on a terminal, one line for each */
	unsigned int rows, columns;
};

#define TRANSFER_VIEW(file) ((struct transfer_view){.out = (file)})

/* Borrowed, and good as long as the view. */
const struct image_progress *transfer_view_progress(struct transfer_view *view);
void transfer_view_release(struct transfer_view *view);

DEFINE_CLEANUP_VALUE(struct transfer_view, transfer_view_release);

#endif
