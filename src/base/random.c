/* SPDX-License-Identifier: Apache-2.0 */
#include "base/random.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/hex.h"

void random_bytes(void *data, size_t len)
{
	char *p = data;

	while (len > 0) {
		ssize_t n = getrandom(p, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			abort(); /* getrandom() without flags cannot fail otherwise */
		p += n;
		len -= (size_t)n;
	}
}

uint32_t random_below(uint32_t limit)
{
	uint32_t rest = (uint32_t)(-limit) % limit; /* 2^32 mod limit */
	uint32_t value;

	do
		random_bytes(&value, sizeof(value));
	while (value < rest);
	return value % limit;
}

void random_hex_id(char id[HEX_ID_LEN + 1])
{
	uint8_t bytes[HEX_ID_LEN / 2];

	random_bytes(bytes, sizeof(bytes));
	hex_format(bytes, sizeof(bytes), id);
}
