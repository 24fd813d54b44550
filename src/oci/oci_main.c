/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "oci/oci.h"
#include "oci/oci_features.h"
#include "oci/oci_internal.h"
#include "oci/oci_log.h"
#include "sys/process.h"
#include "sys/self_exe.h"

#define STATUS_FAILURE 1
#define DEFAULT_ROOT "/run/" OCI_ARGV0

const struct option_spec oci_global_options[] = {
	OPT_STRING(struct oci_globals, cgroup_manager, 0, "cgroup-manager", "string",
		   "Who makes cgroups: cgroupfs", .hidden = true),
	OPT_STRING(struct oci_globals, criu, 0, "criu", "string", "No effect: see checkpoint",
		   .hidden = true),
	OPT_FLAG(struct oci_globals, debug, 0, "debug", "Write debug messages to standard error"),
	OPT_STRING(struct oci_globals, log, 0, "log", "file",
		   "File that gets errors too, beside standard error"),
	OPT_STRING(struct oci_globals, log_format, 0, "log-format", "string",
		   "Format of that file: text or json", .default_text = "\"text\""),
	OPT_STRING(struct oci_globals, log_level, 0, "log-level", "string",
		   "As --debug with the value debug; else errors and warnings are logged",
		   .hidden = true),
	OPT_STRING(struct oci_globals, root, 0, "root", "directory",
		   "Directory of what is known about containers, best one that a reboot empties",
		   .default_text = "\"" DEFAULT_ROOT "\""),
	OPT_STRING(struct oci_globals, rootless, 0, "rootless", "string",
		   "Whether we lack root's privileges: true, false or auto", .hidden = true),
	OPT_FLAG(struct oci_globals, systemd_cgroup, 0, "systemd-cgroup",
		 "Refused: cgroups are made without systemd", .hidden = true),
	OPT_FLAG(struct oci_globals, version, 'v', "version", "Print the version"),
	OPT_END,
};

static int say_version(void)
{
	(void)printf(OCI_ARGV0 " version " SKIFF_VERSION "\nspec: " OCI_SPEC_VERSION "\n");
	return fflush(stdout) == 0 ? 0 : STATUS_FAILURE;
}

static void say_help(void)
{
	size_t count;
	const struct oci_command *const *commands = oci_commands(&count);

	(void)printf("Usage:  " OCI_ARGV0 " [OPTIONS] COMMAND [OPTIONS] [ARG...]\n\nCommands:\n");
	for (size_t i = 0; i < count; i++)
		(void)printf("  %-11s %s\n", commands[i]->name, commands[i]->summary);
}

static void say_options(const struct option_spec *table)
{
	auto_(option_list_release) struct option_list list = {0};

	option_list_collect(table, /* hidden= */ false, &list);
	if (list.count > 0)
		(void)printf("\nOptions:\n");
	for (size_t i = 0; i < list.count; i++) {
		const struct option_spec *o = &list.items[i];
		char letter[] = {'-', o->short_name, ',', '\0'};

		(void)printf("  %3s --%s%s%s\n        %s\n", o->short_name ? letter : "",
			     o->long_name, o->value_name ? " " : "",
			     o->value_name ? o->value_name : "", o->help);
	}
}

static void say_command_help(const struct oci_command *command)
{
	(void)printf("Usage:  " OCI_ARGV0 " %s %s\n\n%s\n", command->name, command->usage,
		     command->summary);
	say_options(command->options);
}

/* ---- before a command ---- */

/* Numbers 0 to 2 are taken, so that nothing we open is taken for one of them. */
static void fill_streams(void)
{
	int fd;

	for (;;) {
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (fd < 0 || fd > STDERR_FILENO)
			break;
		(void)fd_set_cloexec(fd, false);
	}
	if (fd >= 0)
		(void)close(fd);
}

static char *root_path(const struct oci_globals *globals)
{
	const char *runtime_dir = getenv("XDG_RUNTIME_DIR");

	if (globals->root && *globals->root)
		return xstrdup(globals->root);
	if (geteuid() != 0 && runtime_dir && *runtime_dir == '/')
		return xasprintf("%s/" OCI_ARGV0, runtime_dir);
	return xstrdup(DEFAULT_ROOT);
}

static int open_root(const struct oci_globals *globals, bool make, int *ret_fd, struct error *err)
{
	auto_free char *path = root_path(globals);
	auto_close int fd = NO_FD;
	struct stat st;
	int r;

	r = make ? path_mkdir_private(path) : 0;
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "make '%s'", path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && !make)
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, ERR_SYSTEM, errno, "open '%s'", path);
	/* Whoever can write here says what runs in a container. */
	if (st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)))
		return err_set(err, ERR_DENIED, EPERM, "'%s' can be written by others", path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int check_globals(const struct oci_globals *globals, struct error *err)
{
	const char *manager = globals->cgroup_manager;

	if (globals->systemd_cgroup || (manager && strcmp(manager, "cgroupfs") != 0))
		return err_set(
			err, ERR_UNAVAILABLE, EOPNOTSUPP,
			"cgroups made by systemd are not supported: have the engine use "
			"cgroupfs (--cgroup-manager cgroupfs, native.cgroupdriver=cgroupfs)");
	return oci_log_check(globals, err);
}

/*
 * The container sees us through /proc as long as we are in it. What we inherit beyond standard error may be
 * the container's (--preserve-fds), so nothing is closed.
 */
static int seal(const struct oci_command *command, char **argv, struct error *err)
{
	auto_close int exe_fd = NO_FD;

	if (!command->seals || strcmp(argv[0], OCI_SEALED_ARGV0) == 0)
		return 0;
	exe_fd = self_exe_open();
	if (exe_fd < 0)
		return err_set(err, ERR_SYSTEM, -exe_fd, "open ourselves from a read-only place");
	argv[0] = (char[]){OCI_SEALED_ARGV0};
	(void)syscall(SYS_execveat, exe_fd, "", argv, environ, AT_EMPTY_PATH);
	return err_set(err, ERR_SYSTEM, errno, "execute ourselves from a read-only place");
}

/* ---- running one ---- */

static int check_count(const struct oci_command *command, size_t count, struct error *err)
{
	if (count >= command->min_args && count <= command->max_args)
		return 0;
	return err_set(err, ERR_INVALID, EINVAL, "%s: \"%s\" requires %s%zu argument%s", OCI_ARGV0,
		       command->name,
		       command->min_args == command->max_args ? "exactly "
		       : count < command->min_args            ? "a minimum of "
							      : "a maximum of ",
		       count < command->min_args ? command->min_args : command->max_args,
		       command->min_args == 1 ? "" : "s");
}

struct words {
	size_t count;
	const char *const *items;
};

static int run_command(const struct oci_globals *globals, const struct oci_command *command,
		       const struct words *words, void *opts, struct error *err)
{
	auto_(option_result_release) struct option_result result = {0};
	const struct option_parse parse = {command->options, opts, /* stop_at_first_arg= */ true,
					   /* help_is_option= */ true};
	struct oci_call call = {globals, command, opts, &result.args, NO_FD};
	auto_close int root_fd = NO_FD;
	int r;

	r = options_parse(&parse, words->count, words->items, &result, err);
	if (r < 0)
		return r;
	if (result.help) {
		say_command_help(command);
		return 0;
	}
	r = check_count(command, result.args.count, err);
	if (r == 0)
		r = open_root(globals, command->makes_root, &root_fd, err);
	if (r < 0)
		return r;
	call.root_fd = root_fd;
	return command->run(&call, err);
}

static int dispatch(int argc, char **argv, struct oci_globals *globals, struct error *err)
{
	auto_(option_result_release) struct option_result result = {0};
	const struct option_parse parse = {oci_global_options, globals,
					   /* stop_at_first_arg= */ true,
					   /* help_is_option= */ true};
	const struct oci_command *command;
	auto_free void *opts = NULL;
	struct words words;
	int r;

	r = options_parse(&parse, (size_t)argc - 1, (const char *const *)argv + 1, &result, err);
	if (r < 0)
		return r;
	if (globals->version && !result.help)
		return say_version();
	if (result.help || result.args.count == 0 || strcmp(result.args.items[0], "help") == 0) {
		say_help();
		say_options(oci_global_options);
		return 0;
	}
	command = oci_command_find(result.args.items[0]);
	if (!command)
		return err_set(err, ERR_INVALID, EINVAL, "no such command: '%s'",
			       result.args.items[0]);
	r = check_globals(globals, err);
	if (r == 0)
		r = seal(command, argv, err);
	if (r < 0)
		return r;
	if (globals->debug || (globals->log_level && strcmp(globals->log_level, "debug") == 0))
		(void)setenv("SKIFF_DEBUG", "all", /* overwrite= */ false);
	log_init();
	words.count = result.args.count - 1;
	words.items = (const char *const *)argv + ((size_t)argc - words.count);
	opts = xcalloc(1, command->opts_size + 1);
	if (command->init)
		command->init(opts);
	r = run_command(globals, command, &words, opts, err);
	options_release(command->options, opts);
	return r;
}

int oci_main(int argc, char **argv)
{
	auto_(error_release) struct error err = {0};
	struct oci_globals globals = {0};
	int r;

	fill_streams();
	process_reset_signals();
	r = dispatch(argc, argv, &globals, &err);
	if (r < 0) {
		oci_log_say(&globals, "error", err_message(&err));
		return STATUS_FAILURE;
	}
	if (fflush(stdout) != 0)
		return STATUS_FAILURE;
	return r;
}
