/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/answer.h"

#include <string.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "registry/protocol.h"

/* If nobody listens any more, the loop in serve.c sees the same and ends. */
static void say(json_t *object)
{
	auto_free char *text = json_text(object);

	json_decref(object);
	(void)fd_send(REGISTRY_SOCKET_FD, text, strlen(text), NULL, 0);
}

void answer_progress(int64_t id, uint64_t bytes)
{
	say(json_pack("{s:I, s:{s:I}}", "id", (json_int_t)id, "progress", "bytes",
		      (json_int_t)bytes));
}

void answer_error(int64_t id, const struct error *err)
{
	const char *kind = error_kind_name(err->kind);
	json_t *object = json_pack("{s:I, s:{s:s, s:i, s:s}}", "id", (json_int_t)id, "error",
				   "kind", kind, "errno", err->errnum, "message", err_message(err));

	/* A message with a name in it that is not UTF-8. */
	if (!object)
		object = json_pack("{s:I, s:{s:s, s:i, s:s}}", "id", (json_int_t)id, "error",
				   "kind", kind, "errno", err->errnum, "message",
				   "an answer that is not UTF-8");
	say(object);
}

void answer_done(int64_t id, json_t *done)
{
	say(json_pack("{s:I, s:o}", "id", (json_int_t)id, "done", done));
}
