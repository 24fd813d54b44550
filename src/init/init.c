/* SPDX-License-Identifier: Apache-2.0 */
/*
 * init.c - skiff-init, the first process of a container that asked for one (--init)
 *
 *	skiff-init -- COMMAND [ARG…]
 *
 * A process with PID 1 has two duties that few programs know of: orphans become its children, and
 * stay as zombies until it waits for them; and a signal for which it has no handler is not
 * delivered to it at all. This program takes both duties and runs COMMAND beside itself.
 *
 * Theory. All signals are blocked for good and taken one at a time with sigwaitinfo(2), so there is
 * no handler, no race and no state but the command's PID:
 *
 *	SIGCHLD        wait for everything that has ended; when the command is among it, end as it
 *did anything else  goes on to the command
 *
 * When it ends the kernel kills whatever is left in the pid namespace. Started with another PID it
 * becomes a subreaper, so that it can be tried outside a container.
 *
 * Exit status: the command's; 128 + n when signal n ended it; 126 when it could not be executed,
 * 127 when it was not found; 125 when we could not start anything.
 *
 * It links nothing but the C library, statically and without PIE: the container's own libraries
 * must not be loaded into it, and nothing is mapped that is not needed.
 *
 * Left out: forwarding to the command's process group, remapping of exit codes, running
 * subreaper by option. A command that wants more starts a real init.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	EXIT_OURS = 125,
	EXIT_NOT_EXECUTABLE = 126,
	EXIT_NOT_FOUND = 127,
	EXIT_SIGNAL_BASE = 128,
};

/* One line on standard error, without stdio: that alone would double the program. */
static void complain(const char *what, const char *name, int error)
{
	const char *parts[] = {"skiff-init: ",
			       what,
			       name ? " '" : "",
			       name ? name : "",
			       name ? "'" : "",
			       error ? ": " : "",
			       error ? strerror(error) : "",
			       "\n"};

	/* A message that cannot be written must not change how we end. */
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (write(STDERR_FILENO, parts[i], strlen(parts[i])) < 0)
			return;
}

/*
 * Everything but what the kernel raises for a fault of our own: blocked, those would end us all
 * the same, but without leaving a trace of the reason.
 */
static int block_signals(sigset_t *ret_taken, sigset_t *ret_original)
{
	static const int faults[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP};

	if (sigfillset(ret_taken) < 0)
		return -errno;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		if (sigdelset(ret_taken, faults[i]) < 0)
			return -errno;
	if (sigprocmask(SIG_SETMASK, ret_taken, ret_original) < 0)
		return -errno;
	return 0;
}

/*
 * run_command() - become the command
 *
 * Where:    child, signals still blocked.
 * Must:     own the terminal before exec, if there is one, so that Ctrl-C reaches the command and
 *           not us; restore the mask last, since exec keeps it.
 * Failure:  of the terminal is survived, the command can do without job control; of exec is told
 *           by message and exit status.
 */
static _Noreturn void run_command(char *const argv[], const sigset_t *original)
{
	int error;

	/* SIGTTOU is blocked, so a background process may do this. ENOTTY is the usual answer. */
	if (setpgid(0, 0) == 0 && tcsetpgrp(STDIN_FILENO, getpid()) < 0 && errno != ENOTTY &&
	    errno != EBADF)
		complain("ignoring: cannot give the terminal to", argv[0], errno);
	if (sigprocmask(SIG_SETMASK, original, NULL) < 0) {
		complain("restore signals", NULL, errno);
		_exit(EXIT_OURS);
	}
	execvp(argv[0], argv);
	error = errno;
	complain("cannot execute", argv[0], error);
	_exit(error == ENOENT || error == ENOTDIR ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
}

/* Waits for all that have ended. Whether the command was among them; then *ret_status is its. */
static bool reap(pid_t command, int *ret_status)
{
	bool ended = false;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != command)
			continue;
		*ret_status = status;
		ended = true;
	}
	return ended;
}

/* ESRCH: it has ended and SIGCHLD is on its way. Whatever else goes wrong, the command runs on. */
static void forward(pid_t command, int signal_number)
{
	if (kill(command, signal_number) < 0 && errno != ESRCH)
		complain("ignoring: cannot forward a signal", NULL, errno);
}

/*
 * From here on dying is not allowed: it would take the whole container along. Nothing below ends
 * the program but the end of the command.
 */
static int serve(pid_t command, const sigset_t *taken)
{
	int status = 0;

	for (;;) {
		int n = sigwaitinfo(taken, NULL);

		if (n == SIGCHLD && reap(command, &status))
			break;
		if (n > 0 && n != SIGCHLD)
			forward(command, n);
		/* n < 0 is EINTR: we were stopped and continued, or traced. */
	}
	if (WIFSIGNALED(status))
		return EXIT_SIGNAL_BASE + WTERMSIG(status);
	return WEXITSTATUS(status);
}

int main(int argc, char *argv[])
{
	sigset_t taken, original;
	pid_t command;
	int r;

	/* Until the command runs, every failure is fatal: nobody depends on us yet. */
	if (argc < 3 || strcmp(argv[1], "--") != 0) {
		complain("usage: skiff-init -- COMMAND [ARG...]", NULL, 0);
		return EXIT_OURS;
	}
	/* We were executed through a descriptor, and ps would show its number. */
	(void)prctl(PR_SET_NAME, "skiff-init", 0, 0, 0);
	if (getpid() != 1 && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0) {
		complain("become a subreaper", NULL, errno);
		return EXIT_OURS;
	}
	r = block_signals(&taken, &original);
	if (r < 0) {
		complain("block signals", NULL, -r);
		return EXIT_OURS;
	}
	command = fork();
	if (command < 0) {
		complain("fork", NULL, errno);
		return EXIT_OURS;
	}
	if (command == 0)
		run_command(argv + 2, &original);
	return serve(command, &taken);
}
