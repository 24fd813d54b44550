/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/registry_helper.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "registry/protocol.h"

#define PROGRAM_NAME "skiff-registry"

/* Where the child's descriptors wait before they get their numbers. */
#define PARKING_FD 10

void registry_answer_release(struct registry_answer *answer)
{
	json_decref(answer->done);
	error_release(&answer->error);
	*answer = (struct registry_answer){0};
}

void registry_helper_stop(struct registry_helper *helper)
{
	if (helper->pid > 0) {
		(void)kill(helper->pid, SIGKILL);
		while (waitpid(helper->pid, NULL, 0) < 0 && errno == EINTR)
			;
		cleanup_close_fd(&helper->sock);
	}
	*helper = REGISTRY_HELPER_EMPTY;
}

/* ---- starting ---- */

static char *program_path(void)
{
	const char *directory = getenv("SKIFF_LIBEXEC_DIR");

	if (directory && directory[0] == '/')
		return xasprintf("%s/" PROGRAM_NAME, directory);
	return xstrdup(REGISTRY_PROGRAM);
}

static int place_fds(int sock, int config_fd)
{
	int parked_sock = fcntl(sock, F_DUPFD_CLOEXEC, PARKING_FD);
	int parked_config = fcntl(config_fd, F_DUPFD_CLOEXEC, PARKING_FD);
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (parked_sock < 0 || parked_config < 0 || null_fd < 0 ||
	    dup2(null_fd, STDIN_FILENO) < 0 || dup2(null_fd, STDOUT_FILENO) < 0 ||
	    dup2(parked_sock, REGISTRY_SOCKET_FD) < 0 ||
	    dup2(parked_config, REGISTRY_CONFIG_FD) < 0)
		return -errno;
	return 0;
}

static void say_exec_failed(int errnum)
{
	auto_free char *answer =
		xasprintf("{\"id\":0,\"error\":{\"kind\":\"unavailable\",\"errno\":%d,"
			  "\"message\":\"start the helper " PROGRAM_NAME ": %s\"}}",
			  errnum, errno_text(errnum));

	(void)fd_send(REGISTRY_SOCKET_FD, answer, strlen(answer), NULL, 0);
}

static _Noreturn void run_child(const char *program, int sock, int config_fd, pid_t parent)
{
	char name[] = PROGRAM_NAME;
	char *const argv[] = {name, NULL};
	char *const environment[] = {
		getenv("SKIFF_DEBUG") ? xasprintf("SKIFF_DEBUG=%s", getenv("SKIFF_DEBUG")) : NULL,
		NULL,
	};
	sigset_t none;
	int r;

	/* Ctrl-C is for us: the helper ends when we say so, or with us. */
	(void)setpgid(0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	r = place_fds(sock, config_fd);
	if (r >= 0) {
		(void)execve(program, argv, environment);
		r = -errno;
		say_exec_failed(-r);
	}
	_exit(1);
}

static int config_file(const json_t *config, struct error *err)
{
	auto_free char *text = json_text(config);
	auto_close int fd = memfd_create("registry-config", MFD_CLOEXEC);
	int r;

	r = fd < 0 ? -errno : fd_write_all(fd, text, strlen(text));
	explicit_bzero(text, strlen(text));
	if (r < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_set(err, ERR_SYSTEM, r < 0 ? -r : errno, "hand over a configuration");
	return TAKE_FD(fd);
}

int registry_helper_start(const json_t *config, int signal_fd, struct registry_helper *ret_helper,
			  struct error *err)
{
	auto_close int ours = NO_FD, theirs = NO_FD, config_fd = NO_FD;
	auto_free char *program = program_path();
	pid_t pid, parent = getpid();
	int socks[2];
	int r;

	config_fd = config_file(config, err);
	if (config_fd < 0)
		return config_fd;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks) < 0)
		return err_set(err, ERR_SYSTEM, errno, "make a socket pair");
	ours = socks[0];
	theirs = socks[1];
	r = fd_set_nonblock(ours, true);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "make a socket pair");
	pid = fork();
	if (pid < 0)
		return err_set(err, ERR_SYSTEM, errno, "start the helper " PROGRAM_NAME);
	if (pid == 0)
		run_child(program, theirs, config_fd, parent);
	*ret_helper = (struct registry_helper){
		.pid = pid,
		.sock = TAKE_FD(ours),
		.signal_fd = signal_fd,
	};
	return 0;
}

/* ---- requests ---- */

int registry_helper_send(struct registry_helper *helper, json_t *request, const int *fds,
			 size_t fd_count, int64_t *ret_id, struct error *err)
{
	auto_(json_decref) json_t *object = request;
	auto_free char *text = NULL;
	ssize_t n;

	if (!object)
		return err_set(err, ERR_INVALID, EILSEQ, "a name is not valid UTF-8");
	(void)json_object_set_new(object, "id", json_integer((json_int_t)++helper->last_id));
	text = json_text(object);
	if (strlen(text) > REGISTRY_MESSAGE_MAX)
		return err_set(err, ERR_INVALID, E2BIG, "a request to the registry is too long");
	n = fd_send(helper->sock, text, strlen(text), fds, fd_count);
	if (n < 0)
		return err_set(err, ERR_SYSTEM, (int)-n, "ask the helper " PROGRAM_NAME);
	*ret_id = helper->last_id;
	return 0;
}

/* ---- answers ---- */

static void take_error(const json_t *object, struct error *err)
{
	const char *kind = json_get_string(object, "kind", "internal");
	int64_t number = json_get_int(object, "errno", 0);

	err->kind = ERR_INTERNAL;
	for (int i = ERR_NONE + 1; i < ERROR_KIND_COUNT; i++)
		if (strcmp(error_kind_name((enum error_kind)i), kind) == 0)
			err->kind = (enum error_kind)i;
	err->errnum = number > 0 && number < 4096 ? (int)number : EIO;
	/* The text of the errno is in the message already. */
	err->message = xstrdup(json_get_string(object, "message", PROGRAM_NAME " failed"));
}

static int parse_answer(const char *text, size_t len, struct registry_answer *ret_answer,
			struct error *err)
{
	auto_(json_decref) json_t *object = NULL;
	struct registry_answer answer = {0};
	json_t *done;
	const json_t *failure;
	int r;

	r = json_parse(text, len, "answer of the helper", &object, err);
	if (r < 0)
		return r;
	answer.id = json_get_int(object, "id", 0);
	done = json_object_get(object, "done");
	failure = json_object_get(object, "error");
	if (done) {
		answer.kind = ANSWER_DONE;
		answer.done = json_incref(done);
	} else if (failure) {
		answer.kind = ANSWER_ERROR;
		take_error(failure, &answer.error);
	} else {
		int64_t bytes = json_get_int(json_object_get(object, "progress"), "bytes", 0);

		answer.kind = ANSWER_PROGRESS;
		answer.bytes = bytes > 0 ? (uint64_t)bytes : 0;
	}
	*ret_answer = answer;
	return 1;
}

/* It is gone: by itself, or by its filter. */
static int helper_ended(struct registry_helper *helper, struct error *err)
{
	int status = 0;
	pid_t pid;

	do
		pid = waitpid(helper->pid, &status, 0);
	while (pid < 0 && errno == EINTR);
	helper->pid = 0;
	cleanup_close_fd(&helper->sock);
	if (pid > 0 && WIFSIGNALED(status))
		return err_set(err, ERR_INTERNAL, 0,
			       "the helper " PROGRAM_NAME " was killed by signal %d (%s)",
			       WTERMSIG(status), sigdescr_np(WTERMSIG(status)));
	return err_set(err, ERR_INTERNAL, 0, "the helper " PROGRAM_NAME " ended (status %d)",
		       WEXITSTATUS(status));
}

int registry_helper_receive(struct registry_helper *helper, struct registry_answer *ret_answer,
			    struct error *err)
{
	auto_free char *buffer = xmalloc(REGISTRY_MESSAGE_MAX);
	ssize_t n;
	int r;

	n = fd_recv(helper->sock, buffer, REGISTRY_MESSAGE_MAX, NULL, 0, NULL);
	if (n == -EAGAIN)
		return 0;
	if (n == 0 || n == -ECONNRESET)
		return helper_ended(helper, err);
	if (n < 0)
		return err_set(err, ERR_SYSTEM, (int)-n, "hear from the helper " PROGRAM_NAME);
	r = parse_answer(buffer, (size_t)n, ret_answer, err);
	if (r < 0 || ret_answer->kind != ANSWER_ERROR || ret_answer->id != 0)
		return r;
	/* About no request: it could not begin. */
	r = err_move(err, &ret_answer->error);
	registry_answer_release(ret_answer);
	return r;
}

static int wait_for_answer(struct registry_helper *helper, struct error *err)
{
	struct pollfd fds[] = {
		{.fd = helper->sock, .events = POLLIN},
		{.fd = helper->signal_fd, .events = POLLIN},
	};

	if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
		return err_set(err, ERR_SYSTEM, errno, "wait for the helper");
	if (fds[1].revents & POLLIN)
		return err_set(err, ERR_CANCELLED, 0, "interrupted");
	return 0;
}

int registry_helper_ask(struct registry_helper *helper, json_t *request, const int *fds,
			size_t fd_count, json_t **ret_done, struct error *err)
{
	auto_(registry_answer_release) struct registry_answer answer = {0};
	int64_t id;
	int r;

	r = registry_helper_send(helper, request, fds, fd_count, &id, err);
	while (r >= 0) {
		r = wait_for_answer(helper, err);
		if (r < 0)
			return r;
		r = registry_helper_receive(helper, &answer, err);
		if (r <= 0)
			continue;
		if (answer.kind == ANSWER_ERROR)
			return err_move(err, &answer.error);
		if (answer.kind == ANSWER_DONE)
			break;
		if (helper->moved)
			helper->moved(helper->moved_context, answer.bytes);
		registry_answer_release(&answer);
	}
	if (r >= 0 && ret_done)
		*ret_done = TAKE_PTR(answer.done);
	return r < 0 ? r : 0;
}

int registry_helper_fetch(struct registry_helper *helper, json_t *request, size_t max_bytes,
			  json_t **ret_done, char **ret_text, size_t *ret_len, struct error *err)
{
	auto_close int fd = memfd_create("registry-document", MFD_CLOEXEC);
	int r;

	if (fd < 0) {
		json_decref(request);
		return err_set(err, ERR_SYSTEM, errno, "make room for a document");
	}
	r = registry_helper_ask(helper, request, &fd, 1, ret_done, err);
	if (r < 0)
		return r;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_set(err, ERR_SYSTEM, errno, "read a document");
	r = fd_read_text(fd, max_bytes, ret_text, ret_len);
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "read a document") : 0;
}
