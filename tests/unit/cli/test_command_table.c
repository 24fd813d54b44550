/* SPDX-License-Identifier: Apache-2.0 */
/* test_command_table.c - every command and every option is fit to be shown */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "cli/cli.h"
#include "cli/command_table.h"
#include "cli/help.h"

static int compare_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

static void test_paths_are_sorted(void **state)
{
	size_t count;
	const struct command_path *paths = command_paths(&count);

	(void)state;
	for (size_t i = 1; i < count; i++) {
		int order = compare_text(paths[i - 1].group, paths[i].group);

		if (order > 0 || (order == 0 && strcmp(paths[i - 1].name, paths[i].name) >= 0))
			fail_msg("'%s' must come before '%s'", paths[i].name, paths[i - 1].name);
	}
}

static void test_every_group_has_commands_and_a_summary(void **state)
{
	size_t group_count, count;
	const struct command_group *groups = command_groups(&group_count);
	const struct command_path *paths = command_paths(&count);

	(void)state;
	for (size_t i = 0; i < count; i++)
		if (paths[i].group && !command_group_find(paths[i].group))
			fail_msg("group '%s' is not in the list of groups", paths[i].group);
	for (size_t i = 0; i < group_count; i++) {
		assert_true(strlen(groups[i].summary) > 0);
		assert_null(command_path_find(NULL, groups[i].name));
	}
}

static void check_sentence(const char *what, const char *name, const char *text)
{
	size_t len = text ? strlen(text) : 0;

	if (len == 0)
		fail_msg("%s of '%s' is missing", what, name);
	if (text[len - 1] == '.' || text[len - 1] == '\n')
		fail_msg("%s of '%s' ends with a dot or a line end", what, name);
	if (strchr(text, '\n') || strchr(text, '\t'))
		fail_msg("%s of '%s' has more than one line", what, name);
}

static void test_every_command_is_complete(void **state)
{
	size_t count;
	const struct command_path *paths = command_paths(&count);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		const struct command *c = paths[i].command;

		check_sentence("summary", c->name, c->summary);
		if (!c->usage || !c->run)
			fail_msg("'%s' has no usage or no run", c->name);
		if (c->min_args > c->max_args)
			fail_msg("'%s' wants more arguments than it allows", c->name);
		if ((c->options != NULL) != (strstr(c->usage, "[OPTIONS]") != NULL))
			fail_msg("the usage of '%s' and its options disagree", c->name);
		if ((c->opts_size > 0) != (c->options != NULL))
			fail_msg("'%s' has options without a struct, or the reverse", c->name);
	}
}

/* The page is named after the command, so the name must lead to it. */
static void test_every_command_has_its_own_name(void **state)
{
	size_t count;
	const struct command_path *paths = command_paths(&count);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		const struct command *c = paths[i].command;
		const char *space = strchr(c->name, ' ');
		auto_free char *group = space ? xstrndup(c->name, (size_t)(space - c->name)) : NULL;
		const struct command_path *own =
			command_path_find(group, space ? space + 1 : c->name);

		if (!own || own->command != c)
			fail_msg("'%s' does not lead to its command", c->name);
	}
}

static void check_option(const char *command, const struct option_spec *spec)
{
	check_sentence("help", spec->long_name, spec->help);
	if (strlen(spec->long_name) < 2 ||
	    strspn(spec->long_name, "abcdefghijklmnopqrstuvwxyz0123456789-") !=
		    strlen(spec->long_name))
		fail_msg("'%s' has an odd option '--%s'", command, spec->long_name);
	if ((spec->type == OPTION_FLAG) != (spec->value_name == NULL))
		fail_msg("'--%s' of '%s': only flags have no value", spec->long_name, command);
}

static void check_options(const char *command, const struct option_spec *table)
{
	auto_(option_list_release) struct option_list list = {0};

	option_list_collect(table, /* hidden= */ true, &list);
	for (size_t i = 0; i < list.count; i++) {
		check_option(command, &list.items[i]);
		for (size_t n = 0; n < i; n++) {
			if (strcmp(list.items[n].long_name, list.items[i].long_name) == 0)
				fail_msg("'%s' has --%s twice", command, list.items[i].long_name);
			if (list.items[i].short_name &&
			    list.items[n].short_name == list.items[i].short_name)
				fail_msg("'%s' has -%c twice", command, list.items[i].short_name);
		}
	}
}

static void test_every_option_is_complete_and_unique(void **state)
{
	size_t count;
	const struct command_path *paths = command_paths(&count);

	(void)state;
	check_options("", global_options);
	for (size_t i = 0; i < count; i++)
		check_options(paths[i].command->name, paths[i].command->options);
}

static void test_help_fits_the_terminal(void **state)
{
	size_t count;
	const struct command_path *paths = command_paths(&count);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		auto_(strbuf_release) struct strbuf text = {0};
		auto_(strv_release) struct strv lines = {0};

		if (!paths[i].command->options)
			continue;
		help_format_options(paths[i].command->options, 80, &text);
		strv_split(&lines, strbuf_text(&text), '\n');
		for (size_t n = 0; n < lines.count; n++)
			if (strlen(lines.items[n]) > 80)
				fail_msg("help of '%s' is too wide: %s", paths[i].command->name,
					 lines.items[n]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths_are_sorted),
		cmocka_unit_test(test_every_group_has_commands_and_a_summary),
		cmocka_unit_test(test_every_command_is_complete),
		cmocka_unit_test(test_every_command_has_its_own_name),
		cmocka_unit_test(test_every_option_is_complete_and_unique),
		cmocka_unit_test(test_help_fits_the_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
