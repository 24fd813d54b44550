/* SPDX-License-Identifier: Apache-2.0 */
/*
 * network_publish.h - which ports a container's record asks for
 */
#ifndef SKIFF_ENGINE_NETWORK_PUBLISH_H
#define SKIFF_ENGINE_NETWORK_PUBLISH_H

#include "base/error.h"

struct container_config;
struct port_spec;

/* As -p: with the configured address where it names none; exposes the port too. */
int network_publish_add(struct container_config *config, const char *text, struct error *err);

/* As --expose. */
void network_expose(struct container_config *config, const struct port_spec *spec);

#endif
