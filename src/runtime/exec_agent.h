/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec_agent.h - entering a container from a program that may be written to
 *
 * Who enters a container must run from a read-only copy of its executable (sys/self_exe.h), and the
 * command line does not. So it starts an agent, itself from such a copy, as the first thing it does:
 * the agent loads while the command line reads the database.
 *
 *	exec_agent_spawn()
 *	…                    find the container
 *	exec_agent_run()     tells the agent what to do; it joins the container and is gone
 *	exec_wait()
 *
 * The command is a child of the caller, as with runtime_exec().
 */
#ifndef SKIFF_RUNTIME_EXEC_AGENT_H
#define SKIFF_RUNTIME_EXEC_AGENT_H

#include <sys/types.h>

#include "base/cleanup.h"
#include "base/error.h"

struct exec_process;
struct exec_request;

#define EXEC_AGENT_ARGV0 "skiff-exec" /* argv[0] of an agent: main() calls exec_agent_main() */

struct exec_agent {
	pid_t pid;
	int pidfd; /* owned */
	int sock;  /* owned */
};

#define EXEC_AGENT_EMPTY ((struct exec_agent){.pidfd = NO_FD, .sock = NO_FD})

int exec_agent_spawn(struct exec_agent *ret_agent, struct error *err);

/*
 * Once for each agent. As runtime_exec(); request->launch is not looked at, the agent reads it from the
 * bundle.
 */
int exec_agent_run(struct exec_agent *agent, const struct exec_request *request,
		   struct exec_process *ret_process, struct error *err);

/* An agent that was not run ends by itself. */
void exec_agent_release(struct exec_agent *agent);

/* The agent's own life, with the socket as descriptor 3. The result is its exit status. */
int exec_agent_main(void);

DEFINE_CLEANUP_VALUE(struct exec_agent, exec_agent_release);

#endif
