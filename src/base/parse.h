/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parse.h - numbers, sizes and durations from text
 *
 * The whole string must be the value: no surrounding space, no sign unless the type has one, no
 * overflow. Returns 0, or -EINVAL / -ERANGE with the output untouched.
 */
#ifndef SKIFF_BASE_PARSE_H
#define SKIFF_BASE_PARSE_H

#include <stdbool.h>
#include <stdint.h>

int parse_u32(const char *text, uint32_t *ret_value);
int parse_u64(const char *text, uint64_t *ret_value);
int parse_i64(const char *text, int64_t *ret_value);

/* Octal digits, as in a mode ("0755", "1777"). */
int parse_octal(const char *text, uint32_t *ret_value);

/* true/false/1/0/t/f/T/F/TRUE/FALSE/True/False, as Go's strconv.ParseBool. */
int parse_bool(const char *text, bool *ret_value);

/* Bytes as docker writes them: "64m", "1g", "512", "1.5GiB", "10MB"; binary multiples. */
int parse_size(const char *text, uint64_t *ret_bytes);

/* A decimal number such as "1.5" as billionths (nanos). */
int parse_decimal_nano(const char *text, int64_t *ret_nano);

/* Go's duration: "10s", "1h2m3.5s", "300ms". In nanoseconds. */
int parse_duration(const char *text, int64_t *ret_ns);

#endif
