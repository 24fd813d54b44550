/* SPDX-License-Identifier: Apache-2.0 */
#include "unpack/layer.h"

#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "unpack/extract.h"

static int extract_all(struct extractor *x, struct tar_input *input, struct error *err)
{
	auto_(tar_reader_release) struct tar_reader reader = {.input = input};
	struct tar_entry entry;
	int r;

	while ((r = tar_reader_next(&reader, &entry, err)) > 0)
		if (extract_entry(x, &reader, &entry, err) < 0)
			return err_result(err);
	return r < 0 ? r : extract_finish(x, err);
}

static int check(const char *what, const char *wanted, const char *found, struct error *err)
{
	if (!wanted || strcmp(wanted, found) == 0)
		return 0;
	return err_set(err, ERR_INVALID, EBADMSG, "the layer's %s is %s, not %s", what, found,
		       wanted);
}

int layer_run(const struct options *options, const struct confinement *c, struct pipeline *pipeline,
	      struct layer_result *ret_result, struct error *err)
{
	struct extract_limits limits = {
		.max_bytes = options->max_bytes,
		.max_entries = options->max_entries,
	};
	auto_(extract_release) struct extractor x = {0};
	struct layer_result result = {0};
	enum compression compression;
	struct tar_input *input;

	if (extract_init(&x, c, &limits, err) < 0)
		return err_result(err);
	if (pipeline_start(pipeline, &compression, &input, err) < 0)
		return err_result(err);
	if (extract_all(&x, input, err) < 0)
		return err_result(err);
	result.bytes = x.bytes;
	result.entries = x.entries;
	if (pipeline_finish(pipeline, &result.totals, err) < 0)
		return err_result(err);
	if (check("digest", options->digest, result.totals.digest, err) < 0 ||
	    check("diff-id", options->diff_id, result.totals.diff_id, err) < 0)
		return err_result(err);
	log_debug("unpack",
		  "layer %s: %" PRIu64 " entries, %" PRIu64 " of %" PRIu64 " bytes of tar",
		  result.totals.digest, result.entries, result.bytes, result.totals.tar_bytes);
	*ret_result = result;
	return 0;
}
