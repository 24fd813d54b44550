/* SPDX-License-Identifier: Apache-2.0 */
/* network_internal.h - giving out addresses inside a transaction of somebody else's */
#ifndef SKIFF_STORAGE_NETWORK_INTERNAL_H
#define SKIFF_STORAGE_NETWORK_INTERNAL_H

#include "storage/network_record.h"

/* endpoint_insert() without a transaction of its own. */
int endpoint_insert_row(struct store *store, const char *container,
			const struct endpoint_request *request, struct error *err);

#endif
