/* SPDX-License-Identifier: Apache-2.0 */
/*
 * type.h - what Go would know about a value, and JSON does not say
 *
 * A type is a constant table. It decides how a template sees a value: what a missing member or JSON
 * null is (an empty list, a nil pointer, zero), which names are mistakes, how a whole object is
 * printed, and how it becomes JSON: the fields of a struct in the type's order, all of them but optional
 * ones, then whatever else the object has; the keys of a map sorted.
 *
 *	static const struct template_field mount_fields[] = {
 *		{"Type", &template_string},
 *		{"RW", &template_bool},
 *		{0},
 *	};
 *	const struct template_type mount_type = {
 *		TEMPLATE_STRUCT, "container.MountPoint", .fields = mount_fields,
 *	};
 *
 * A struct that is embedded in another (Go's "promoted" fields) has its members in the same object.
 */
#ifndef SKIFF_TEMPLATE_TYPE_H
#define SKIFF_TEMPLATE_TYPE_H

#include <jansson.h>
#include <stdbool.h>

enum template_kind {
	TEMPLATE_ANY, /* as JSON says: interface {} */
	TEMPLATE_BOOL,
	TEMPLATE_INT,
	TEMPLATE_FLOAT,
	TEMPLATE_STRING,
	TEMPLATE_TIME,    /* RFC 3339 in JSON; printed as Go prints a time.Time */
	TEMPLATE_LIST,    /* null is an empty one */
	TEMPLATE_MAP,     /* keys are strings; null is an empty one */
	TEMPLATE_STRUCT,  /* null has every field, each zero */
	TEMPLATE_POINTER, /* null is nil */
};

struct template_type;

struct template_field {
	const char *name;
	const struct template_type *type;
	const char *key; /* in JSON; NULL: the name */
	bool optional;   /* left out of JSON when it is empty (Go's omitempty) */
	bool embedded;   /* its fields are members of the same object, and reached directly */
	/* A method of one text argument, `.Label "key"`; the result is a new reference. */
	json_t *(*call)(const void *self, const char *argument);
};

struct template_type {
	enum template_kind kind;
	const char *name;                    /* Go's: "string", "*types.Health" */
	const struct template_type *elem;    /* LIST, MAP, POINTER */
	const struct template_field *fields; /* STRUCT: ends with a NULL name */
};

extern const struct template_type template_any, template_bool, template_int, template_int64,
	template_uint64, template_float, template_string, template_time, template_strings,
	template_string_map, template_bool_pointer, template_int64_pointer, template_any_map;

#endif
