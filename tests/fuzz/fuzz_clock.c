/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_clock.c - times, sizes and durations as users write them */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *text = xstrndup((const char *)data, size);
	char formatted[CLOCK_TEXT_SIZE];
	uint64_t bytes;
	int64_t ns, again;

	(void)parse_size(text, &bytes);
	(void)parse_duration(text, &ns);
	(void)parse_decimal_nano(text, &ns);
	if (clock_parse_user(text, 0, &ns) == 0)
		clock_format(ns, formatted);
	if (clock_parse(text, &ns) == 0) {
		clock_format(ns, formatted);
		if (clock_parse(formatted, &again) == 0 && again != ns)
			abort();
	}
	return 0;
}
