/* SPDX-License-Identifier: Apache-2.0 */
/*
 * toml.h - TOML 1.0 as a JSON value
 *
 * Tables become objects, arrays arrays, strings strings, integers and booleans themselves. Floating
 * point numbers and dates are refused: no file that we read has them. Written here because no C
 * library for TOML is packaged in Debian.
 *
 * What TOML calls an error is one here: a key or table defined twice, an array extended after it was
 * written in place, control characters, invalid UTF-8. Text, levels and members are bounded.
 */
#ifndef SKIFF_BASE_TOML_H
#define SKIFF_BASE_TOML_H

#include <stddef.h>

#include "base/error.h"
#include "base/json.h"

#define TOML_MAX_BYTES ((size_t)1 << 20)
#define TOML_MAX_LEVELS 16

/* `what` names the document in the message, which has the line too. *ret_root is a new reference. */
int toml_parse(const char *text, size_t len, const char *what, json_t **ret_root,
	       struct error *err);

#endif
