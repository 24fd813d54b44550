/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_ps.c - the processes of a container, as the host sees them */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/parse.h"
#include "oci/oci_cgroup.h"
#include "oci/oci_internal.h"
#include "sys/process.h"

#define PS_OUTPUT_MAX ((size_t)32 << 20)
#define PS_PROGRAM "ps"

struct ps_opts {
	const char *format;
};

static const struct option_spec ps_options[] = {
	OPT_STRING(struct ps_opts, format, 'f', "format", "string", "table or json",
		   .default_text = "\"table\""),
	OPT_END,
};

struct pids {
	pid_t *items; /* owned */
	size_t count;
};

static void print_json(const struct pids *pids)
{
	auto_(json_decref) json_t *array = json_array();
	auto_free char *text = NULL;

	for (size_t i = 0; i < pids->count; i++)
		(void)json_array_append_new(array, json_integer(pids->items[i]));
	text = json_text(array);
	(void)printf("%s\n", text);
}

static bool has(const struct pids *pids, const char *text)
{
	uint32_t pid;

	if (parse_u32(text, &pid) < 0)
		return false;
	for (size_t i = 0; i < pids->count; i++)
		if ((uint32_t)pids->items[i] == pid)
			return true;
	return false;
}

static _Noreturn void become_ps(const struct strv *args, int output_fd)
{
	if (dup2(output_fd, STDOUT_FILENO) >= 0)
		(void)execvp(PS_PROGRAM, args->items);
	_exit(127);
}

/* ps(1) knows the columns people ask for. */
static int run_ps(const struct strv *options, char **ret_text, struct error *err)
{
	auto_(strv_release) struct strv args = {0};
	auto_close int read_fd = NO_FD, write_fd = NO_FD, pidfd = NO_FD;
	int fds[2], r;
	pid_t pid;

	strv_add(&args, PS_PROGRAM);
	strv_add_all(&args, options);
	if (args.count == 1)
		strv_add(&args, "-ef");
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_set(err, ERR_SYSTEM, errno, "make a pipe");
	read_fd = fds[0];
	write_fd = fds[1];
	pid = process_clone(0, NO_FD, &pidfd);
	if (pid < 0)
		return err_set(err, ERR_SYSTEM, -pid, "clone");
	if (pid == 0)
		become_ps(&args, write_fd);
	cleanup_close_fd(&write_fd);
	r = fd_read_text(read_fd, PS_OUTPUT_MAX, ret_text, NULL);
	cleanup_close_fd(&read_fd);
	if (r == 0)
		r = process_reap(pidfd);
	else
		(void)process_reap(pidfd);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "read what ps says");
	return r == 0 ? 0 : err_set(err, ERR_INVALID, EINVAL, "ps ended with %d", r);
}

static void split_line(const char *line, struct strv *ret_words)
{
	for (line += strspn(line, " "); *line; line += strspn(line, " ")) {
		size_t len = strcspn(line, " ");

		strv_add_take(ret_words, xstrndup(line, len));
		line += len;
	}
}

static size_t find_column(const char *header)
{
	auto_(strv_release) struct strv words = {0};
	size_t i;

	split_line(header, &words);
	for (i = 0; i < words.count; i++)
		if (strcmp(words.items[i], "PID") == 0)
			break;
	return i < words.count ? i : SIZE_MAX;
}

static int print_table(const char *text, const struct pids *pids, struct error *err)
{
	auto_(strv_release) struct strv lines = {0};
	size_t column;

	strv_split(&lines, text, '\n');
	column = lines.count > 0 ? find_column(lines.items[0]) : SIZE_MAX;
	if (column == SIZE_MAX)
		return err_set(err, ERR_INVALID, EINVAL, "couldn't find PID field in ps output");
	(void)printf("%s\n", lines.items[0]);
	for (size_t i = 1; i < lines.count; i++) {
		auto_(strv_release) struct strv words = {0};

		split_line(lines.items[i], &words);
		if (column < words.count && has(pids, words.items[column]))
			(void)printf("%s\n", lines.items[i]);
	}
	return 0;
}

static int ps_run(const struct oci_call *call, struct error *err)
{
	const struct ps_opts *opts = call->opts;
	const char *format = opts->format ? opts->format : "table";
	auto_(oci_container_release) struct oci_container c = OCI_CONTAINER_EMPTY;
	auto_(oci_cgroup_release) struct oci_cgroup cgroup = {0};
	auto_(strv_release) struct strv options = {0};
	auto_free pid_t *items = NULL;
	auto_free char *text = NULL;
	struct pids pids = {0};
	int r = oci_container_load(call->root_fd, call->args->items[0], &c, err);

	if (r < 0)
		return r;
	if (strcmp(format, "table") != 0 && strcmp(format, "json") != 0)
		return err_set(err, ERR_INVALID, EINVAL, "invalid format option: %s", format);
	r = oci_cgroup_open(&c, &cgroup, err);
	if (r < 0)
		return r;
	r = cgroup_list_pids(cgroup.group, &items, &pids.count);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "list the container's processes");
	pids.items = items;
	if (strcmp(format, "json") == 0) {
		print_json(&pids);
		return 0;
	}
	for (size_t i = 1; i < call->args->count; i++)
		strv_add(&options, call->args->items[i]);
	r = run_ps(&options, &text, err);
	return r < 0 ? r : print_table(text, &pids, err);
}

const struct oci_command oci_cmd_ps = {
	.name = "ps",
	.usage = "[OPTIONS] CONTAINER [PS-OPTION...]",
	.summary = "List the processes of a container",
	.min_args = 1,
	.max_args = OCI_ARGS_ANY,
	.options = ps_options,
	.opts_size = sizeof(struct ps_opts),
	.run = ps_run,
};
