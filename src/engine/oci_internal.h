/* SPDX-License-Identifier: Apache-2.0 */
/* oci_internal.h - the parts of the document, each a new reference */
#ifndef SKIFF_ENGINE_OCI_INTERNAL_H
#define SKIFF_ENGINE_OCI_INTERNAL_H

#include "engine/oci_config.h"

int oci_process(const struct oci_input *input, json_t **ret_process, struct error *err);
json_t *oci_mounts(const struct oci_input *input);
int oci_linux(const struct oci_input *input, json_t **ret_linux, struct error *err);

/* linux.devices, and their rules in linux.resources. */
int oci_devices(const struct container_config *config, json_t *linux_object, struct error *err);

/* "key=value" texts as an object. */
json_t *oci_map(const struct strv *list);

/* Appends a string. */
void oci_append(json_t *array, const char *text);

#endif
