/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inspect_internal.h - parts of docker's inspect object, each a new reference
 *
 * Keys and their order are docker's. What does not exist here (health checks) has the
 * value that docker gives to a container without it.
 */
#ifndef SKIFF_ENGINE_INSPECT_INTERNAL_H
#define SKIFF_ENGINE_INSPECT_INTERNAL_H

#include "base/json.h"
#include "engine/container_internal.h"

json_t *inspect_config(const struct container *container);
json_t *inspect_host_config(const struct container *container);
json_t *inspect_mounts(const struct container *container);

/* HostConfig.Mounts: what --mount asked for. */
json_t *inspect_requested_mounts(const struct container_config *config);
json_t *inspect_port_bindings(const struct container_config *config);
int inspect_network_settings(const struct container *container, const struct container_view *view,
			     json_t **ret_object, struct error *err);

/* "key=value" lists as an object; items without '=' get the value "". */
json_t *inspect_map(const struct strv *pairs);

/* An array, or null where docker has null for an empty list. */
json_t *inspect_list_or_null(const struct strv *list);

void inspect_set(json_t *object, const char *key, json_t *value);
void inspect_set_int(json_t *object, const char *key, int64_t value);
void inspect_set_bool(json_t *object, const char *key, bool value);
/* NULL is "". */
void inspect_set_text(json_t *object, const char *key, const char *value);

#endif
