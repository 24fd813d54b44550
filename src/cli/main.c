/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c - parse, dispatch, report
 *
 * One binary has several lives. argv[0] tells which: unlike a variable of the environment it is not
 * inherited by what we start.
 */
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/path.h"
#include "cli/cli.h"
#include "engine/container_restart.h"
#include "monitor/monitor.h"
#include "monitor/protocol.h"
#include "oci/oci.h"
#include "runtime/exec_agent.h"

static int run_command_line(int argc, char **argv)
{
	auto_(cli_release) struct cli cli = {0};
	auto_(invocation_release) struct invocation invocation = {0};
	int status;

	cli_init(&cli, stdout, stderr);
	if (!cli_parse(&cli, (size_t)argc, (const char *const *)argv, &invocation, &status))
		return status;
	return cli_run(&cli, &invocation);
}

static int run_monitor(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return monitor_main();
}

static int run_exec_agent(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return exec_agent_main();
}

static const struct life {
	const char *argv0;
	int (*run)(int argc, char **argv);
} lives[] = {
	{MONITOR_ARGV0, run_monitor},       {MONITOR_PREPARE_ARGV0, container_restart_main},
	{EXEC_AGENT_ARGV0, run_exec_agent}, {OCI_ARGV0, oci_main},
	{OCI_SEALED_ARGV0, oci_main},
};

/*
 * Each growth of the heap is a system call and each page of it a fault, so it grows in few steps; what is
 * freed is kept, since no command runs long. A monitor gives its memory back itself.
 */
#define HEAP_STEP_BYTES (256 << 10)

int main(int argc, char **argv)
{
	(void)mallopt(M_TOP_PAD, HEAP_STEP_BYTES);
	(void)mallopt(M_TRIM_THRESHOLD, 4 * HEAP_STEP_BYTES);
	for (size_t i = 0; argc > 0 && i < ARRAY_SIZE(lives); i++)
		if (strcmp(path_basename(argv[0]), lives[i].argv0) == 0) {
			log_init();
			return lives[i].run(argc, argv);
		}
	return run_command_line(argc, argv);
}
