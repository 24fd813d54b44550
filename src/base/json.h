/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.h - Jansson with bounds
 *
 * Texts from outside are parsed here only: size and depth are limited, duplicate keys and invalid
 * UTF-8 are refused. The getters never fail: an absent or mistyped member is the default, for
 * records of ours; use json_parse() with json_unpack_ex() where a wrong type must be an error.
 */
#ifndef SKIFF_BASE_JSON_H
#define SKIFF_BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/strv.h"

DEFINE_CLEANUP(json_t *, json_decref);

#define JSON_MAX_BYTES ((size_t)8 << 20)
#define JSON_MAX_LEVELS 64

/* `what` names the document in the message. The result is a new reference. */
int json_parse(const char *text, size_t len, const char *what, json_t **ret_value,
	       struct error *err);

/* Compact text, keys in insertion order; caller frees; never NULL. */
char *json_text(const json_t *value);

/* With `indent` spaces, as docker's inspect prints it. */
char *json_text_pretty(const json_t *value, size_t indent);

const char *json_get_string(const json_t *object, const char *key, const char *otherwise);
int64_t json_get_int(const json_t *object, const char *key, int64_t otherwise);
bool json_get_bool(const json_t *object, const char *key, bool otherwise);

/* Appends the strings of an array member; elements of other types are skipped. */
void json_get_strv(const json_t *object, const char *key, struct strv *ret_list);

/* A new array of strings. */
json_t *json_from_strv(const struct strv *list);

/* Sets a string member, or JSON null when `value` is NULL. */
void json_set_string(json_t *object, const char *key, const char *value);

#endif
