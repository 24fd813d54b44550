/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hex.h"

#include <string.h>

void hex_format(const uint8_t *bytes, size_t len, char *ret_text)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		ret_text[2 * i] = digits[bytes[i] >> 4];
		ret_text[2 * i + 1] = digits[bytes[i] & 15];
	}
	ret_text[2 * len] = '\0';
}

bool hex_is(const char *text, size_t len)
{
	return strspn(text, "0123456789abcdef") == len && text[len] == '\0';
}
