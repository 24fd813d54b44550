/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_check.h - `system fsck`: does the store hold what its records say?
 *
 * Everything is looked at anew: the database and its references; every blob against its digest; every
 * layer by unpacking its blob once more into staging and comparing the two trees, file by file; and
 * whatever lies in the store without a record.
 *
 * With `repair`: a damaged or missing layer is replaced by the one just unpacked, in one step, unless
 * a running container uses it. A configuration is written again from its record, a record from its
 * configuration. A blob that is missing or not what its name says is fetched from a registry that the
 * image came from or went to; where that fails it is taken away, so that the next load or pull brings it
 * again. Leftovers are removed. A volume that no record knows is never touched: it
 * is somebody's data.
 */
#ifndef SKIFF_ENGINE_STORE_CHECK_H
#define SKIFF_ENGINE_STORE_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "engine/engine.h"

enum store_fault {
	FAULT_MISSING,
	FAULT_EXTRA,
	FAULT_CHANGED,
	FAULT_UNKNOWN, /* it could not be judged */
};

#define STORE_FAULT_COUNT 4

/* "missing", "extra", "changed", "unknown". */
const char *store_fault_name(enum store_fault fault);

/* Texts are borrowed. */
struct store_finding {
	enum store_fault fault;
	const char *what;   /* "layer sha256:…", "oci/blobs/sha256/…" */
	const char *detail; /* what is wrong with it, or ""; one line */
	const char *images; /* who has it, or "" */
	bool repaired;
	const char *remedy; /* what would help, when it was not repaired; or "" */
};

struct store_check_request {
	bool repair;
	void (*found)(void *context, const struct store_finding *finding);
	void *context;
};

struct store_check_result {
	uint64_t images, layers, blobs; /* looked at */
	uint64_t bytes;                 /* of blobs, read */
	uint64_t findings, repaired;
};

/* Success is to have looked; what was found is in the result. */
int store_check(struct engine *engine, const struct store_check_request *request,
		struct store_check_result *ret_result, struct error *err);

#endif
