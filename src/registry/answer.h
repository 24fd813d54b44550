/* SPDX-License-Identifier: Apache-2.0 */
/* answer.h - what the helper says on REGISTRY_SOCKET_FD, as protocol.h describes it. Any thread. */
#ifndef SKIFF_REGISTRY_ANSWER_H
#define SKIFF_REGISTRY_ANSWER_H

#include <stdint.h>

#include "base/error.h"
#include "base/json.h"

void answer_progress(int64_t id, uint64_t bytes);
void answer_error(int64_t id, const struct error *err);

/* Takes `done`. */
void answer_done(int64_t id, json_t *done);

#endif
