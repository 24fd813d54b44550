/* SPDX-License-Identifier: Apache-2.0 */
/*
 * detach_keys.h - the key sequence that leaves a container running
 *
 * docker's syntax: keys separated by commas, each one character or "ctrl-" and one of
 * a-z @ [ \ ] ^ _, or DEL.
 *
 * Keys that begin the sequence are held back until it is clear whether it is meant; when it is not,
 * they are passed on, and what could be a new beginning among them is held back again.
 */
#ifndef SKIFF_ENGINE_DETACH_KEYS_H
#define SKIFF_ENGINE_DETACH_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define DETACH_KEYS_MAX 32

struct detach_keys {
	uint8_t keys[DETACH_KEYS_MAX];
	uint8_t fallback[DETACH_KEYS_MAX]; /* after a mismatch at i, this many still match */
	size_t count;                      /* 0: there is no sequence */
	size_t matched;
};

/* NULL and "" give the empty sequence. ERR_INVALID with docker's words. */
int detach_keys_parse(const char *text, struct detach_keys *ret_keys, struct error *err);

/*
 * Filters what was typed. `out` has room for len + DETACH_KEYS_MAX bytes; *ret_len are to be passed
 * on. True when the sequence is complete: what was typed after it is dropped.
 */
bool detach_keys_filter(struct detach_keys *keys, const uint8_t *typed, size_t len, uint8_t *out,
			size_t *ret_len);

/* No more will be typed: gives what was held back. */
size_t detach_keys_flush(struct detach_keys *keys, uint8_t *out);

#endif
