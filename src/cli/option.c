/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/option.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/parse.h"

/* A row together with the struct that its offset is relative to. */
struct found_option {
	const struct option_spec *spec;
	void *base;
};

/* The words that are left to read. */
struct cursor {
	size_t argc, next;
	const char *const *argv;
};

static const char *cursor_take(struct cursor *c)
{
	return c->next < c->argc ? c->argv[c->next++] : NULL;
}

static bool long_name_is(const struct option_spec *spec, const char *name, size_t len)
{
	return strncmp(spec->long_name, name, len) == 0 && spec->long_name[len] == '\0';
}

static bool find_long(const struct option_spec *table, void *base, const char *name, size_t len,
		      struct found_option *ret_found)
{
	for (const struct option_spec *s = table; s && s->long_name; s++) {
		if (s->type == OPTION_INCLUDE) {
			if (find_long(s->include, (char *)base + s->offset, name, len, ret_found))
				return true;
		} else if (long_name_is(s, name, len)) {
			*ret_found = (struct found_option){s, base};
			return true;
		}
	}
	return false;
}

static bool find_short(const struct option_spec *table, void *base, char letter,
		       struct found_option *ret_found)
{
	for (const struct option_spec *s = table; s && s->long_name; s++) {
		if (s->type == OPTION_INCLUDE) {
			if (find_short(s->include, (char *)base + s->offset, letter, ret_found))
				return true;
		} else if (s->short_name == letter) {
			*ret_found = (struct found_option){s, base};
			return true;
		}
	}
	return false;
}

static int invalid_value(const struct option_spec *spec, const char *value, const char *why,
			 struct error *err)
{
	if (spec->short_name)
		return err_set(err, ERR_INVALID, 0,
			       "invalid argument \"%s\" for \"-%c, --%s\" flag: %s", value,
			       spec->short_name, spec->long_name, why);
	return err_set(err, ERR_INVALID, 0, "invalid argument \"%s\" for \"--%s\" flag: %s", value,
		       spec->long_name, why);
}

static int check_value(const struct option_spec *spec, const char *value, struct error *err)
{
	auto_(error_release) struct error why = {0};

	if (!spec->check || spec->check(value, &why) >= 0)
		return 0;
	return invalid_value(spec, value, err_message(&why), err);
}

static int store_value(const struct found_option *found, const char *value, struct error *err)
{
	const struct option_spec *spec = found->spec;
	void *field = (char *)found->base + spec->offset;
	int r;

	r = check_value(spec, value, err);
	if (r < 0)
		return r;

	switch (spec->type) {
	case OPTION_FLAG:
		if (parse_bool(value, field) < 0)
			return invalid_value(spec, value, "must be true or false", err);
		return 0;
	case OPTION_INT:
		if (parse_i64(value, field) < 0)
			return invalid_value(spec, value, "must be an integer", err);
		return 0;
	case OPTION_STRING:
		*(const char **)field = value;
		return 0;
	case OPTION_LIST:
		strv_add(field, value);
		return 0;
	case OPTION_INCLUDE:
		break;
	}
	return err_set(err, ERR_INTERNAL, 0, "option --%s has no place for a value",
		       spec->long_name);
}

static int set_option(const struct found_option *found, const char *value,
		      struct option_result *result, struct error *err)
{
	const struct option_spec *spec = found->spec;

	if (spec->deprecated)
		strv_addf(&result->notes, "Flag --%s has been deprecated, %s", spec->long_name,
			  spec->deprecated);
	return store_value(found, value, err);
}

/* `text` is what follows "--". */
static int parse_long(const struct option_parse *parse, struct cursor *words, const char *text,
		      struct option_result *result, struct error *err)
{
	size_t len = strcspn(text, "=");
	const char *value = text[len] == '=' ? text + len + 1 : NULL;
	struct found_option found;

	if (len == 0 || *text == '-')
		return err_set(err, ERR_INVALID, 0, "bad flag syntax: --%s", text);
	if (!find_long(parse->table, parse->opts, text, len, &found)) {
		if (parse->help_is_option && len == 4 && memcmp(text, "help", 4) == 0) {
			result->help = true;
			return 0;
		}
		return err_set(err, ERR_INVALID, 0, "unknown flag: --%.*s", (int)len, text);
	}
	if (!value && found.spec->type == OPTION_FLAG)
		value = "true";
	if (!value)
		value = cursor_take(words);
	if (!value)
		return err_set(err, ERR_INVALID, 0, "flag needs an argument: --%s", text);
	return set_option(&found, value, result, err);
}

/*
 * One letter of a word of short options; *text is at the letter and moves on: to the next letter
 * after a flag, to the end when the rest was the value.
 */
static int parse_letter(const struct option_parse *parse, struct cursor *words, const char **text,
			struct option_result *result, struct error *err)
{
	const char *letters = *text, *value = NULL;
	struct found_option found;

	if (!find_short(parse->table, parse->opts, *letters, &found)) {
		if (parse->help_is_option && *letters == 'h') {
			result->help = true;
			return 0;
		}
		return err_set(err, ERR_INVALID, 0, "unknown shorthand flag: '%c' in -%s", *letters,
			       letters);
	}
	*text = letters + 1;
	if (letters[1] == '=') {
		value = letters + 2;
		*text = "";
	} else if (found.spec->type == OPTION_FLAG) {
		value = "true";
	} else if (letters[1]) {
		value = letters + 1;
		*text = "";
	} else {
		value = cursor_take(words);
	}
	if (!value)
		return err_set(err, ERR_INVALID, 0, "flag needs an argument: '%c' in -%s", *letters,
			       letters);
	return set_option(&found, value, result, err);
}

static int parse_option(const struct option_parse *parse, struct cursor *words, const char *word,
			struct option_result *result, struct error *err)
{
	const char *text = word + 1;
	int r = 0;

	if (*text == '-')
		return parse_long(parse, words, text + 1, result, err);
	while (*text && !result->help && r >= 0)
		r = parse_letter(parse, words, &text, result, err);
	return r;
}

static void take_rest(struct cursor *words, struct strv *args)
{
	const char *word;

	while ((word = cursor_take(words)))
		strv_add(args, word);
}

static int parse_words(const struct option_parse *parse, struct cursor *words,
		       struct option_result *result, struct error *err)
{
	const char *word;
	int r;

	while (!result->help && (word = cursor_take(words))) {
		if (strcmp(word, "--") == 0) {
			take_rest(words, &result->args);
		} else if (word[0] != '-' || word[1] == '\0') {
			strv_add(&result->args, word);
			if (parse->stop_at_first_arg)
				take_rest(words, &result->args);
		} else {
			r = parse_option(parse, words, word, result, err);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

int options_parse(const struct option_parse *parse, size_t argc, const char *const *argv,
		  struct option_result *ret_result, struct error *err)
{
	auto_(option_result_release) struct option_result result = {0};
	struct cursor words = {.argc = argc, .argv = argv};
	int r;

	r = parse_words(parse, &words, &result, err);
	if (r < 0)
		return r;
	*ret_result = result;
	result = (struct option_result){0};
	return 0;
}

void option_result_release(struct option_result *result)
{
	strv_release(&result->args);
	strv_release(&result->notes);
	result->help = false;
}

void options_release(const struct option_spec *table, void *opts)
{
	for (const struct option_spec *s = table; s && s->long_name; s++) {
		void *field = (char *)opts + s->offset;

		if (s->type == OPTION_LIST)
			strv_release(field);
		else if (s->type == OPTION_INCLUDE)
			options_release(s->include, field);
	}
}

bool option_is_shown(const struct option_spec *spec)
{
	return !spec->hidden && !spec->deprecated;
}

static void collect(const struct option_spec *table, bool hidden, struct option_list *list)
{
	for (const struct option_spec *s = table; s && s->long_name; s++) {
		if (s->type == OPTION_INCLUDE) {
			collect(s->include, hidden, list);
			continue;
		}
		if (!hidden && !option_is_shown(s))
			continue;
		list->items = xreallocarray(list->items, list->count + 1, sizeof(*list->items));
		list->items[list->count++] = *s;
	}
}

static int compare_options(const void *a, const void *b)
{
	const struct option_spec *x = a, *y = b;

	return strcmp(x->long_name, y->long_name);
}

void option_list_collect(const struct option_spec *table, bool hidden, struct option_list *ret)
{
	*ret = (struct option_list){0};
	collect(table, hidden, ret);
	if (ret->count > 1)
		qsort(ret->items, ret->count, sizeof(*ret->items), compare_options);
}

void option_list_release(struct option_list *list)
{
	free(list->items);
	*list = (struct option_list){0};
}
