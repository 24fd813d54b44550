/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_env_file.c - --env-file and --label-file */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/env_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was accepted has a name, and no line end. */
static void check(const struct strv *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i][0] == '\0' || list->items[i][0] == '=' ||
		    strchr(list->items[i], '\n'))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char home[] = "HOME=/root";
	static char *const environment[] = {home, NULL};
	auto_(strv_release) struct strv env = {0};
	auto_(strv_release) struct strv labels = {0};
	auto_(error_release) struct error err = {0};

	(void)env_text_parse((const char *)data, size, "f", environment, &env, &err);
	(void)env_text_parse((const char *)data, size, "f", NULL, &labels, &err);
	check(&env);
	check(&labels);
	return 0;
}
