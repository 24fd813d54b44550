/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confine_tuning.h - scheduling, personality and security label of a process, for what it executes
 */
#ifndef SKIFF_RUNTIME_CONFINE_TUNING_H
#define SKIFF_RUNTIME_CONFINE_TUNING_H

#include "base/error.h"
#include "runtime/spec.h"

/*
 * Where:    child, in all of the container's namespaces, still uid 0 with full capabilities, before
 *           confine_process(): real time needs CAP_SYS_NICE.
 */
int confine_tuning(const struct spec_tuning *tuning, struct error *err);

#endif
