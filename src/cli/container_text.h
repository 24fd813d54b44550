/* SPDX-License-Identifier: Apache-2.0 */
/* container_text.h - the words that ps has for a container */
#ifndef SKIFF_CLI_CONTAINER_TEXT_H
#define SKIFF_CLI_CONTAINER_TEXT_H

#include <stdint.h>

#include "base/strbuf.h"
#include "engine/container.h"

/* "Up 5 seconds", "Exited (0) 3 minutes ago", "Created", … */
void container_status_text(const struct container_summary *summary, int64_t now_ns,
			   struct strbuf *ret_text);

/* "running", "exited", …: one word. */
const char *container_state_name(enum container_status status);

/* "2026-11-23 16:19:02 +0100 CET" */
void local_time_text(int64_t ns, struct strbuf *ret_text);

#endif
