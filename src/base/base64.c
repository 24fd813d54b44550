/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *base64_encode(const void *data, size_t len)
{
	const uint8_t *in = data;
	char *text = xmalloc((len + 2) / 3 * 4 + 1);
	char *out = text;

	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i;
		uint32_t bits = (uint32_t)in[i] << 16;

		if (left > 1)
			bits |= (uint32_t)in[i + 1] << 8;
		if (left > 2)
			bits |= in[i + 2];
		*out++ = alphabet[bits >> 18];
		*out++ = alphabet[bits >> 12 & 63];
		*out++ = (char)(left > 1 ? alphabet[bits >> 6 & 63] : '=');
		*out++ = (char)(left > 2 ? alphabet[bits & 63] : '=');
	}
	*out = '\0';
	return text;
}

/* 0 to 63, or -1. */
static int value_of(char c)
{
	const char *p = c ? strchr(alphabet, c) : NULL;

	return p ? (int)(p - alphabet) : -1;
}

/* The number of bytes in a group of four (1 to 3), or -1. Padding is for the last group only. */
static int decode_group(const char *group, bool last, uint32_t *ret_bits)
{
	int padding = 0;
	uint32_t bits = 0;

	if (last && group[3] == '=')
		padding = group[2] == '=' ? 2 : 1;
	for (int i = 0; i < 4; i++) {
		int value = i < 4 - padding ? value_of(group[i]) : 0;

		if (value < 0)
			return -1;
		bits = bits << 6 | (uint32_t)value;
	}
	if ((padding == 1 && bits & 0xff) || (padding == 2 && bits & 0xffff))
		return -1;
	*ret_bits = bits;
	return 3 - padding;
}

int base64_decode(const char *text, size_t len, char **ret_data, size_t *ret_len)
{
	auto_free char *data = NULL;
	size_t used = 0;

	if (len % 4 != 0)
		return -EINVAL;
	data = xmalloc(len / 4 * 3 + 1);
	for (size_t i = 0; i < len; i += 4) {
		uint32_t bits = 0;
		int n = decode_group(text + i, i + 4 == len, &bits);

		if (n < 0)
			return -EINVAL;
		for (int k = 0; k < n; k++)
			data[used++] = (char)(bits >> (16 - 8 * k) & 0xff);
	}
	data[used] = '\0';
	*ret_data = TAKE_PTR(data);
	*ret_len = used;
	return 0;
}
