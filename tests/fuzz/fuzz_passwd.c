/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_passwd.c - a user, /etc/passwd and /etc/group, separated by NUL bytes */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "runtime/user_lookup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *next_part(const char **data, size_t *size)
{
	size_t len = strnlen(*data, *size);
	char *part = xstrndup(*data, len);

	len += len < *size;
	*data += len;
	*size -= len;
	return part;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *rest = (const char *)data;
	auto_free char *user = next_part(&rest, &size);
	auto_free char *passwd = next_part(&rest, &size);
	auto_free char *group = next_part(&rest, &size);
	auto_(user_identity_release) struct user_identity identity = {0};
	auto_(error_release) struct error err = {0};
	auto_free char *name = user_name_in_passwd(passwd, 1000);

	if (name && strlen(name) > strlen(passwd))
		abort();
	if (user_lookup_in(passwd, group, user, NULL, &identity, &err) == 0 &&
	    (identity.uid > INT32_MAX - 1 || identity.group_count == 0))
		abort();
	return 0;
}
