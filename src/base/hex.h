/* SPDX-License-Identifier: Apache-2.0 */
/* hex.h - hexadecimal, in lower case */
#ifndef SKIFF_BASE_HEX_H
#define SKIFF_BASE_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writes 2 * len digits and a NUL. */
void hex_format(const uint8_t *bytes, size_t len, char *ret_text);

/* Only 0-9 and a-f, exactly `len` of them. */
bool hex_is(const char *text, size_t len);

/* The byte that two digits in either case are; 0 or -EINVAL. Reads no further than a NUL. */
int hex_byte(const char *digits, uint8_t *ret_byte);

#endif
