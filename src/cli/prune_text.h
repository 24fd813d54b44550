/* SPDX-License-Identifier: Apache-2.0 */
/* prune_text.h - what the prune commands print */
#ifndef SKIFF_CLI_PRUNE_TEXT_H
#define SKIFF_CLI_PRUNE_TEXT_H

#include <stdint.h>
#include <stdio.h>

#include "base/strv.h"

/* "Deleted Containers:", the lines, and an empty one; nothing when there are none. */
void print_pruned(FILE *out, const char *title, const struct strv *lines);

void print_reclaimed(FILE *out, uint64_t bytes);

#endif
