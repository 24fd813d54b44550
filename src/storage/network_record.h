/* SPDX-License-Identifier: Apache-2.0 */
/*
 * network_record.h - networks in the database, and who is in them
 *
 * A container's place in a network, its *endpoint*, lives as long as the container's record: its
 * addresses are given out in the transaction that makes it and come back with its last row, so a
 * crash can lose none. Addresses are offsets into the network's subnets; what they are in the world is
 * the engine's knowledge, as are both config texts.
 */
#ifndef SKIFF_STORAGE_NETWORK_RECORD_H
#define SKIFF_STORAGE_NETWORK_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"
#include "storage/store.h"

struct network_record {
	char *id;     /* 64 hex digits */
	char *name;   /* unique */
	char *driver; /* "bridge", "macvlan", "ipvlan", "host", "null" */
	int64_t created_ns;
	char *config; /* JSON text of the engine (engine/network_config.h); "{}": not chosen yet */
};

void network_record_release(struct network_record *record);

struct network_records {
	struct network_record *items;
	size_t count;
};

void network_records_release(struct network_records *records);

/* ERR_CONFLICT when the name is taken. */
int network_record_insert(struct store *store, const struct network_record *record,
			  struct error *err);

/* By exact name, exact id, or any unique prefix of the id. ERR_NOT_FOUND ("network X not found"). */
int network_record_find(struct store *store, const char *selector,
			struct network_record *ret_record, struct error *err);

/* All, by name. */
int network_record_list(struct store *store, struct network_records *ret_records,
			struct error *err);

/* Sets the config of a network whose config is still `expected`; 0 when it is not any more. */
int network_record_set_config(struct store *store, const char *id, const char *expected,
			      const char *config, struct error *err);

/* ERR_CONFLICT when a container has an endpoint in it. */
int network_record_delete(struct store *store, const char *id, struct error *err);

/* ---- endpoints ---- */

/* Addresses that may be given out; the wish, or the lowest free one. */
struct lease_pool {
	int64_t first, last;     /* 0, 0: this family is not given out */
	const int64_t *reserved; /* sorted; never given out unless wished for */
	size_t reserved_count;
	int64_t wish; /* -1: none */
};

struct endpoint_request {
	const char *network;      /* id */
	const char *network_name; /* for messages */
	const char *config;
	struct lease_pool pool4, pool6;
};

struct endpoint_record {
	char *container, *network; /* ids */
	char *config;
	int64_t offset4, offset6; /* -1: none */
};

void endpoint_record_release(struct endpoint_record *record);

struct endpoint_records {
	struct endpoint_record *items;
	size_t count;
};

void endpoint_records_release(struct endpoint_records *records);

/*
 * Puts a container into a network. ERR_CONFLICT when it is in it already, when the wished address is
 * taken, or when none is left. container_record_insert() does the same for new containers.
 */
int endpoint_insert(struct store *store, const char *container,
		    const struct endpoint_request *request, struct error *err);

/* ERR_NOT_FOUND when it is not in it. */
int endpoint_delete(struct store *store, const char *container, const char *network,
		    struct error *err);

/* Of a container, or of a network; the other one is NULL. In the order of their creation is the
 * engine's matter (config); here sorted by container and network. */
int endpoint_list(struct store *store, const char *container, const char *network,
		  struct endpoint_records *ret_records, struct error *err);

/* ---- published ports ---- */

/*
 * What a container's last start has published, as the engine writes it; `ports` NULL: nothing. Valid
 * while it runs.
 */
int published_set(struct store *store, const char *container, const char *ports, struct error *err);

struct published_record {
	char *container, *ports;
	int64_t sequence; /* larger than that of all rows that were there when it was written */
};

struct published_records {
	struct published_record *items;
	size_t count;
};

void published_records_release(struct published_records *records);

/* All, sorted by container. */
int published_list(struct store *store, struct published_records *ret_records, struct error *err);

DEFINE_CLEANUP_VALUE(struct network_record, network_record_release);
DEFINE_CLEANUP_VALUE(struct network_records, network_records_release);
DEFINE_CLEANUP_VALUE(struct endpoint_record, endpoint_record_release);
DEFINE_CLEANUP_VALUE(struct endpoint_records, endpoint_records_release);
DEFINE_CLEANUP_VALUE(struct published_records, published_records_release);

#endif
