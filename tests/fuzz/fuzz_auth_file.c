/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_auth_file.c - files of credentials; the first byte chooses whose */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "trust/auth_file.h"
#include "trust/credentials.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is stored is found, what is removed is not. */
static void store_and_find(struct auth_file *file)
{
	struct credentials mine = {.username = (char *)"u", .password = (char *)"p:q"};
	auto_(credentials_release) struct credentials found = {0}, gone = {0};
	auto_(error_release) struct error err = {0};

	if (file->style == AUTH_FILE_LEGACY)
		return;
	auth_file_set(file, "a.com", &mine);
	if (auth_file_find(file, "a.com", NULL, &found, &err) != 1 ||
	    strcmp(found.username, "u") != 0 || strcmp(found.password, "p:q") != 0)
		abort();
	if (!auth_file_unset(file, "a.com") || auth_file_find(file, "a.com", NULL, &gone, &err))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const domains[] = {"a.com", "docker.io", "b.com:5000"};
	auto_(auth_file_release) struct auth_file file = {0};
	auto_(error_release) struct error err = {0};

	if (size == 0 || auth_file_parse((const char *)data + 1, size - 1, "fuzz",
					 (enum auth_file_style)(data[0] % 3), &file, &err) < 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(domains); i++) {
		auto_(credentials_release) struct credentials found = {0};

		if (auth_file_find(&file, domains[i], "team/app", &found, &err) == 1 &&
		    credentials_is_empty(&found))
			abort();
		(void)auth_file_helper(&file, domains[i]);
	}
	(void)auth_file_default_helper(&file);
	store_and_find(&file);
	return 0;
}
