/* SPDX-License-Identifier: Apache-2.0 */
/*
 * csv.h - one line of comma-separated fields, as Go's encoding/csv reads it
 *
 * A field may stand in double quotes, and then holds commas; a double quote within is written twice. A
 * quote inside a field that does not begin with one is an error (RFC 4180, without its line breaks).
 */
#ifndef SKIFF_BASE_CSV_H
#define SKIFF_BASE_CSV_H

#include <stddef.h>

#include "base/strv.h"

/*
 * Adds the fields to *fields. -EINVAL: *ret_problem (static) says in Go's words what is wrong, and
 * *ret_column where, counted in bytes from 1.
 */
int csv_split(const char *line, struct strv *fields, const char **ret_problem, size_t *ret_column);

#endif
