/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "trust/ask_program.h"
#include "trust/policy_internal.h"
#include "verify/protocol.h"

#define PROGRAM_NAME "skiff-verify"

static char *program_path(void)
{
	const char *directory = getenv("SKIFF_LIBEXEC_DIR");

	if (directory && directory[0] == '/')
		return xasprintf("%s/" PROGRAM_NAME, directory);
	return xstrdup(VERIFY_PROGRAM);
}

static char *request_text(const char *key_pem, const char *payload, size_t payload_len,
			  const char *signature, size_t signature_len)
{
	auto_(json_decref) json_t *request = json_object();
	auto_free char *payload_text = base64_encode(payload, payload_len);
	auto_free char *signature_text = base64_encode(signature, signature_len);

	json_set_string(request, "key", key_pem);
	json_set_string(request, "payload", payload_text);
	json_set_string(request, "signature", signature_text);
	return json_text(request);
}

int signature_check(const char *key_pem, const char *what, const char *payload, size_t payload_len,
		    const char *signature, size_t signature_len, struct error *err)
{
	char *const no_environment[] = {NULL};
	auto_free char *program = program_path();
	auto_free char *input =
		request_text(key_pem, payload, payload_len, signature, signature_len);
	auto_(strbuf_release) struct strbuf text = {0};
	auto_(json_decref) json_t *answer = NULL;
	const struct question question = {
		.program = program,
		.name = PROGRAM_NAME,
		.environment = no_environment,
		.input = input,
		.input_len = strlen(input),
		.max_answer_bytes = VERIFY_MAX_ANSWER,
		.timeout_ms = VERIFY_TIMEOUT_MS,
	};
	const char *problem;
	int r;

	r = ask_program(&question, &text, err);
	if (r < 0)
		return r;
	if (r > 0)
		return err_set(err, ERR_INTERNAL, 0,
			       "the helper " PROGRAM_NAME " failed (status %d)", r);
	r = json_parse(strbuf_text(&text), text.len, "answer of " PROGRAM_NAME, &answer, err);
	if (r < 0)
		return r;
	problem = json_get_string(answer, "problem", "");
	if (problem[0])
		return err_set(err, ERR_INVALID, 0, "%s: %s", what, problem);
	return json_get_bool(answer, "good", false);
}
