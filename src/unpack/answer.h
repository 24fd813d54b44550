/* SPDX-License-Identifier: Apache-2.0 */
/* answer.h - what the helper says on UNPACK_RESULT_FD, as protocol.h describes it */
#ifndef SKIFF_UNPACK_ANSWER_H
#define SKIFF_UNPACK_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "unpack/copy.h"
#include "unpack/pack.h"
#include "unpack/pipeline.h"

/* All return the process's exit status: 0, or 1 when the answer is an error or nobody reads it. */
int answer_error(const struct error *err);
int answer_layer(const struct pipeline_totals *totals, uint64_t bytes, uint64_t entries);
int answer_pack(const struct pack_result *result);
int answer_changes(uint64_t count);
int answer_extract(uint64_t entries, uint64_t bytes);

/* Or a negative errno: a path that is not UTF-8 cannot be told. */
int answer_find(const struct found_path *found, struct error *err);

/* A whole object that was made elsewhere. */
int answer_text(const char *text, size_t len);

/* A line of progress. */
void answer_progress(uint64_t raw_bytes);

#endif
