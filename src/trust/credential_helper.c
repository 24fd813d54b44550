/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/credential_helper.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "sys/process.h"
#include "trust/credentials.h"

#define PREFIX "docker-credential-"
#define NAME_MAX_LEN 128

/* What docker's helpers answer as user name when the secret is an identity token. */
#define TOKEN_USER "<token>"

/* Their way to say that there is nothing; a fixed sentence of the protocol. */
#define NOT_FOUND "credentials not found"

static void wipe(struct strbuf *text)
{
	if (text->data)
		explicit_bzero(text->data, text->capacity);
	strbuf_release(text);
}

DEFINE_CLEANUP_VALUE(struct strbuf, wipe);

/* One that runs. */
struct helper {
	const char *name;
	pid_t pid;
	int in_fd, out_fd;
};

static void helper_kill(struct helper *helper)
{
	cleanup_close_fd(&helper->in_fd);
	cleanup_close_fd(&helper->out_fd);
	if (helper->pid <= 0)
		return;
	(void)kill(helper->pid, SIGKILL);
	while (waitpid(helper->pid, NULL, 0) < 0 && errno == EINTR)
		;
	helper->pid = 0;
}

DEFINE_CLEANUP_VALUE(struct helper, helper_kill);

void credential_helper_environment(char *const *environment, struct strv *ret_environment)
{
	/* A name, or the beginning of names when it ends in '_'. */
	static const char *const kept[] = {
		"PATH",   "HOME",      "USER",    "LOGNAME",   "TERM",       "TZ",
		"LANG",   "LC_",       "DISPLAY", "WAYLAND_",  "XAUTHORITY", "DBUS_SESSION_BUS_",
		"XDG_",   "GNUPGHOME", "GPG_",    "SSH_AUTH_", "PASSWORD_",  "AWS_",
		"AZURE_", "GOOGLE_",   "GCLOUD_", "CLOUDSDK_", "HTTP_",      "HTTPS_",
		"NO_",    "http_",     "https_",  "no_",
	};

	for (; *environment; environment++) {
		size_t len = strcspn(*environment, "=");

		for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
			size_t kept_len = strlen(kept[i]);
			bool prefix = kept[i][kept_len - 1] == '_';

			if (strncmp(*environment, kept[i], kept_len) == 0 &&
			    (prefix ? len > kept_len : len == kept_len)) {
				strv_add(ret_environment, *environment);
				break;
			}
		}
	}
}

/* Letters, digits, '-', '_' and '.': no path, and nothing that a message would have to quote. */
static bool name_is_valid(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= NAME_MAX_LEN &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
		       len;
}

/* NULL when it is nowhere in $PATH. */
static char *find_program(const char *name)
{
	const char *search = getenv("PATH");
	auto_(strv_release) struct strv directories = {0};

	strv_split(&directories, search ? search : "/usr/local/bin:/usr/bin:/bin", ':');
	for (size_t i = 0; i < directories.count; i++) {
		auto_free char *path = NULL;

		/* Not what happens to lie in the current directory. */
		if (directories.items[i][0] != '/')
			continue;
		path = xasprintf("%s/" PREFIX "%s", directories.items[i], name);
		if (access(path, X_OK) == 0)
			return TAKE_PTR(path);
	}
	return NULL;
}

static void run_child(const char *program, const char *verb, int in_fd, int out_fd, pid_t parent)
{
	char *const argv[] = {(char *)program, (char *)verb, NULL};
	struct strv environment = {0};

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	credential_helper_environment(environ, &environment);
	if (dup2(in_fd, STDIN_FILENO) < 0 || dup2(out_fd, STDOUT_FILENO) < 0)
		_exit(1);
	process_reset_signals();
	(void)execve(program, argv, environment.items ? environment.items : argv + 2);
	_exit(1);
}

static int start(const char *name, const char *verb, struct helper *ret_helper, struct error *err)
{
	auto_free char *program = NULL;
	auto_close int child_in = NO_FD, child_out = NO_FD;
	auto_(helper_kill) struct helper helper = {.name = name, .in_fd = NO_FD, .out_fd = NO_FD};
	pid_t parent = getpid();
	int to[2], from[2];

	if (!name_is_valid(name))
		return err_set(err, ERR_INVALID, 0,
			       "the name of a credential helper is not valid: '%.200s'", name);
	program = find_program(name);
	if (!program)
		return err_set(err, ERR_UNAVAILABLE, ENOENT,
			       "the credential helper '" PREFIX "%s' is not in $PATH", name);
	if (pipe2(to, O_CLOEXEC) < 0)
		return err_set(err, ERR_SYSTEM, errno, "make a pipe");
	child_in = to[0];
	helper.in_fd = to[1];
	if (pipe2(from, O_CLOEXEC) < 0)
		return err_set(err, ERR_SYSTEM, errno, "make a pipe");
	helper.out_fd = from[0];
	child_out = from[1];
	(void)fd_set_nonblock(helper.in_fd, true);
	(void)fd_set_nonblock(helper.out_fd, true);
	helper.pid = fork();
	if (helper.pid < 0)
		return err_set(err, ERR_SYSTEM, errno, "start '" PREFIX "%s'", name);
	if (helper.pid == 0)
		run_child(program, verb, child_in, child_out, parent);
	*ret_helper = helper;
	helper = (struct helper){.in_fd = NO_FD, .out_fd = NO_FD};
	return 0;
}

/* Writes what fits; closes the pipe after the last byte. A helper that does not read is its own matter. */
static void feed(struct helper *helper, const char **input, size_t *left)
{
	ssize_t n = write(helper->in_fd, *input, *left);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n > 0) {
		*input += n;
		*left -= (size_t)n;
	}
	if (n < 0 || *left == 0)
		cleanup_close_fd(&helper->in_fd);
}

/* 1 more may come, 0 end of the answer. */
static int drain(struct helper *helper, struct strbuf *answer, struct error *err)
{
	char buffer[4096];
	ssize_t n = read(helper->out_fd, buffer, sizeof(buffer));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 1;
	if (n < 0)
		return err_set(err, ERR_SYSTEM, errno, "read from '" PREFIX "%s'", helper->name);
	strbuf_add(answer, buffer, (size_t)n);
	explicit_bzero(buffer, sizeof(buffer));
	if (answer->len > CREDENTIALS_MAX_BYTES)
		return err_set(err, ERR_INVALID, EMSGSIZE,
			       "the answer of '" PREFIX "%s' is longer than %zu bytes",
			       helper->name, CREDENTIALS_MAX_BYTES);
	return n > 0;
}

static int converse(struct helper *helper, const char *input, struct strbuf *answer,
		    struct error *err)
{
	int64_t deadline = clock_monotonic_ns() + INT64_C(1000000) * CREDENTIAL_HELPER_TIMEOUT_MS;
	size_t left = strlen(input);
	int r = 1;

	while (r > 0) {
		struct pollfd fds[] = {
			{.fd = helper->out_fd, .events = POLLIN},
			{.fd = helper->in_fd, .events = POLLOUT}, /* negative: not looked at */
		};
		int64_t remaining_ms = (deadline - clock_monotonic_ns()) / 1000000;

		if (remaining_ms <= 0)
			return err_set(err, ERR_UNAVAILABLE, ETIMEDOUT,
				       "'" PREFIX "%s' did not answer within %d seconds",
				       helper->name, CREDENTIAL_HELPER_TIMEOUT_MS / 1000);
		if (poll(fds, 2, (int)remaining_ms) < 0 && errno != EINTR)
			return err_set(err, ERR_SYSTEM, errno, "wait for '" PREFIX "%s'",
				       helper->name);
		if (helper->in_fd >= 0 && fds[1].revents)
			feed(helper, &input, &left);
		if (fds[0].revents)
			r = drain(helper, answer, err);
	}
	return r;
}

/* The first line of what a failed helper said, without anything a terminal would obey. */
static char *complaint_of(const struct strbuf *answer)
{
	char *line = xstrndup(strbuf_text(answer), strcspn(strbuf_text(answer), "\r\n"));

	for (char *p = line; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	return line;
}

/* Reaps: 1 success, 0 it has nothing, or an error with what it said. */
static int finish(struct helper *helper, const char *verb, const struct strbuf *answer,
		  struct error *err)
{
	auto_free char *complaint = NULL;
	int status;
	pid_t pid;

	cleanup_close_fd(&helper->in_fd);
	cleanup_close_fd(&helper->out_fd);
	do
		pid = waitpid(helper->pid, &status, 0);
	while (pid < 0 && errno == EINTR);
	helper->pid = 0;
	if (pid < 0)
		return err_set(err, ERR_SYSTEM, errno, "wait for '" PREFIX "%s'", helper->name);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 1;
	complaint = complaint_of(answer);
	if (strncmp(complaint, NOT_FOUND, strlen(NOT_FOUND)) == 0)
		return 0;
	return err_set(err, ERR_UNAVAILABLE, EIO, "'" PREFIX "%s %s' failed: %.500s", helper->name,
		       verb, complaint[0] ? complaint : "it said nothing");
}

static int run(const char *name, const char *verb, const char *input, struct strbuf *answer,
	       struct error *err)
{
	auto_(helper_kill) struct helper helper = {.in_fd = NO_FD, .out_fd = NO_FD};
	struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
	int r;

	r = start(name, verb, &helper, err);
	if (r < 0)
		return r;
	/* It may end without reading all that we have to say. */
	(void)sigaction(SIGPIPE, &ignore, &before);
	r = converse(&helper, input, answer, err);
	(void)sigaction(SIGPIPE, &before, NULL);
	return r < 0 ? r : finish(&helper, verb, answer, err);
}

static int read_answer(const char *name, const struct strbuf *answer,
		       struct credentials *ret_credentials, struct error *err)
{
	auto_(json_decref) json_t *object = NULL;
	auto_(error_release) struct error detail = {0};
	const char *user, *secret;

	/* The parser's message would quote the answer. */
	if (json_parse(strbuf_text(answer), answer->len, name, &object, &detail) < 0 ||
	    !json_is_object(object))
		return err_set(err, ERR_INVALID, EINVAL,
			       "the answer of '" PREFIX "%s' is not a JSON object", name);
	user = json_get_string(object, "Username", "");
	secret = json_get_string(object, "Secret", "");
	if (!user[0] && !secret[0])
		return 0;
	if (strcmp(user, TOKEN_USER) == 0) {
		ret_credentials->identity_token = xstrdup(secret);
	} else {
		ret_credentials->username = xstrdup(user);
		ret_credentials->password = xstrdup(secret);
	}
	return 1;
}

int credential_helper_get(const char *name, const char *server, struct credentials *ret_credentials,
			  struct error *err)
{
	auto_(wipe) struct strbuf answer = {0};
	int r;

	r = run(name, "get", server, &answer, err);
	if (r <= 0)
		return r;
	return read_answer(name, &answer, ret_credentials, err);
}

int credential_helper_store(const char *name, const char *server,
			    const struct credentials *credentials, struct error *err)
{
	const char *token = credentials->identity_token;
	auto_(wipe) struct strbuf answer = {0};
	auto_(json_decref) json_t *object = json_object();
	auto_free char *text = NULL;
	int r;

	json_set_string(object, "ServerURL", server);
	json_set_string(object, "Username", token ? TOKEN_USER : credentials->username);
	json_set_string(object, "Secret", token ? token : credentials->password);
	text = json_text(object);
	r = run(name, "store", text, &answer, err);
	explicit_bzero(text, strlen(text));
	if (r == 0)
		return err_set(err, ERR_UNAVAILABLE, EIO,
			       "'" PREFIX "%s store' did not keep the credentials", name);
	return r < 0 ? r : 0;
}

int credential_helper_erase(const char *name, const char *server, struct error *err)
{
	auto_(wipe) struct strbuf answer = {0};
	int r = run(name, "erase", server, &answer, err);

	return r < 0 ? r : 0;
}
