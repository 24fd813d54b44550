/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/table.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "engine/container.h"
#include "engine/engine.h"

/* ---- columns ---- */

enum column_kind {
	COLUMN_PID,
	COLUMN_HOST_PID,
	COLUMN_PPID,
	COLUMN_USER,
	COLUMN_STARTED,
	COLUMN_TTY,
	COLUMN_TIME,
	COLUMN_COMMAND,
};

#define COLUMN_COUNT 8
#define COLUMNS_MAX 32

static const char *const headers[COLUMN_COUNT] = {
	[COLUMN_PID] = "PID",   [COLUMN_HOST_PID] = "HOST PID", [COLUMN_PPID] = "PPID",
	[COLUMN_USER] = "USER", [COLUMN_STARTED] = "STARTED",   [COLUMN_TTY] = "TTY",
	[COLUMN_TIME] = "TIME", [COLUMN_COMMAND] = "COMMAND",
};

/* Names for -o, those of ps(1) where it has them. */
static const struct column_name {
	const char *name;
	enum column_kind kind;
} column_names[] = {
	{"args", COLUMN_COMMAND},     {"cmd", COLUMN_COMMAND},   {"command", COLUMN_COMMAND},
	{"hostpid", COLUMN_HOST_PID}, {"hpid", COLUMN_HOST_PID}, {"pid", COLUMN_PID},
	{"ppid", COLUMN_PPID},        {"start", COLUMN_STARTED}, {"stime", COLUMN_STARTED},
	{"time", COLUMN_TIME},        {"tname", COLUMN_TTY},     {"tt", COLUMN_TTY},
	{"tty", COLUMN_TTY},          {"user", COLUMN_USER},
};

struct columns {
	enum column_kind kinds[COLUMNS_MAX];
	size_t count;
};

static const struct columns default_columns = {
	{COLUMN_PID, COLUMN_HOST_PID, COLUMN_PPID, COLUMN_USER, COLUMN_TIME, COLUMN_COMMAND}, 6};
static const struct columns full_columns = {{COLUMN_USER, COLUMN_PID, COLUMN_HOST_PID, COLUMN_PPID,
					     COLUMN_STARTED, COLUMN_TTY, COLUMN_TIME,
					     COLUMN_COMMAND},
					    8};

/* ---- ps options ---- */

static int add_column(const char *name, struct columns *columns, struct error *err)
{
	if (columns->count == COLUMNS_MAX)
		return err_set(err, ERR_INVALID, 0, "too many columns for top");
	for (size_t i = 0; i < ARRAY_SIZE(column_names); i++) {
		if (strcmp(column_names[i].name, name) == 0) {
			columns->kinds[columns->count++] = column_names[i].kind;
			return 0;
		}
	}
	return err_set(err, ERR_INVALID, 0,
		       "top has no column '%s' (user, pid, hostpid, ppid, stime, tty, time, args)",
		       name);
}

static int add_columns(const char *list, struct columns *columns, struct error *err)
{
	auto_(strv_release) struct strv names = {0};

	strv_split(&names, list, ',');
	for (size_t i = 0; i < names.count; i++) {
		int r = add_column(names.items[i], columns, err);

		if (r < 0)
			return r;
	}
	return 0;
}

/*
 * One word such as "-ef" or "-eo". Selections (-e, -A, -a, -x) change nothing: top always shows
 * every process of the container. *ret_list tells that a list of columns follows: in the rest of
 * the word, or in the next one.
 */
static int parse_word(const char *word, struct columns *columns, const char **ret_list,
		      struct error *err)
{
	*ret_list = NULL;
	for (const char *p = word + (*word == '-'); *p; p++) {
		switch (*p) {
		case 'e':
		case 'A':
		case 'a':
		case 'x':
			break;
		case 'f':
			*columns = full_columns;
			break;
		case 'o':
			*ret_list = p + 1;
			return 0;
		default:
			return err_set(err, ERR_INVALID, 0,
				       "ps option '%s' is not supported by top (-e, -f, -o LIST)",
				       word);
		}
	}
	return 0;
}

static int parse_ps_options(const struct strv *args, struct columns *ret, struct error *err)
{
	struct columns chosen = {0}, base = default_columns;
	int r;

	for (size_t i = 1; i < args->count; i++) {
		const char *list;

		r = parse_word(args->items[i], &base, &list, err);
		if (r < 0)
			return r;
		if (!list)
			continue;
		if (!*list)
			list = ++i < args->count ? args->items[i] : "";
		r = add_columns(list, &chosen, err);
		if (r < 0)
			return r;
		if (chosen.count == 0)
			return err_set(err, ERR_INVALID, 0, "ps option -o needs a list of columns");
	}
	*ret = chosen.count > 0 ? chosen : base;
	return 0;
}

/* ---- printing ---- */

static void add_cell(struct table *table, const struct top_row *row, enum column_kind kind)
{
	char number[16];
	const char *text = number;

	switch (kind) {
	case COLUMN_PID:
		(void)snprintf(number, sizeof(number), "%d", (int)row->pid_inside);
		break;
	case COLUMN_HOST_PID:
		(void)snprintf(number, sizeof(number), "%d", (int)row->pid);
		break;
	case COLUMN_PPID:
		(void)snprintf(number, sizeof(number), "%d", (int)row->ppid_inside);
		break;
	case COLUMN_USER:
		text = row->user;
		break;
	case COLUMN_STARTED:
		text = row->started;
		break;
	case COLUMN_TTY:
		text = row->tty;
		break;
	case COLUMN_TIME:
		text = row->time;
		break;
	case COLUMN_COMMAND:
		text = row->command;
		break;
	}
	table_add(table, text);
}

static void print_rows(FILE *out, const struct top_list *list, const struct columns *columns)
{
	auto_(table_release) struct table table;
	auto_(strbuf_release) struct strbuf text = {0};
	const char *titles[COLUMNS_MAX];

	for (size_t i = 0; i < columns->count; i++)
		titles[i] = headers[columns->kinds[i]];
	table_init(&table, titles, columns->count);
	for (size_t i = 0; i < list->count; i++)
		for (size_t n = 0; n < columns->count; n++)
			add_cell(&table, &list->items[i], columns->kinds[n]);
	table_format(&table, &text);
	(void)fputs(strbuf_text(&text), out);
}

static int top_run(const struct command_call *call)
{
	auto_(top_list_release) struct top_list list = {0};
	auto_(error_release) struct error err = {0};
	struct columns columns = {0};

	if (parse_ps_options(call->args, &columns, &err) < 0)
		return cli_fail(call, &err);
	if (container_top(call->engine, call->args->items[0], &list, &err) < 0)
		return cli_fail(call, &err);
	print_rows(call->cli->out, &list, &columns);
	return 0;
}

const struct command cmd_top = {
	.name = "top",
	.usage = "CONTAINER [ps OPTIONS]",
	.summary = "Display the running processes of a container",
	.description = "Shows every process: its PID inside the container, its PID on the host, "
		       "its parent's "
		       "PID inside, its user, the CPU time it has used, and its command line.\n\n"
		       "Of the options of ps(1), -f shows more columns and -o LIST chooses them: "
		       "user, pid, "
		       "hostpid, ppid, stime, tty, time, args. -e, -A, -a and -x are accepted; "
		       "every process "
		       "is shown in any case. ps itself is not run.",
	.examples = "Chosen columns:\n\tskiff top web -o pid,args",
	.min_args = 1,
	.max_args = ARGS_ANY,
	.needs = NEEDS_ENGINE,
	.args = COMPLETE_RUNNING_CONTAINER,
	.rest_args = COMPLETE_NOTHING,
	.stop_at_first_arg = true,
	.run = top_run,
};
