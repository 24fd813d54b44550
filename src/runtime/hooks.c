/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/hooks.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/log.h"
#include "runtime/child_setup.h"
#include "runtime/confine.h"
#include "sys/process.h"

#define OCI_VERSION "1.2.0"
#define SAID_MAX 1024 /* of what a hook printed, in the message of its failure */
#define HOOK_NOT_RUN 127

json_t *hooks_state(const struct hook_subject *subject, const char *status, pid_t pid)
{
	json_t *state = json_object();

	json_set_string(state, "ociVersion", OCI_VERSION);
	json_set_string(state, "id", subject->id);
	json_set_string(state, "status", status);
	if (pid > 0)
		(void)json_object_set_new(state, "pid", json_integer(pid));
	json_set_string(state, "bundle", subject->bundle);
	if (subject->annotations)
		(void)json_object_set(state, "annotations", (json_t *)subject->annotations);
	return state;
}

/* A file in memory: a hook that reads nothing, or prints without end, blocks nobody. */
static int memory_file(const char *name, const char *text, struct error *err)
{
	auto_close int fd = memfd_create(name, MFD_CLOEXEC);
	int r = 0;

	if (fd >= 0 && text)
		r = fd_write_all(fd, text, strlen(text));
	if (fd < 0 || r < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_set(err, ERR_SYSTEM, errno, "make a file in memory");
	return TAKE_FD(fd);
}

static int become_hook(const struct spec_hook *hook, int state_fd, int said_fd,
		       const struct confine_request *confine, struct error *err)
{
	auto_(strv_release) struct strv args = {0}, env = {0};
	int r;

	strv_copy(&args, &hook->args);
	strv_copy(&env, &hook->env);
	if (args.count == 0)
		strv_add(&args, hook->path);
	/* So that there is an array at all. */
	strv_add(&env, "");
	strv_remove(&env, env.count - 1);
	if (dup2(state_fd, STDIN_FILENO) < 0 || dup2(said_fd, STDOUT_FILENO) < 0 ||
	    dup2(said_fd, STDERR_FILENO) < 0)
		return err_set(err, ERR_SYSTEM, errno, "set up standard streams");
	if (syscall(SYS_close_range, 3U, ~0U, 0U) < 0)
		return err_set(err, ERR_SYSTEM, errno, "close inherited descriptors");
	process_reset_signals();
	r = confine ? confine_process(confine, err) : 0;
	if (r < 0)
		return r;
	(void)execve(hook->path, args.items, env.items);
	return err_set(err, ERR_SYSTEM, errno, "execute it");
}

static _Noreturn void run_hook(const struct spec_hook *hook, int state_fd, int said_fd,
			       const struct confine_request *confine)
{
	auto_(error_release) struct error err = {0};

	child_name("skiff:hook");
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)become_hook(hook, state_fd, said_fd, confine, &err);
	(void)fd_write_all(STDERR_FILENO, err_message(&err), strlen(err_message(&err)));
	_exit(HOOK_NOT_RUN);
}

/* One line of it; caller frees. */
static char *what_it_said(int said_fd)
{
	char *text = xcalloc(1, SAID_MAX + 1);
	ssize_t n = fd_pread_full(said_fd, text, SAID_MAX, 0);

	text[n > 0 ? n : 0] = '\0';
	for (char *p = text; *p; p++)
		if (*p == '\n')
			*p = p[1] ? ' ' : '\0';
	return text;
}

static int wait_for(const struct spec_hook *hook, int pidfd, int *ret_status)
{
	int timeout_ms = hook->timeout_s > 0 ? hook->timeout_s * 1000 : -1;
	int r = process_wait_end(pidfd, timeout_ms);

	if (r == 0) {
		(void)process_signal(pidfd, SIGKILL);
		(void)process_reap(pidfd);
		return -ETIME;
	}
	r = process_reap(pidfd);
	if (r < 0)
		return r;
	*ret_status = r;
	return 0;
}

static int run_one(const struct spec_hook *hook, const char *state,
		   const struct confine_request *confine, struct error *err)
{
	auto_close int state_fd = memory_file("state", state, err);
	auto_close int said_fd = NO_FD, pidfd = NO_FD;
	auto_free char *said = NULL;
	int status = 0, r;
	pid_t pid;

	if (state_fd < 0)
		return state_fd;
	said_fd = memory_file("said", NULL, err);
	if (said_fd < 0)
		return said_fd;
	pid = process_clone(0, NO_FD, &pidfd);
	if (pid < 0)
		return err_set(err, ERR_SYSTEM, -pid, "clone");
	if (pid == 0)
		run_hook(hook, state_fd, said_fd, confine);
	r = wait_for(hook, pidfd, &status);
	if (r == -ETIME)
		return err_set(err, ERR_SYSTEM, ETIME, "it did not end within %d s",
			       hook->timeout_s);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "wait for it");
	if (status == 0)
		return 0;
	said = what_it_said(said_fd);
	return err_set(err, ERR_CONFLICT, 0, "exit status %d%s%s", status, *said ? ": " : "", said);
}

int hooks_run(const struct spec *spec, enum spec_hook_point point, const json_t *state,
	      const struct confine_request *confine, struct error *err)
{
	const struct spec_hooks *hooks = &spec->hooks[point];
	auto_free char *text = NULL;

	if (hooks->count == 0)
		return 0;
	text = json_text(state);
	for (size_t i = 0; i < hooks->count; i++) {
		int r;

		log_debug("runtime", "%s hook %s", spec_hook_point_name(point),
			  hooks->items[i].path);
		r = run_one(&hooks->items[i], text, confine, err);
		if (r < 0)
			return err_wrap(err, r, "error running %s hook #%zu '%s'",
					spec_hook_point_name(point), i, hooks->items[i].path);
	}
	return 0;
}
