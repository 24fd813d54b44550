/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listing.h - rows of named fields: tables, --format and --quiet
 *
 * A command describes its fields once; the user chooses with --format:
 *
 *	(nothing), table     the default columns
 *	json                 one object per line with all fields
 *	TEXT                 a line per item; {{.Field}} and {{json .}} are replaced,
 *	                     \t and \n are a tab and a line end
 *	table TEXT           the same in aligned columns with headers; \t separates them
 *
 * Of Go's templates only these two actions exist: others are refused by name.
 */
#ifndef SKIFF_CLI_LISTING_H
#define SKIFF_CLI_LISTING_H

#include <stddef.h>
#include <stdio.h>

#include "base/error.h"
#include "base/strbuf.h"

struct listing_field {
	const char *name;   /* "CreatedAt" */
	const char *header; /* "CREATED AT" */
	void (*text)(const void *item, const void *context, struct strbuf *ret_text);
};

struct listing {
	const struct listing_field *fields; /* sorted by name, ends with a NULL name */
	const char *format;                 /* as typed; NULL: the default table */
	const char *const *columns; /* names of the default table's fields; NULL-terminated */
	const void *context;        /* handed to the fields */
};

/* ERR_INVALID when the format cannot be used; nothing is printed then. */
int listing_print(const struct listing *listing, const void *items, size_t item_size, size_t count,
		  FILE *out, struct error *err);

#endif
