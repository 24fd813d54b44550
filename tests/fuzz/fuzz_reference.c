/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_reference.c - names of images */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "image/platform.h"
#include "image/reference.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was accepted must mean the same when it is written down and read again. */
static void check_round_trip(const struct reference *first)
{
	auto_(reference_release) struct reference again = {0};
	auto_(error_release) struct error err = {0};
	auto_free char *normal = reference_format(first);
	auto_free char *familiar = reference_familiar(first);
	auto_free char *normal_again = NULL;

	if (reference_parse(familiar, &again, &err) < 0)
		abort();
	normal_again = reference_format(&again);
	if (strcmp(normal, normal_again) != 0 || strchr(normal, ' '))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_(reference_release) struct reference reference = {0};
	auto_(platform_release) struct platform platform = {0};
	auto_(error_release) struct error err = {0};
	auto_free char *text = xstrndup((const char *)data, size);

	if (reference_parse(text, &reference, &err) >= 0)
		check_round_trip(&reference);
	(void)platform_parse(text, &platform, &err);
	return 0;
}
