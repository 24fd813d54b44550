/* SPDX-License-Identifier: Apache-2.0 */
/*
 * block_io.h - limits of one block device: --device-read-bps /dev/sda:1mb and its relatives
 *
 * The text is PATH:VALUE with a path below /dev. Rates are per second; those in bytes take a unit.
 * The record keeps texts, since numbers of devices change; a start looks them up.
 */
#ifndef SKIFF_ENGINE_BLOCK_IO_H
#define SKIFF_ENGINE_BLOCK_IO_H

#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "base/strv.h"

enum block_io_kind {
	BLOCK_IO_WEIGHT, /* 10…1000; 0: none of its own */
	BLOCK_IO_READ_BPS,
	BLOCK_IO_WRITE_BPS,
	BLOCK_IO_READ_IOPS,
	BLOCK_IO_WRITE_IOPS,
};

#define BLOCK_IO_KIND_COUNT 5

struct block_io_spec {
	char *path;
	uint64_t value;
};

int block_io_parse(enum block_io_kind kind, const char *text, struct block_io_spec *ret_spec,
		   struct error *err);
void block_io_release(struct block_io_spec *spec);

/* Puts texts that were checked into a list; one about a device that is in it takes its place. */
void block_io_merge(struct strv *list, const struct strv *texts);

/*
 * OCI's linux.resources.blockIO members of all kinds, for devices that exist. An empty object when the
 * lists are.
 */
int block_io_to_oci(const struct strv lists[BLOCK_IO_KIND_COUNT], json_t **ret_object,
		    struct error *err);

/* Docker's inspect: [{"Path": …, "Rate": …}], or "Weight"; for an empty list an empty array. */
json_t *block_io_to_inspect(enum block_io_kind kind, const struct strv *list);

DEFINE_CLEANUP_VALUE(struct block_io_spec, block_io_release);

#endif
