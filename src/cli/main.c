/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c - parse, dispatch, report
 *
 * One binary has four lives: the command line; the same, executed again from a read-only place
 * because the command enters a container (sys/self_exe.h); the monitor of a container; and the helper
 * of a monitor that starts its container again. argv[0] tells which: unlike a variable of the environment it is not inherited by what we start.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "cli/cli.h"
#include "engine/container_restart.h"
#include "monitor/monitor.h"
#include "monitor/protocol.h"
#include "runtime/exec_agent.h"
#include "sys/self_exe.h"

#define PROTECTED_ARGV0 "skiff-inside" /* argv[0] of a skiff that may enter a container */

static bool argv0_is(int argc, char **argv, const char *name)
{
	return argc > 0 && strcmp(argv[0], name) == 0;
}

/* Returns only when it failed; the command must not go on then. */
static int execute_protected(char **argv)
{
	auto_close int fd = self_exe_open();

	if (fd < 0)
		return fd;
	argv[0] = (char[]){PROTECTED_ARGV0};
	(void)execveat(fd, "", argv, environ, AT_EMPTY_PATH);
	return -errno;
}

static int run_command_line(int argc, char **argv)
{
	auto_(cli_release) struct cli cli = {0};
	auto_(invocation_release) struct invocation invocation = {0};
	bool protected = argv0_is(argc, argv, PROTECTED_ARGV0);
	int status;

	cli_init(&cli, stdout, stderr);
	if (!cli_parse(&cli, (size_t)argc, (const char *const *)argv, &invocation, &status))
		return status;
	/* Without root nothing is entered: the engine refuses, and says what is needed. */
	if (invocation.command->enters_container && !protected && geteuid() == 0) {
		int r = execute_protected(argv);

		(void)fprintf(stderr,
			      PROGRAM_NAME ": execute ourselves from a read-only place: %s\n",
			      errno_text(-r));
		return STATUS_FAILURE;
	}
	return cli_run(&cli, &invocation);
}

/*
 * Each growth of the heap is a system call and each page of it a fault, so it grows in few steps; what is
 * freed is kept, since no command runs long. A monitor gives its memory back itself.
 */
#define HEAP_STEP_BYTES (256 << 10)

int main(int argc, char **argv)
{
	(void)mallopt(M_TOP_PAD, HEAP_STEP_BYTES);
	(void)mallopt(M_TRIM_THRESHOLD, 4 * HEAP_STEP_BYTES);
	if (argv0_is(argc, argv, MONITOR_ARGV0)) {
		log_init();
		return monitor_main();
	}
	if (argv0_is(argc, argv, MONITOR_PREPARE_ARGV0)) {
		log_init();
		return container_restart_main(argc, argv);
	}
	if (argv0_is(argc, argv, EXEC_AGENT_ARGV0)) {
		log_init();
		return exec_agent_main();
	}
	if (argv0_is(argc, argv, PROTECTED_ARGV0))
		(void)prctl(PR_SET_NAME, PROGRAM_NAME); /* execveat() leaves a number there */
	return run_command_line(argc, argv);
}
