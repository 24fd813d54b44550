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
	OPTION_TEXT, /* not empty */
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
#define TEXT(name, field)                                                                          \
	{                                                                                          \
		name, OPTION_TEXT, offsetof(struct options, field)                                 \
	}

static const struct option index_options[] = {
	FLAG("spool", spool),
	NUMBER("max-bytes", max_bytes),
	NUMBER("max-entries", max_entries),
};

static const struct option layer_options[] = {
	FLAG("blob", blob),
	FLAG("follow", follow),
	FLAG("progress", progress),
	NUMBER("offset", offset),
	NUMBER("size", size),
	NUMBER("max-bytes", max_bytes),
	NUMBER("max-entries", max_entries),
	DIGEST("digest", digest),
	DIGEST("diff-id", diff_id),
};

static const struct option pack_options[] = {
	TEXT("path", path),
	TEXT("as", as),
	FLAG("whiteouts", whiteouts),
	FLAG("sparse", sparse),
};

static const struct option find_options[] = {
	TEXT("path", path),
	FLAG("follow", follow_link),
};

static const struct option extract_options[] = {
	TEXT("path", path),
	TEXT("owner", owner),
	FLAG("no-owner", no_owner),
	NUMBER("max-bytes", max_bytes),
	NUMBER("max-entries", max_entries),
};

static const struct job_options {
	const char *name;
	enum job job;
	const struct option *options;
	size_t count;
	uint64_t max_entries;
} jobs[] = {
	{"index", JOB_INDEX, index_options, ARRAY_SIZE(index_options), UNPACK_INDEX_MAX_ENTRIES},
	{"layer", JOB_LAYER, layer_options, ARRAY_SIZE(layer_options), UNPACK_LAYER_MAX_ENTRIES},
	{"pack", JOB_PACK, pack_options, ARRAY_SIZE(pack_options), 0},
	{"find", JOB_FIND, find_options, ARRAY_SIZE(find_options), 0},
	{"extract", JOB_EXTRACT, extract_options, ARRAY_SIZE(extract_options),
	 UNPACK_LAYER_MAX_ENTRIES},
	{"changes", JOB_CHANGES, NULL, 0, 0},
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
	case OPTION_TEXT:
		*(const char **)where = value;
		return *value != '\0';
	}
	return false;
}

static int parse_one(const struct job_options *job, const char *arg, struct options *options,
		     struct error *err)
{
	for (size_t i = 0; i < job->count; i++) {
		const char *value = match(&job->options[i], arg);

		if (value && store(&job->options[i], value, options))
			return 0;
	}
	return err_set(err, ERR_INVALID, EINVAL, "skiff-unpack: bad option '%s'", arg);
}

static const struct job_options *find_job(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(jobs); i++)
		if (strcmp(jobs[i].name, name) == 0)
			return &jobs[i];
	return NULL;
}

static int check_region(struct options *o, struct error *err)
{
	o->region = o->size != UINT64_MAX;
	if (o->region && o->offset == UINT64_MAX)
		o->offset = 0;
	if ((o->offset != UINT64_MAX && !o->region) || (o->follow && !o->region) ||
	    (o->region && (o->size > INT64_MAX || o->offset > INT64_MAX - o->size)))
		return err_set(err, ERR_INVALID, EINVAL, "skiff-unpack: bad offset or size");
	return 0;
}

int options_parse(int argc, char **argv, struct options *ret_options, struct error *err)
{
	const struct job_options *job = argc > 1 ? find_job(argv[1]) : NULL;
	struct options o = {
		.offset = UINT64_MAX,
		.size = UINT64_MAX,
		.max_bytes = UNPACK_DEFAULT_MAX_BYTES,
	};

	if (!job)
		return err_set(err, ERR_INVALID, EINVAL, "skiff-unpack: which job?");
	o.job = job->job;
	o.max_entries = job->max_entries;
	for (int i = 2; i < argc; i++)
		if (parse_one(job, argv[i], &o, err) < 0)
			return err_result(err);
	if (check_region(&o, err) < 0)
		return err_result(err);
	if ((o.job == JOB_PACK || o.job == JOB_FIND || o.job == JOB_EXTRACT) && !o.path)
		return err_set(err, ERR_INVALID, EINVAL, "skiff-unpack: which path?");
	*ret_options = o;
	return 0;
}
