/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hex.h"

#include <errno.h>
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

static int digit_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

int hex_byte(const char *digits, uint8_t *ret_byte)
{
	int high = digit_value(digits[0]);
	int low = high < 0 ? -1 : digit_value(digits[1]);

	if (low < 0)
		return -EINVAL;
	*ret_byte = (uint8_t)(high << 4 | low);
	return 0;
}
