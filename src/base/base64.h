/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base64.h - RFC 4648, the standard alphabet with padding
 *
 * Decoding is strict: no blanks, no missing or surplus padding, no bits set that the padding hides.
 * So a value has one text only, and comparing texts compares values.
 */
#ifndef SKIFF_BASE_BASE64_H
#define SKIFF_BASE_BASE64_H

#include <stddef.h>
#include <stdint.h>

/* Caller frees; never NULL. */
char *base64_encode(const void *data, size_t len);

/*
 * 0 or -EINVAL. *ret_data is owned by the caller and followed by a NUL that *ret_len does not count
 * (the data may hold others).
 */
int base64_decode(const char *text, size_t len, char **ret_data, size_t *ret_len);

#endif
