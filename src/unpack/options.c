/* SPDX-License-Identifier: Apache-2.0 */
#include "unpack/options.h"

#include <stddef.h>
#include <string.h>

#include "base/alloc.h"
#include "base/parse.h"
#include "base/sha256.h"
#include "unpack/protocol.h"

enum option_type {
	OPTION_FLAG,
	OPTION_NUMBER,
	OPTION_DIGEST,
};

struct option {
	const char *name;
	enum option_type type;
	size_t where;
};

#define FLAG(name, field)                                                                          \
	{                                                                                          \
		name, OPTION_FLAG, offsetof(struct options, field)                                 \
	}
#define NUMBER(name, field)                                                                        \
	{                                                                                          \
		name, OPTION_NUMBER, offsetof(struct options, field)                               \
	}
#define DIGEST(name, field)                                                                        \
	{                                                                                          \
		name, OPTION_DIGEST, offsetof(struct options, field)                               \
	}

static const struct option index_options[] = {
	FLAG("spool", spool),
	NUMBER("max-bytes", max_bytes),
	NUMBER("max-entries", max_entries),
};

static const struct option layer_options[] = {
	FLAG("blob", blob),
	FLAG("progress", progress),
	NUMBER("offset", offset),
	NUMBER("size", size),
	NUMBER("max-bytes", max_bytes),
	NUMBER("max-entries", max_entries),
	DIGEST("digest", digest),
	DIGEST("diff-id", diff_id),
};

/* Returns the value's text, "" for a flag, or NULL when `arg` is not this option. */
static const char *match(const struct option *option, const char *arg)
{
	size_t len = strlen(option->name);

	if (strncmp(arg, "--", 2) != 0 || strncmp(arg + 2, option->name, len) != 0)
		return NULL;
	if (option->type == OPTION_FLAG)
		return arg[2 + len] ? NULL : "";
	return arg[2 + len] == '=' ? arg + 2 + len + 1 : NULL;
}

static bool store(const struct option *option, const char *value, struct options *options)
{
	void *where = (char *)options + option->where;

	switch (option->type) {
	case OPTION_FLAG:
		*(bool *)where = true;
		return true;
	case OPTION_NUMBER:
		return parse_u64(value, where) == 0;
	case OPTION_DIGEST:
		*(const char **)where = value;
		return digest_is_valid(value);
	}
	return false;
}

static int parse_one(const struct option *table, size_t count, const char *arg,
		     struct options *options, struct error *err)
{
	for (size_t i = 0; i < count; i++) {
		const char *value = match(&table[i], arg);

		if (value && store(&table[i], value, options))
			return 0;
	}
	return err_set(err, ERR_INVALID, EINVAL, "skiff-unpack: bad option '%s'", arg);
}

int options_parse(int argc, char **argv, struct options *ret_options, struct error *err)
{
	struct options o = {
		.offset = UINT64_MAX,
		.size = UINT64_MAX,
		.max_bytes = UNPACK_DEFAULT_MAX_BYTES,
	};
	bool layer = argc > 1 && strcmp(argv[1], "layer") == 0;

	if (!layer && (argc < 2 || strcmp(argv[1], "index") != 0))
		return err_set(err, ERR_INVALID, EINVAL, "skiff-unpack: 'index' or 'layer'?");
	o.job = layer ? JOB_LAYER : JOB_INDEX;
	o.max_entries = layer ? UNPACK_LAYER_MAX_ENTRIES : UNPACK_INDEX_MAX_ENTRIES;
	for (int i = 2; i < argc; i++)
		if (parse_one(layer ? layer_options : index_options,
			      layer ? ARRAY_SIZE(layer_options) : ARRAY_SIZE(index_options),
			      argv[i], &o, err) < 0)
			return err_result(err);
	o.region = o.size != UINT64_MAX;
	if (o.region && o.offset == UINT64_MAX)
		o.offset = 0;
	if ((o.offset != UINT64_MAX && !o.region) ||
	    (o.region && (o.size > INT64_MAX || o.offset > INT64_MAX - o.size)))
		return err_set(err, ERR_INVALID, EINVAL, "skiff-unpack: bad offset or size");
	*ret_options = o;
	return 0;
}
