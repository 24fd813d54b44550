/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limit_request.h - --memory, --cpus, --pids-limit and their relatives, as typed
 *
 * What run, create and update have in common. NULL, 0 and an empty list: not asked for, which for
 * update means "as it is". engine/limit_option.h checks it and puts it into a record.
 */
#ifndef SKIFF_ENGINE_LIMIT_REQUEST_H
#define SKIFF_ENGINE_LIMIT_REQUEST_H

#include <stdint.h>

#include "base/cleanup.h"
#include "base/strv.h"
#include "engine/block_io.h"

#define LIMIT_NO_SWAPPINESS (-1) /* docker's word for "not asked for": 0 is a value */

struct limit_request {
	const char *memory, *memory_reservation;
	const char *memory_swap; /* "-1": no limit */
	int64_t memory_swappiness;
	const char *cpus, *cpuset_cpus, *cpuset_mems;
	int64_t cpu_shares, cpu_period, cpu_quota, cpu_rt_period, cpu_rt_runtime;
	int64_t pids_limit; /* -1: unlimited */
	int64_t blkio_weight;
	struct strv block_io[BLOCK_IO_KIND_COUNT]; /* "PATH:VALUE" */
};

void limit_request_init(struct limit_request *request);
void limit_request_release(struct limit_request *request);

DEFINE_CLEANUP_VALUE(struct limit_request, limit_request_release);

#endif
