/* SPDX-License-Identifier: Apache-2.0 */
/* id_range_internal.h - giving out ids inside a transaction of somebody else's */
#ifndef SKIFF_STORAGE_ID_RANGE_INTERNAL_H
#define SKIFF_STORAGE_ID_RANGE_INTERNAL_H

#include "storage/id_range.h"

int id_range_insert_rows(struct store *store, const char *container,
			 const struct id_range_request *request, struct error *err);

#endif
