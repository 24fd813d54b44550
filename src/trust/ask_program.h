/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ask_program.h - run a program: a question on its standard input, the answer from its output
 *
 * Its standard error is ours. It dies with us, and is killed when its time is over or its answer too
 * long.
 */
#ifndef SKIFF_TRUST_ASK_PROGRAM_H
#define SKIFF_TRUST_ASK_PROGRAM_H

#include <stddef.h>

#include "base/error.h"
#include "base/strbuf.h"

struct question {
	const char *program;  /* absolute path */
	const char *name;     /* for messages */
	const char *argument; /* the only one; NULL: none */
	char *const *environment;
	const char *input;
	size_t input_len;
	size_t max_answer_bytes;
	int timeout_ms;
};

/*
 * The exit code (128 + n for a death by signal n), and what it said; or a negative errno. The answer
 * may hold a secret: the caller wipes it.
 */
int ask_program(const struct question *question, struct strbuf *ret_answer, struct error *err);

#endif
