/* SPDX-License-Identifier: Apache-2.0 */
/* container_ports.h - published ports as texts, for lists */
#ifndef SKIFF_ENGINE_CONTAINER_PORTS_H
#define SKIFF_ENGINE_CONTAINER_PORTS_H

struct published_records;

/* The PORTS column of a running container; NULL when nothing is published. Caller frees. */
char *container_ports_text(const struct published_records *records, const char *id);

#endif
