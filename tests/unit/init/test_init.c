/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_init.c - skiff-init as a user meets it: exit codes, signals, orphans
 *
 * The program under test is argv[1]. The commands it runs are this program again, with the name of
 * a role as first argument. Without root it is tested as a subreaper, with root as PID 1 too.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define DEADLINE_MS 10000

static const char *init_path;
static char self_path[512]; /* for the roles: /proc/self/exe would be skiff-init there */

/* ---- roles: what runs below skiff-init ---- */

/* Says that it is ready and ends with the number of the first signal it gets. */
static int role_await(void)
{
	sigset_t all;
	int n;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, NULL);
	if (write(STDOUT_FILENO, "r", 1) != 1)
		return 99;
	return sigwait(&all, &n) == 0 ? n : 99;
}

/* Leaves an orphan that has ended, then waits as above. */
static int role_orphan(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(fork() < 0 ? 99 : 0); /* both end; the second has lost its parent */
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		return 99;
	return role_await();
}

/* Tells which signals were blocked when it was executed: none may be. */
static int role_mask(void)
{
	sigset_t mask;
	int blocked = 0;

	(void)sigprocmask(SIG_SETMASK, NULL, &mask);
	for (int n = 1; n < NSIG; n++)
		blocked += sigismember(&mask, n) == 1;
	return blocked;
}

static int role_killed(void)
{
	(void)raise(SIGKILL);
	return 99;
}

static const struct {
	const char *name;
	int (*run)(void);
} roles[] = {
	{"await", role_await},
	{"orphan", role_orphan},
	{"mask", role_mask},
	{"killed", role_killed},
};

/* ---- helpers ---- */

struct run {
	pid_t pid;
	int out; /* standard output and error of both */
};

static struct run start(const char *command, const char *argument)
{
	struct run run = {.pid = -1};
	int out[2];

	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	run.pid = fork();
	assert_true(run.pid >= 0);
	if (run.pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)dup2(out[1], STDOUT_FILENO);
		(void)dup2(out[1], STDERR_FILENO);
		(void)close(out[0]);
		(void)execl(init_path, "skiff-init", "--", command, argument, (char *)NULL);
		_exit(98);
	}
	(void)close(out[1]);
	run.out = out[0];
	return run;
}

static void wait_until_ready(const struct run *run)
{
	struct pollfd p = {.fd = run->out, .events = POLLIN};
	char c;

	assert_int_equal(poll(&p, 1, DEADLINE_MS), 1);
	assert_int_equal(read(run->out, &c, 1), 1);
	assert_int_equal(c, 'r');
}

static int finish(struct run *run)
{
	int status;

	assert_int_equal(waitpid(run->pid, &status, 0), run->pid);
	(void)close(run->out);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int run_to_end(const char *command, const char *argument)
{
	struct run run = start(command, argument);

	return finish(&run);
}

static size_t count_children(pid_t pid)
{
	char path[64], text[256];
	size_t count = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	f = fopen(path, "re");
	if (!f)
		skip(); /* a kernel without CONFIG_PROC_CHILDREN */
	if (fgets(text, sizeof(text), f))
		for (const char *p = text; *p; p++)
			count += *p == ' ';
	(void)fclose(f);
	return count;
}

/* ---- tests ---- */

static void test_exit_codes(void **state)
{
	(void)state;
	assert_int_equal(run_to_end("/bin/true", NULL), 0);
	assert_int_equal(run_to_end("/bin/false", NULL), 1);
	assert_int_equal(run_to_end("/proc/self/exe/not/there", NULL), 127);
	assert_int_equal(run_to_end("there-is-no-such-command", NULL), 127);
	assert_int_equal(run_to_end("/etc/passwd", NULL), 126);
	assert_int_equal(run_to_end("/proc/self/exe", NULL), 125); /* itself, without arguments */
}

static void test_path_is_searched(void **state)
{
	(void)state;
	assert_int_equal(run_to_end("true", NULL), 0);
}

static void test_killed_command(void **state)
{
	(void)state;
	assert_int_equal(run_to_end(self_path, "killed"), 128 + SIGKILL);
}

static void test_mask_is_restored(void **state)
{
	(void)state;
	assert_int_equal(run_to_end(self_path, "mask"), 0);
}

static void test_signals_are_forwarded(void **state)
{
	static const int signals[] = {SIGTERM,
				      SIGINT,
				      SIGHUP,
				      SIGQUIT,
				      SIGUSR1,
				      SIGUSR2,
				      SIGALRM,
				      SIGCONT,
				      SIGWINCH,
				      SIGTSTP,
				      /* real time: */ 37};

	(void)state;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		struct run run = start(self_path, "await");

		wait_until_ready(&run);
		assert_int_equal(kill(run.pid, signals[i]), 0);
		assert_int_equal(finish(&run), signals[i]);
	}
}

static void test_orphans_are_reaped(void **state)
{
	struct run run = start(self_path, "orphan");
	size_t children = 2;

	(void)state;
	wait_until_ready(&run);
	for (int i = 0; i < DEADLINE_MS && children > 1; i++) {
		children = count_children(run.pid);
		if (children > 1)
			(void)poll(NULL, 0, 1);
	}
	assert_int_equal(children, 1);
	assert_int_equal(kill(run.pid, SIGTERM), 0);
	assert_int_equal(finish(&run), SIGTERM);
}

/* A process with PID 1 gets no signal that it has not asked for; ours must ask for all. */
static void test_as_first_process(void **state)
{
	struct run run = {.pid = -1};
	int status, out[2];
	pid_t outer;

	(void)state;
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	outer = fork();
	if (outer == 0) {
		if (unshare(CLONE_NEWPID) < 0)
			_exit(97);
		(void)dup2(out[1], STDOUT_FILENO);
		run.pid = fork();
		if (run.pid == 0) {
			(void)execl(init_path, "skiff-init", "--", self_path, "await",
				    (char *)NULL);
			_exit(98);
		}
		run.out = out[0];
		wait_until_ready(&run);
		(void)kill(run.pid, SIGTERM);
		_exit(finish(&run));
	}
	(void)close(out[0]);
	(void)close(out[1]);
	assert_int_equal(waitpid(outer, &status, 0), outer);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 97)
		skip(); /* needs root */
	assert_int_equal(WEXITSTATUS(status), SIGTERM);
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exit_codes),
		cmocka_unit_test(test_path_is_searched),
		cmocka_unit_test(test_killed_command),
		cmocka_unit_test(test_mask_is_restored),
		cmocka_unit_test(test_signals_are_forwarded),
		cmocka_unit_test(test_orphans_are_reaped),
		cmocka_unit_test(test_as_first_process),
	};
	ssize_t n;

	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (argc == 2 && strcmp(argv[1], roles[i].name) == 0)
			return roles[i].run();
	if (argc != 2) {
		(void)fprintf(stderr, "usage: test_init PATH-OF-SKIFF-INIT\n");
		return 2;
	}
	init_path = argv[1];
	n = readlink("/proc/self/exe", self_path, sizeof(self_path) - 1);
	if (n < 0)
		return 2;
	self_path[n] = '\0';
	return cmocka_run_group_tests_name("init", tests, NULL, NULL);
}
