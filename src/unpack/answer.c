/* SPDX-License-Identifier: Apache-2.0 */
#include "unpack/answer.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/fd.h"
#include "base/json.h"
#include "unpack/protocol.h"

int answer_text(const char *text, size_t len)
{
	return fd_write_all(UNPACK_RESULT_FD, text, len) < 0 ||
	       fd_write_all(UNPACK_RESULT_FD, "\n", 1) < 0;
}

static int answer(json_t *object)
{
	auto_free char *text = json_text(object);

	json_decref(object);
	return answer_text(text, strlen(text));
}

int answer_error(const struct error *err)
{
	json_t *object;

	/* Names in messages are UTF-8 already (tar_path_show()); this is for what we forgot. */
	object = json_pack("{s:{s:s, s:i, s:s}}", "error", "kind", error_kind_name(err->kind),
			   "errno", err->errnum, "message", err_message(err));
	if (!object)
		object = json_pack("{s:{s:s, s:i, s:s}}", "error", "kind", "invalid", "errno",
				   err->errnum, "message", "an error that is not UTF-8");
	(void)answer(object);
	return 1;
}

int answer_layer(const struct pipeline_totals *totals, uint64_t bytes, uint64_t entries)
{
	return answer(json_pack(
		"{s:{s:s, s:s, s:s, s:I, s:I, s:I, s:I}}", "layer", "digest", totals->digest,
		"diffId", totals->diff_id, "compression", compression_name(totals->compression),
		"size", (json_int_t)totals->raw_bytes, "tarSize", (json_int_t)totals->tar_bytes,
		"unpackedBytes", (json_int_t)bytes, "entries", (json_int_t)entries));
}

int answer_pack(const struct pack_result *result)
{
	return answer(json_pack("{s:{s:I, s:I}}", "pack", "entries", (json_int_t)result->entries,
				"bytes", (json_int_t)result->bytes));
}

int answer_changes(uint64_t count)
{
	return answer(json_pack("{s:{s:I}}", "changes", "count", (json_int_t)count));
}

int answer_extract(uint64_t entries, uint64_t bytes)
{
	return answer(json_pack("{s:{s:I, s:I}}", "extract", "entries", (json_int_t)entries,
				"bytes", (json_int_t)bytes));
}

int answer_find(const struct found_path *found, struct error *err)
{
	json_t *object = json_pack("{s:{s:b, s:s, s:i, s:I, s:I}}", "find", "exists", found->exists,
				   "path", found->path, "mode", (int)found->st.st_mode, "size",
				   (json_int_t)found->st.st_size, "mtime",
				   (json_int_t)found->st.st_mtim.tv_sec);

	if (!object)
		return err_set(err, ERR_INVALID, EILSEQ,
			       "the path is, or leads to, a name that is not UTF-8");
	return answer(object);
}

void answer_progress(uint64_t raw_bytes)
{
	char line[64];
	int len =
		snprintf(line, sizeof(line), "{\"progress\":{\"bytes\":%" PRIu64 "}}\n", raw_bytes);

	/* Ignoring failures: if nobody reads, the answer will fail too, and that counts. */
	(void)fd_write_all(UNPACK_RESULT_FD, line, (size_t)len);
}
