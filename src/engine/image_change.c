/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/image_change.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/parse.h"
#include "base/path.h"
#include "base/signal_name.h"
#include "base/strbuf.h"

#define PORT_MAX 65535

struct change {
	json_t *config;
	const char *instruction; /* "CMD" */
	const char *text;        /* what follows it */
	bool cmd_set;            /* by a change before */
};

static int bad(const struct change *c, const char *why, struct error *err)
{
	return err_set(err, ERR_INVALID, 0, "%s %s: %s", c->instruction, c->text, why);
}

static void set(struct change *c, const char *key, json_t *value)
{
	(void)json_object_set_new(c->config, key, value);
}

/* The member, made when it is not there or of another type. */
static json_t *member(struct change *c, const char *key, json_type type)
{
	json_t *value = json_object_get(c->config, key);

	if (value && json_typeof(value) == type)
		return value;
	value = type == JSON_OBJECT ? json_object() : json_array();
	set(c, key, value);
	return value;
}

/* ---- words ---- */

static const char *find_env(const struct change *c, const char *name, size_t len)
{
	const json_t *env = json_object_get(c->config, "Env");
	const json_t *item;
	size_t i;

	json_array_foreach (env, i, item) {
		const char *text = json_string_value(item);

		if (text && strncmp(text, name, len) == 0 && text[len] == '=')
			return text + len + 1;
	}
	return NULL;
}

static size_t name_length(const char *text)
{
	size_t len = 0;

	while (isalnum((unsigned char)text[len]) || text[len] == '_')
		len++;
	return len;
}

/* After a '$'. Returns how much of `text` was used; 0: it is no variable. */
static size_t expand_one(const struct change *c, const char *text, struct strbuf *out)
{
	bool braces = *text == '{';
	const char *name = text + braces, *value, *end, *other;
	size_t len = name_length(name);

	if (len == 0)
		return 0;
	value = find_env(c, name, len);
	if (!braces) {
		strbuf_adds(out, value ? value : "");
		return len;
	}
	end = strchr(name + len, '}');
	if (!end)
		return 0;
	other = name + len + 2;
	if (name[len] == ':' && name[len + 1] == '-' && (!value || !*value))
		strbuf_add(out, other, (size_t)(end - other));
	else if (name[len] == ':' && name[len + 1] == '+')
		strbuf_add(out, other, value && *value ? (size_t)(end - other) : 0);
	else
		strbuf_adds(out, value ? value : "");
	return (size_t)(end + 1 - text);
}

/*
 * One word from *text, or with `whole` all that is left, without its quotes; false at the end. Single
 * quotes keep everything.
 */
static bool next_word(const struct change *c, const char **text, bool whole, char **ret_word)
{
	auto_(strbuf_release) struct strbuf word = {0};
	const char *p = *text + strspn(*text, " \t");
	char quote = '\0';

	if (!*p)
		return false;
	for (; *p && (whole || quote || (*p != ' ' && *p != '\t')); p++) {
		size_t used;

		if (*p == quote) {
			quote = '\0';
		} else if (!quote && (*p == '"' || *p == '\'')) {
			quote = *p;
		} else if (*p == '\\' && quote != '\'' && p[1]) {
			/* Within double quotes only these are special (POSIX shells). */
			if (quote && !strchr("\"\\$", p[1]))
				strbuf_addc(&word, '\\');
			strbuf_addc(&word, *++p);
		} else if (*p == '$' && quote != '\'' && (used = expand_one(c, p + 1, &word)) > 0) {
			p += used;
		} else {
			strbuf_addc(&word, *p);
		}
	}
	*text = p;
	*ret_word = strbuf_take(&word);
	return true;
}

static void all_words(const struct change *c, struct strv *words)
{
	const char *text = c->text;
	char *word;

	while (next_word(c, &text, /* whole= */ false, &word))
		strv_add_take(words, word);
}

/* ["a", "b"]; NULL when it is not a list of texts. */
static json_t *json_list(const char *text)
{
	auto_(error_release) struct error ignored = {0};
	auto_(json_decref) json_t *value = NULL;
	const json_t *item;
	size_t i;

	if (*text != '[' || json_parse(text, strlen(text), "list", &value, &ignored) < 0 ||
	    !json_is_array(value))
		return NULL;
	json_array_foreach (value, i, item)
		if (!json_is_string(item))
			return NULL;
	return TAKE_PTR(value);
}

/* ---- commands ---- */

/* A list, or a text for the shell that the configuration names. */
static json_t *command_of(struct change *c, const char *text)
{
	json_t *list = json_list(text);
	const json_t *shell = json_object_get(c->config, "Shell");

	if (list)
		return list;
	if (json_array_size(shell) > 0)
		list = json_copy((json_t *)shell);
	else
		list = json_pack("[s, s]", "/bin/sh", "-c");
	(void)json_array_append_new(list, json_string(text));
	return list;
}

static int change_cmd(struct change *c, struct error *err)
{
	(void)err;
	set(c, "Cmd", command_of(c, c->text));
	c->cmd_set = true;
	return 0;
}

static int change_entrypoint(struct change *c, struct error *err)
{
	(void)err;
	set(c, "Entrypoint", command_of(c, c->text));
	if (!c->cmd_set)
		(void)json_object_del(c->config, "Cmd");
	return 0;
}

static int change_shell(struct change *c, struct error *err)
{
	json_t *list = json_list(c->text);

	if (!list || json_array_size(list) == 0) {
		json_decref(list);
		return bad(c, "it must be a JSON list", err);
	}
	set(c, "Shell", list);
	return 0;
}

/* ---- pairs ---- */

/* "KEY=value KEY2=…", or "KEY the whole rest". Pairs of texts. */
static int read_pairs(struct change *c, struct strv *pairs, struct error *err)
{
	auto_free char *first = NULL;
	const char *rest = c->text;
	char *word;

	/* Which of the two it is, the first word says, with its quotes taken away. */
	(void)next_word(c, &rest, /* whole= */ false, &first);
	if (!first || !strchr(first, '=')) {
		if (!next_word(c, &rest, /* whole= */ true, &word))
			return bad(c, "it needs a name and a value", err);
		strv_add(pairs, first);
		strv_add_take(pairs, word);
		return 0;
	}
	rest = c->text;
	while (next_word(c, &rest, /* whole= */ false, &word)) {
		auto_free char *owned = word;
		const char *equals = strchr(owned, '=');

		if (!equals || equals == owned)
			return bad(c, "it needs names and values, KEY=value", err);
		strv_add_take(pairs, xstrndup(owned, (size_t)(equals - owned)));
		strv_add(pairs, equals + 1);
	}
	return 0;
}

static void set_env(json_t *env, const char *key, const char *value)
{
	auto_free char *text = xasprintf("%s=%s", key, value);
	size_t len = strlen(key), i;
	const json_t *item;

	json_array_foreach (env, i, item) {
		const char *old = json_string_value(item);

		if (old && strncmp(old, key, len) == 0 && old[len] == '=') {
			(void)json_array_set_new(env, i, json_string(text));
			return;
		}
	}
	(void)json_array_append_new(env, json_string(text));
}

static int change_env(struct change *c, struct error *err)
{
	auto_(strv_release) struct strv pairs = {0};
	int r = read_pairs(c, &pairs, err);

	for (size_t i = 0; r >= 0 && i + 1 < pairs.count; i += 2)
		set_env(member(c, "Env", JSON_ARRAY), pairs.items[i], pairs.items[i + 1]);
	return r;
}

static int change_label(struct change *c, struct error *err)
{
	auto_(strv_release) struct strv pairs = {0};
	int r = read_pairs(c, &pairs, err);

	for (size_t i = 0; r >= 0 && i + 1 < pairs.count; i += 2)
		json_set_string(member(c, "Labels", JSON_OBJECT), pairs.items[i],
				pairs.items[i + 1]);
	return r;
}

/* ---- the others ---- */

/* "80", "53/udp", "8000-8010/tcp". */
static int expose_one(struct change *c, const char *word, struct error *err)
{
	const char *slash = strchr(word, '/');
	auto_free char *range = slash ? xstrndup(word, (size_t)(slash - word)) : xstrdup(word);
	const char *protocol = slash ? slash + 1 : "tcp";
	char *dash = strchr(range, '-');
	uint32_t first, last;

	if (dash)
		*dash = '\0';
	if (parse_u32(range, &first) < 0 || parse_u32(dash ? dash + 1 : range, &last) < 0 ||
	    first == 0 || last < first || last > PORT_MAX)
		return bad(c, "no such port", err);
	if (strcmp(protocol, "tcp") != 0 && strcmp(protocol, "udp") != 0 &&
	    strcmp(protocol, "sctp") != 0)
		return bad(c, "no such protocol", err);
	for (uint32_t port = first; port <= last; port++) {
		auto_free char *key = xasprintf("%u/%s", port, protocol);

		(void)json_object_set_new(member(c, "ExposedPorts", JSON_OBJECT), key,
					  json_object());
	}
	return 0;
}

static int change_expose(struct change *c, struct error *err)
{
	auto_(strv_release) struct strv words = {0};
	int r = 0;

	all_words(c, &words);
	for (size_t i = 0; r >= 0 && i < words.count; i++)
		r = expose_one(c, words.items[i], err);
	return r;
}

static int change_volume(struct change *c, struct error *err)
{
	auto_(json_decref) json_t *list = json_list(c->text);
	auto_(strv_release) struct strv words = {0};

	if (list) {
		auto_(json_decref) json_t *holder = json_pack("{s:O}", "list", list);

		json_get_strv(holder, "list", &words);
	} else {
		all_words(c, &words);
	}
	for (size_t i = 0; i < words.count; i++) {
		if (!words.items[i][0])
			return bad(c, "an empty path", err);
		(void)json_object_set_new(member(c, "Volumes", JSON_OBJECT), words.items[i],
					  json_object());
	}
	return 0;
}

static int change_onbuild(struct change *c, struct error *err)
{
	size_t len = strcspn(c->text, " \t");

	if ((len == 7 && strncasecmp(c->text, "ONBUILD", len) == 0) ||
	    (len == 4 && strncasecmp(c->text, "FROM", len) == 0))
		return bad(c, "this is not allowed as an ONBUILD trigger", err);
	(void)json_array_append_new(member(c, "OnBuild", JSON_ARRAY), json_string(c->text));
	return 0;
}

/* Exactly one word. */
static int one_word(struct change *c, char **ret_word, struct error *err)
{
	const char *rest = c->text;

	if (!next_word(c, &rest, /* whole= */ false, ret_word))
		return bad(c, "it needs an argument", err);
	if (rest[strspn(rest, " \t")])
		return bad(c, "it needs exactly one argument", err);
	return 0;
}

static int change_user(struct change *c, struct error *err)
{
	auto_free char *word = NULL;
	int r = one_word(c, &word, err);

	if (r >= 0)
		json_set_string(c->config, "User", word);
	return r;
}

static int change_workdir(struct change *c, struct error *err)
{
	auto_free char *word = NULL, *joined = NULL, *clean = NULL;
	int r = one_word(c, &word, err);

	if (r < 0)
		return r;
	joined = word[0] == '/'
			 ? xstrdup(word)
			 : xasprintf("%s/%s", json_get_string(c->config, "WorkingDir", "/"), word);
	clean = path_clean(joined);
	json_set_string(c->config, "WorkingDir", clean);
	return 0;
}

static int change_stopsignal(struct change *c, struct error *err)
{
	auto_free char *word = NULL;
	int r = one_word(c, &word, err);

	if (r >= 0)
		r = signal_name_parse(word, err);
	if (r < 0)
		return r;
	json_set_string(c->config, "StopSignal", word);
	return 0;
}

/* ---- HEALTHCHECK ---- */

static int health_option(struct change *c, const char *word, json_t *health, struct error *err)
{
	static const struct {
		const char *option, *key;
	} durations[] = {
		{"--interval=", "Interval"},
		{"--timeout=", "Timeout"},
		{"--start-period=", "StartPeriod"},
		{"--start-interval=", "StartInterval"},
	};
	static const char retries[] = "--retries=";
	int64_t value;

	for (size_t i = 0; i < ARRAY_SIZE(durations); i++) {
		size_t len = strlen(durations[i].option);

		if (strncmp(word, durations[i].option, len) != 0)
			continue;
		if (parse_duration(word + len, &value) < 0 || value < 0)
			return bad(c, "no such duration", err);
		(void)json_object_set_new(health, durations[i].key, json_integer(value));
		return 0;
	}
	if (strncmp(word, retries, strlen(retries)) == 0 &&
	    parse_i64(word + strlen(retries), &value) == 0 && value >= 0) {
		(void)json_object_set_new(health, "Retries", json_integer(value));
		return 0;
	}
	return bad(c, "unknown option", err);
}

static json_t *health_test(const char *text)
{
	json_t *list = json_list(text);

	if (!list)
		return json_pack("[s, s]", "CMD-SHELL", text);
	(void)json_array_insert_new(list, 0, json_string("CMD"));
	return list;
}

static int change_healthcheck(struct change *c, struct error *err)
{
	auto_(json_decref) json_t *health = json_object();
	const char *text = c->text;
	size_t len;
	int r;

	if (strcasecmp(text, "NONE") == 0) {
		set(c, "Healthcheck", json_pack("{s:[s]}", "Test", "NONE"));
		return 0;
	}
	while (strncmp(text, "--", 2) == 0) {
		auto_free char *word = NULL;

		if (!next_word(c, &text, /* whole= */ false, &word))
			break;
		r = health_option(c, word, health, err);
		if (r < 0)
			return r;
		text += strspn(text, " \t");
	}
	len = strcspn(text, " \t");
	if (len != 3 || strncasecmp(text, "CMD", 3) != 0)
		return bad(c, "it needs NONE or CMD", err);
	text += len + strspn(text + len, " \t");
	if (!*text)
		return bad(c, "it needs a command", err);
	(void)json_object_set_new(health, "Test", health_test(text));
	set(c, "Healthcheck", json_incref(health));
	return 0;
}

/* ---- all of them ---- */

static const struct {
	const char *name;
	int (*apply)(struct change *c, struct error *err);
} instructions[] = {
	{"CMD", change_cmd},
	{"ENTRYPOINT", change_entrypoint},
	{"ENV", change_env},
	{"EXPOSE", change_expose},
	{"HEALTHCHECK", change_healthcheck},
	{"LABEL", change_label},
	{"ONBUILD", change_onbuild},
	{"SHELL", change_shell},
	{"STOPSIGNAL", change_stopsignal},
	{"USER", change_user},
	{"VOLUME", change_volume},
	{"WORKDIR", change_workdir},
};

static int apply_one(struct change *c, const char *text, struct error *err)
{
	size_t len;

	text += strspn(text, " \t");
	len = strcspn(text, " \t");
	if (strpbrk(text, "\n\r"))
		return err_set(err, ERR_INVALID, 0, "a change is one line");
	for (size_t i = 0; i < ARRAY_SIZE(instructions); i++) {
		if (len != strlen(instructions[i].name) ||
		    strncasecmp(text, instructions[i].name, len) != 0)
			continue;
		c->instruction = instructions[i].name;
		c->text = text + len + strspn(text + len, " \t");
		if (!*c->text)
			return bad(c, "it needs an argument", err);
		return instructions[i].apply(c, err);
	}
	return err_set(err, ERR_INVALID, 0, "%.*s is not a valid change command", (int)len, text);
}

int image_changes_apply(json_t *config, const struct strv *changes, struct error *err)
{
	struct change change = {.config = config};
	int r = 0;

	for (size_t i = 0; r >= 0 && i < changes->count; i++)
		r = apply_one(&change, changes->items[i], err);
	return r < 0 ? r : 0;
}
