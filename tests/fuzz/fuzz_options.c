/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_options.c - command lines: the words are separated by NUL bytes */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/cli.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define WORDS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_(cli_release) struct cli cli = {0};
	auto_(invocation_release) struct invocation invocation = {0};
	auto_(strv_release) struct strv words = {0};
	auto_fclose FILE *null = fopen("/dev/null", "we");
	int status;

	if (!null)
		abort();
	strv_add(&words, "skiff");
	for (size_t at = 0; at < size && words.count < WORDS_MAX;) {
		size_t len = strnlen((const char *)data + at, size - at);

		strv_add_take(&words, xstrndup((const char *)data + at, len));
		at += len + 1;
	}
	cli_init(&cli, null, null);
	(void)cli_parse(&cli, words.count, (const char *const *)words.items, &invocation, &status);
	return 0;
}
