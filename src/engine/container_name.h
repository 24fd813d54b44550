/* SPDX-License-Identifier: Apache-2.0 */
/* container_name.h - names that people give to containers, and names for those who give none */
#ifndef SKIFF_ENGINE_CONTAINER_NAME_H
#define SKIFF_ENGINE_CONTAINER_NAME_H

#include "base/error.h"

/* [a-zA-Z0-9][a-zA-Z0-9_.-]+, at most 255 bytes; a leading '/' is dropped, as docker does. */
int container_name_check(const char *name, const char **ret_name, struct error *err);

/*
 * "adjective_surname" of a scientist or engineer. `attempt` counts the tries before this one:
 * from the third on a digit is added, since names may run out. Caller frees.
 */
char *container_name_generate(unsigned int attempt);

#endif
