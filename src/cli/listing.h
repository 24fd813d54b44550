/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listing.h - rows of named fields: tables, --format and --quiet
 *
 * A command describes its fields once; the user chooses with --format:
 *
 *	(nothing), table     the default columns
 *	json                 one object per line with all fields
 *	raw                  the command's own lines of "key: value", where docker has them
 *	TEMPLATE             a line per item, in Go's template language (template/template.h)
 *	table TEMPLATE       the same in aligned columns, below the fields' headers
 *
 * In a template \t and \n are a tab and a line end. Fields that the template does not look at are not
 * asked for, so one that is expensive costs nothing unless it is shown.
 */
#ifndef SKIFF_CLI_LISTING_H
#define SKIFF_CLI_LISTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/error.h"
#include "base/strbuf.h"

/* What a field is in a template and in JSON: docker's are texts, nearly all. */
enum listing_kind {
	LISTING_TEXT,
	LISTING_BOOL,   /* the text is "true" or "false" */
	LISTING_NUMBER, /* decimal */
	LISTING_JSON,   /* the text is JSON: an object or a list */
};

struct listing_field {
	const char *name;   /* "CreatedAt" */
	const char *header; /* "CREATED AT"; NULL: docker has none */
	void (*text)(const void *item, const void *context, struct strbuf *ret_text);
	enum listing_kind kind;
};

struct listing {
	const struct listing_field *fields; /* sorted by name, ends with a NULL name */
	const char *format;                 /* as typed; NULL: the default table */
	const char *const *columns; /* names of the default table's fields; NULL-terminated */
	const void *context;        /* handed to the fields */

	/* May be left out: */
	bool quiet;              /* --quiet: only `quiet_field`, whatever the format */
	const char *quiet_field; /* NULL: "ID" */
	const char *raw;         /* the template of "raw"; NULL: there is none */
	const char *raw_quiet;   /* the same with --quiet */
	const char *added;       /* ends every "table TEMPLATE": "\\t{{.Size}}" with ps --size */
	const char *type_name;   /* Go's, for messages: "*formatter.ContainerContext" */
	/* {{.Label "key"}}; NULL: there is no such method. "" when the item has no such label. */
	void (*label)(const void *item, const char *key, struct strbuf *ret_text);
};

/*
 * ERR_INVALID when the format cannot be used: docker's message, "template parsing error: …". Nothing is
 * printed then.
 */
int listing_print(const struct listing *listing, const void *items, size_t item_size, size_t count,
		  FILE *out, struct error *err);

/*
 * Whether printing will look at a field, for what is costly to find out before listing_print() is
 * called. True when the format is no template at all.
 */
bool listing_uses(const struct listing *listing, const char *field);

#endif
