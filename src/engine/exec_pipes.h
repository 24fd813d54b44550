/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec_pipes.h - pipes between us and a command that was executed in a container
 *
 * Our own files are never handed into a container: what is inside could reach through them. The
 * command gets one end of three pipes, and we move the bytes.
 */
#ifndef SKIFF_ENGINE_EXEC_PIPES_H
#define SKIFF_ENGINE_EXEC_PIPES_H

#include <stdbool.h>

#include "base/error.h"
#include "engine/monitor_link.h"

struct exec_pipes {
	int ours[3], theirs[3]; /* owned; NO_FD where there is none */
};

#define EXEC_PIPES_EMPTY                                                                           \
	((struct exec_pipes){.ours = {NO_FD, NO_FD, NO_FD}, .theirs = {NO_FD, NO_FD, NO_FD}})

/* Without `input` the command reads from nothing: no pipe is made for it. */
int exec_pipes_open(struct exec_pipes *pipes, bool input, struct error *err);

/* To be called once the command has its ends. */
void exec_pipes_close_theirs(struct exec_pipes *pipes);
void exec_pipes_release(struct exec_pipes *pipes);

/* Moves bytes until the process has ended and what it had written is read. */
int exec_pipes_stream(struct exec_pipes *pipes, int pidfd, const struct stream_request *request,
		      struct error *err);

DEFINE_CLEANUP_VALUE(struct exec_pipes, exec_pipes_release);

#endif
