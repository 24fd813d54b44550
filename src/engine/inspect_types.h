/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inspect_types.h - what docker's API says about the objects that inspect prints
 *
 * For `inspect --format`, where a template asks for a field that an object does not have right now
 * ({{if .State.Health}}), and for the order of what is printed: structs as they are, maps sorted.
 * The fields are those of API 1.50.
 */
#ifndef SKIFF_ENGINE_INSPECT_TYPES_H
#define SKIFF_ENGINE_INSPECT_TYPES_H

#include "template/type.h"

extern const struct template_type inspect_container_type, inspect_image_type;

#endif
