/* SPDX-License-Identifier: Apache-2.0 */
/* test_cli.c - what a command line means, without running it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "cli/cli.h"

/* One command line, parsed with its output caught. */
struct parsed {
	struct cli cli;
	struct invocation invocation;
	char *out_text, *err_text;
	size_t out_size, err_size;
	bool runs;
	int status;
};

/* Words are separated by single spaces. */
static void parse(struct parsed *p, const char *line)
{
	auto_(strv_release) struct strv words = {0};
	FILE *out, *err;

	*p = (struct parsed){.status = -1};
	out = open_memstream(&p->out_text, &p->out_size);
	err = open_memstream(&p->err_text, &p->err_size);
	assert_non_null(out);
	assert_non_null(err);
	strv_split(&words, line, ' ');
	cli_init(&p->cli, out, err);
	p->runs = cli_parse(&p->cli, words.count, (const char *const *)words.items, &p->invocation,
			    &p->status);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(fclose(err), 0);
}

static void release(struct parsed *p)
{
	invocation_release(&p->invocation);
	cli_release(&p->cli);
	free(p->out_text);
	free(p->err_text);
}

static void assert_runs(const char *line, const char *name, const char *typed, size_t args)
{
	struct parsed p;

	parse(&p, line);
	if (!p.runs)
		fail_msg("'%s' does not run: %s", line, p.err_text);
	assert_string_equal(p.invocation.command->name, name);
	assert_string_equal(p.invocation.typed, typed);
	assert_int_equal(p.invocation.args.count, args);
	assert_string_equal(p.out_text, "");
	assert_string_equal(p.err_text, "");
	release(&p);
}

static void assert_refused(const char *line, int status, const char *message)
{
	struct parsed p;

	parse(&p, line);
	assert_false(p.runs);
	assert_string_equal(p.err_text, message);
	assert_string_equal(p.out_text, "");
	assert_int_equal(p.status, status);
	release(&p);
}

static void assert_helps(const char *line, const char *beginning)
{
	struct parsed p;

	parse(&p, line);
	assert_false(p.runs);
	assert_int_equal(p.status, 0);
	assert_string_equal(p.err_text, "");
	p.out_text[strnlen(p.out_text, strlen(beginning))] = '\0';
	assert_string_equal(p.out_text, beginning);
	release(&p);
}

static void test_commands_are_found(void **state)
{
	(void)state;
	assert_runs("skiff ps", "ps", "ps", 0);
	assert_runs("skiff container ls -a", "ps", "container ls", 0);
	assert_runs("skiff container ps", "ps", "container ps", 0);
	assert_runs("skiff -D --root /x image rm a b", "rmi", "image rm", 2);
	assert_runs("skiff image inspect a", "image inspect", "image inspect", 1);
	assert_runs("skiff run -it --rm alpine sh --help", "run", "run", 3);
	assert_runs("skiff run --daemon -h name alpine", "run", "run", 1);
	assert_runs("skiff exec -it --enter=chroot web sh -c x", "exec", "exec", 4);
	assert_runs("skiff top web -o pid", "top", "top", 3);
}

static void test_global_options(void **state)
{
	struct parsed p;

	(void)state;
	assert_int_equal(setenv("SKIFF_STATE", "/env/state", 1), 0);
	assert_int_equal(setenv("SKIFF_ROOT", "/env/root", 1), 0);
	parse(&p, "skiff --root=/option ps");
	assert_true(p.runs);
	assert_string_equal(p.cli.root, "/option");
	assert_string_equal(p.cli.state, "/env/state");
	release(&p);
	assert_int_equal(unsetenv("SKIFF_STATE"), 0);
	assert_int_equal(unsetenv("SKIFF_ROOT"), 0);

	parse(&p, "skiff --root relative ps");
	assert_true(p.runs);
	assert_int_equal(p.cli.root[0], '/');
	assert_non_null(strstr(p.cli.root, "/relative"));
	assert_null(p.cli.state);
	release(&p);
}

static void test_help(void **state)
{
	(void)state;
	assert_helps("skiff", "Usage:  skiff [OPTIONS] COMMAND\n");
	assert_helps("skiff --help", "Usage:  skiff [OPTIONS] COMMAND\n");
	assert_helps("skiff help", "Usage:  skiff [OPTIONS] COMMAND\n");
	assert_helps("skiff rm -h", "Usage:  skiff rm [OPTIONS] CONTAINER [CONTAINER...]\n");
	assert_helps("skiff help rm", "Usage:  skiff rm [OPTIONS] CONTAINER [CONTAINER...]\n");
	assert_helps("skiff run --rm --help", "Usage:  skiff run [OPTIONS] IMAGE");
	assert_helps("skiff container", "Usage:  skiff container COMMAND\n");
	assert_helps("skiff help container", "Usage:  skiff container COMMAND\n");
	assert_helps("skiff help container ls", "Usage:  skiff container ls [OPTIONS]\n");
	assert_helps("skiff -v", "skiff version " SKIFF_VERSION "\n");
}

static void test_help_of_a_command(void **state)
{
	assert_helps(
		"skiff container rm --help",
		"Usage:  skiff container rm [OPTIONS] CONTAINER [CONTAINER...]\n"
		"\n"
		"Remove one or more containers\n"
		"\n"
		"Aliases:\n"
		"  skiff container rm, skiff container remove, skiff rm\n"
		"\n"
		"Options:\n"
		"  -a, --all             All containers that this can be done to\n"
		"      --filter filter   Those that match a filter of ps\n"
		"  -f, --force           Force the removal of a running container (uses\n"
		"                        SIGKILL)\n"
		"  -l, --latest          The container that was created last\n"
		"  -v, --volumes         Remove anonymous volumes associated with the container\n");
	(void)state;
}

static void test_unknown_commands(void **state)
{
	(void)state;
	assert_refused("skiff foo", 1,
		       "skiff: unknown command: skiff foo\n\n"
		       "Run 'skiff --help' for more information\n");
	assert_refused("skiff container foo", 1,
		       "skiff: unknown command: skiff container foo\n\n"
		       "Run 'skiff container --help' for more information\n");
	assert_refused("skiff help foo", 1,
		       "skiff: unknown command: skiff foo\n\n"
		       "Run 'skiff --help' for more information\n");
}

static void test_options_that_do_not_exist(void **state)
{
	(void)state;
	assert_refused("skiff run --foo", 125,
		       "unknown flag: --foo\n\n"
		       "Usage:  skiff run [OPTIONS] IMAGE [COMMAND] [ARG...]\n\n"
		       "Run 'skiff run --help' for more information\n");
	assert_refused("skiff --foo run", 125,
		       "unknown flag: --foo\n\n"
		       "Usage:  skiff [OPTIONS] COMMAND [ARG...]\n\n"
		       "Run 'skiff --help' for more information\n");
	assert_refused("skiff container --foo ls", 125,
		       "unknown flag: --foo\n\n"
		       "Usage:  skiff container COMMAND\n\n"
		       "Run 'skiff container --help' for more information\n");
	assert_refused("skiff run --memory 1x a", 125,
		       "invalid argument \"1x\" for \"-m, --memory\" flag: invalid size: '1x'\n\n"
		       "Usage:  skiff run [OPTIONS] IMAGE [COMMAND] [ARG...]\n\n"
		       "Run 'skiff run --help' for more information\n");
}

static void test_number_of_arguments(void **state)
{
	(void)state;
	assert_refused("skiff wait", 1,
		       "skiff: 'skiff wait' requires at least 1 argument\n\n"
		       "Usage:  skiff wait [OPTIONS] CONTAINER [CONTAINER...]\n\n"
		       "Run 'skiff wait --help' for more information\n");
	assert_refused("skiff container exec a", 1,
		       "skiff: 'skiff container exec' requires at least 2 arguments\n\n"
		       "Usage:  skiff container exec [OPTIONS] CONTAINER COMMAND [ARG...]\n\n"
		       "Run 'skiff container exec --help' for more information\n");
	assert_refused("skiff ps x", 1,
		       "skiff: 'skiff ps' accepts no arguments\n\n"
		       "Usage:  skiff ps [OPTIONS]\n\n"
		       "Run 'skiff ps --help' for more information\n");
	assert_refused("skiff rename a", 1,
		       "skiff: 'skiff rename' requires 2 arguments\n\n"
		       "Usage:  skiff rename CONTAINER NEW_NAME\n\n"
		       "Run 'skiff rename --help' for more information\n");
	assert_refused("skiff logs", 1,
		       "skiff: 'skiff logs' requires at least 1 argument\n\n"
		       "Usage:  skiff logs [OPTIONS] CONTAINER [CONTAINER...]\n\n"
		       "Run 'skiff logs --help' for more information\n");
	assert_refused("skiff images a b", 1,
		       "skiff: 'skiff images' requires at most 1 argument\n\n"
		       "Usage:  skiff images [OPTIONS] [REPOSITORY[:TAG]]\n\n"
		       "Run 'skiff images --help' for more information\n");
}

static void test_one_process_can_run_a_command_twice(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct parsed p;

		parse(&p, "skiff stop --time 3 a");
		assert_true(p.runs);
		assert_string_equal(p.err_text,
				    "Flag --time has been deprecated, use --timeout instead\n");
		release(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commands_are_found),
		cmocka_unit_test(test_global_options),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_help_of_a_command),
		cmocka_unit_test(test_unknown_commands),
		cmocka_unit_test(test_options_that_do_not_exist),
		cmocka_unit_test(test_number_of_arguments),
		cmocka_unit_test(test_one_process_can_run_a_command_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
