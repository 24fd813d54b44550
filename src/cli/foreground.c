/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/foreground.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/terminal.h"

#define DEFAULT_DETACH_KEYS "ctrl-p,ctrl-q"

struct monitor_link_options foreground_link_options(const struct foreground *fg)
{
	struct terminal_size size = terminal_size();
	unsigned int flags = MONITOR_WANT_EXIT;

	if (fg->input)
		flags |= MONITOR_WANT_STDIN;
	if (fg->output)
		flags |= MONITOR_WANT_STDOUT;
	if (fg->errors)
		flags |= MONITOR_WANT_STDERR;
	if (fg->client_removes)
		flags |= MONITOR_CLIENT_REMOVES;
	return (struct monitor_link_options){
		.attach_flags = (uint16_t)flags,
		.tty_rows = size.rows,
		.tty_cols = size.columns,
	};
}

int foreground_stream(const struct command_call *call, const struct foreground *fg,
		      struct monitor_link *link, struct stream_result *ret_result,
		      struct error *err)
{
	const struct stream_request request = {
		.stdin_fd = fg->input ? STDIN_FILENO : NO_FD,
		.stdout_fd = fg->output ? STDOUT_FILENO : NO_FD,
		.stderr_fd = fg->errors ? STDERR_FILENO : NO_FD,
		.forward_signals = fg->sig_proxy,
		.detach_keys = fg->detach_keys ? fg->detach_keys : DEFAULT_DETACH_KEYS,
	};

	cli_flush(call->cli);
	return monitor_link_stream(link, &request, ret_result, err);
}

int foreground_fail(const struct command_call *call, const struct error *err)
{
	if (err->errnum == EPIPE)
		return STATUS_SIGNAL + SIGPIPE;
	return cli_fail(call, err);
}

int foreground_check_tty(bool tty, bool input, struct error *err)
{
	if (!tty || !input || terminal_is(STDIN_FILENO))
		return 0;
	return err_set(err, ERR_INVALID, 0, "the input device is not a TTY");
}

int foreground_check_keys(const char *keys, struct error *err)
{
	return detach_keys_check(keys, err);
}
