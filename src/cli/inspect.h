/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inspect.h - what every `inspect` command does with its arguments
 *
 * A command says which kinds of objects its arguments may name, in the order in which they are tried:
 *
 *	static const struct inspect_kind kinds[] = {
 *		{"volume", volume_inspect, &inspect_volume_type},
 *		{0},
 *	};
 *
 *	return inspect_print(call, kinds, &(struct inspect_options){.format = opts->format});
 *
 * Without a format it prints docker's JSON array; with "json" the same in one line; with a template a line
 * per object. Objects that were found are printed also when others were not: then the status is 1.
 */
#ifndef SKIFF_CLI_INSPECT_H
#define SKIFF_CLI_INSPECT_H

#include <stdbool.h>

#include "base/json.h"
#include "cli/cli.h"

struct engine;
struct template_type;

struct inspect_kind {
	const char *name; /* "container", as --type has it */
	int (*inspect)(struct engine *engine, const char *selector, json_t **ret_object,
		       struct error *err);
	const struct template_type *type; /* NULL: fields are what the object has */
	/* In place of inspect() when there is a --platform; NULL: the command has none. */
	int (*inspect_platform)(struct engine *engine, const char *selector, const char *platform,
				json_t **ret_object, struct error *err);
	/* Adds what --size asks for; NULL: nothing. */
	int (*add_size)(struct engine *engine, const char *selector, json_t *object,
			struct error *err);
};

struct inspect_options {
	const char *format;   /* NULL: the JSON array */
	const char *platform; /* NULL: any */
	bool size;
};

/* `kinds` ends with a NULL name. Returns the exit status. */
int inspect_print(const struct command_call *call, const struct inspect_kind *kinds,
		  const struct inspect_options *options);

#endif
