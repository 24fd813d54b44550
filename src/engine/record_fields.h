/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record_fields.h - C structs to JSON objects and back, by table
 *
 * A table names every member of a struct with its JSON key. Members that hold their empty value
 * (NULL, false, 0, no items) are left out of the object, and an absent key leaves the member as it
 * is. A key with a value of the wrong type is an error: these are records of ours, and one that
 * does not fit was not written by us.
 */
#ifndef SKIFF_ENGINE_RECORD_FIELDS_H
#define SKIFF_ENGINE_RECORD_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "base/strv.h"

enum record_field_type {
	RECORD_STRING, /* char *, owned */
	RECORD_BOOL,   /* bool */
	RECORD_INT,    /* int64_t */
	RECORD_STRV,   /* struct strv */
};

struct record_field {
	const char *key;
	enum record_field_type type;
	size_t offset;
};

/* The field must have the C type of the entry. */
#define RECORD_OFFSET_(s, f, ctype)                                                                \
	(offsetof(s, f) +                                                                          \
	 0 * sizeof(char[__builtin_types_compatible_p(__typeof__(((s *)0)->f), ctype) ? 1 : -1]))
#define RECORD_FIELD_STRING(s, f, k)                                                               \
	{                                                                                          \
		k, RECORD_STRING, RECORD_OFFSET_(s, f, char *)                                     \
	}
#define RECORD_FIELD_BOOL(s, f, k)                                                                 \
	{                                                                                          \
		k, RECORD_BOOL, RECORD_OFFSET_(s, f, bool)                                         \
	}
#define RECORD_FIELD_INT(s, f, k)                                                                  \
	{                                                                                          \
		k, RECORD_INT, RECORD_OFFSET_(s, f, int64_t)                                       \
	}
#define RECORD_FIELD_STRV(s, f, k)                                                                 \
	{                                                                                          \
		k, RECORD_STRV, RECORD_OFFSET_(s, f, struct strv)                                  \
	}

void record_fields_save(const void *record, const struct record_field *fields, size_t count,
			json_t *object);
int record_fields_load(void *record, const struct record_field *fields, size_t count,
		       const json_t *object, struct error *err);

/* Frees the strings and lists, and sets every member of the table to its empty value. */
void record_fields_release(void *record, const struct record_field *fields, size_t count);

#endif
