/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"

#include <stdbool.h>

static bool is_continuation(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

size_t utf8_length(const unsigned char *s, size_t len)
{
	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf && len >= 2)
		return is_continuation(s[1]) ? 2 : 0;
	if (s[0] >= 0xe0 && s[0] <= 0xef && len >= 3) {
		if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f))
			return 0;
		return is_continuation(s[1]) && is_continuation(s[2]) ? 3 : 0;
	}
	if (s[0] >= 0xf0 && s[0] <= 0xf4 && len >= 4) {
		if ((s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
			return 0;
		return is_continuation(s[1]) && is_continuation(s[2]) && is_continuation(s[3]) ? 4
											       : 0;
	}
	return 0;
}

void utf8_add_valid(struct strbuf *out, const char *text, size_t len)
{
	while (len > 0) {
		size_t n = utf8_length((const unsigned char *)text, len);

		if (n == 0)
			strbuf_adds(out, "\xef\xbf\xbd");
		else
			strbuf_add(out, text, n);
		n += n == 0;
		text += n;
		len -= n;
	}
}
