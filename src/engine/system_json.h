/* SPDX-License-Identifier: Apache-2.0 */
/*
 * system_json.h - info and version as docker's objects, for --format
 *
 * The objects have what is true here; the types add docker's other fields with their zero values.
 */
#ifndef SKIFF_ENGINE_SYSTEM_JSON_H
#define SKIFF_ENGINE_SYSTEM_JSON_H

#include "base/json.h"
#include "engine/system.h"
#include "template/type.h"

/* New references. */
json_t *system_info_object(const struct system_info *info);
json_t *system_version_object(const struct system_version *version);

extern const struct template_type system_info_type, system_version_type;

#endif
