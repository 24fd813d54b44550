/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "engine/detach_keys.h"
#include "engine/stream_internal.h"

#define STDIN_CHUNK 16384

/*
 * theory: One loop around poll(2), which unlike epoll takes regular files too. One chunk of output
 * is in hand at a time: as long as it is not written the peer is not listened to, which keeps
 * standard output and standard error in order and is the back-pressure towards the container.
 * Input is read when the peer has room for it. Signals arrive through a descriptor.
 */
struct stream {
	struct stream_peer *peer;
	int stdin_fd; /* NO_FD once it has ended */
	int tty_fd;   /* whose size is forwarded; NO_FD: none */
	int signal_fd;
	bool forward;
	struct tty_raw *raw;
	sigset_t mask_before;
	struct sigaction pipe_before;

	struct detach_keys keys;
	struct stream_output outputs[2];
	struct stream_chunk chunk; /* len 0: none in hand */
	bool has_ended, is_detached;
	uint8_t *buffer; /* STREAM_BUFFER_SIZE */
	uint8_t *typed;  /* STDIN_CHUNK, and as much again for the filter */
};

/* ---- signals and the terminal ---- */

void stream_signals(sigset_t *ret_set)
{
	static const int others[] = {SIGCHLD, SIGPIPE, SIGURG, SIGTTIN, SIGTTOU};

	(void)sigfillset(ret_set);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		(void)sigdelset(ret_set, others[i]);
}

static bool is_ignored(int signal_number)
{
	struct sigaction now;

	return sigaction(signal_number, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

static void forward_size(struct stream *s)
{
	struct tty_size size;

	if (s->tty_fd >= 0 && tty_get_size(s->tty_fd, &size) == 0 && size.rows > 0)
		s->peer->resize(s->peer, size);
}

/* Lets a signal do what it always does; returns when that was nothing, or a stop that is over. */
static void suffer(struct stream *s, int signal_number)
{
	sigset_t one;

	if (is_ignored(signal_number))
		return;
	if (s->raw)
		tty_raw_suspend(s->raw);
	(void)raise(signal_number);
	(void)sigemptyset(&one);
	(void)sigaddset(&one, signal_number);
	(void)sigprocmask(SIG_UNBLOCK, &one, NULL);
	(void)sigprocmask(SIG_BLOCK, &one, NULL);
	if (s->raw)
		(void)tty_raw_resume(s->raw);
	forward_size(s);
}

static void handle_signal(struct stream *s)
{
	struct signalfd_siginfo info;
	int signal_number;

	if (read(s->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	signal_number = (int)info.ssi_signo;
	if (signal_number == SIGWINCH && s->tty_fd >= 0) {
		forward_size(s);
		return;
	}
	if (signal_number == SIGCONT && s->raw) {
		(void)tty_raw_resume(s->raw); /* the shell may have had it meanwhile */
		forward_size(s);
	}
	/* nohup(1) means us, and what we stand for. */
	if (signal_number == SIGHUP && is_ignored(SIGHUP))
		return;
	if (s->forward)
		s->peer->signal(s->peer, signal_number);
	else if (signal_number != SIGCONT && signal_number != SIGWINCH)
		suffer(s, signal_number);
}

/*
 * Without forwarding and without a terminal to restore there is nothing to know about signals: they
 * act as always.
 */
static int hold_signals(struct stream *s)
{
	sigset_t set, only_size;

	stream_signals(&set);
	(void)sigprocmask(SIG_BLOCK, &set, &s->mask_before);
	if (!s->forward && !s->raw) {
		(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
		(void)sigemptyset(&only_size);
		(void)sigaddset(&only_size, SIGWINCH);
		(void)sigprocmask(SIG_BLOCK, &only_size, NULL);
		set = only_size;
	}
	s->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return s->signal_fd < 0 ? -errno : 0;
}

/* ---- input ---- */

static void end_input(struct stream *s)
{
	uint8_t held[DETACH_KEYS_MAX];
	size_t n = detach_keys_flush(&s->keys, held);

	if (n > 0)
		s->peer->send(s->peer, held, n);
	s->peer->send_eof(s->peer);
	s->stdin_fd = NO_FD;
}

static int handle_input(struct stream *s, struct error *err)
{
	size_t room = s->peer->room(s->peer) - DETACH_KEYS_MAX;
	uint8_t *out = s->typed + STDIN_CHUNK;
	size_t len;
	ssize_t n;

	n = read(s->stdin_fd, s->typed, room < STDIN_CHUNK ? room : STDIN_CHUNK);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n <= 0 && s->raw)
		return err_set(err, ERR_CANCELLED, 0, "our terminal is gone");
	if (n <= 0) {
		end_input(s);
		return 0;
	}
	s->is_detached = detach_keys_filter(&s->keys, s->typed, (size_t)n, out, &len);
	if (len > 0)
		s->peer->send(s->peer, out, len);
	return 0;
}

/* ---- output ---- */

static struct stream_output *output_of(struct stream *s)
{
	return &s->outputs[s->chunk.stream == STDERR_FILENO ? 1 : 0];
}

static int write_chunk(struct stream *s, bool is_ready, struct error *err)
{
	while (s->chunk.len > 0) {
		ssize_t n =
			stream_output_write(output_of(s), s->chunk.data, s->chunk.len, is_ready);

		if (n == -EAGAIN)
			return 0;
		if (n < 0)
			return err_set(err, ERR_SYSTEM, (int)-n, "write %s",
				       s->chunk.stream == STDERR_FILENO ? "standard error"
									: "standard output");
		s->chunk.data += n;
		s->chunk.len -= (size_t)n;
		is_ready = false;
	}
	return 0;
}

static int handle_peer(struct stream *s, struct error *err)
{
	int r = s->peer->receive(s->peer, s->buffer, &s->chunk, err);

	if (r < 0)
		return r;
	if (r == STREAM_END)
		s->has_ended = true;
	if (r == STREAM_OUTPUT)
		return write_chunk(s, /* is_ready= */ false, err);
	s->chunk.len = 0;
	return 0;
}

/* ---- the loop ---- */

enum {
	POLL_SIGNALS,
	POLL_PEER,
	POLL_PEER_TOO,
	POLL_STDIN,
	POLL_OUTPUT,
	POLL_COUNT,
};

static void fill_poll_set(struct stream *s, struct pollfd set[POLL_COUNT])
{
	bool listen = s->chunk.len == 0;
	bool has_room = s->peer->room(s->peer) > DETACH_KEYS_MAX;

	set[POLL_SIGNALS] = (struct pollfd){.fd = s->signal_fd, .events = POLLIN};
	set[POLL_PEER] = (struct pollfd){
		.fd = listen || s->peer->events ? s->peer->fds[0] : NO_FD,
		.events = (short)((listen ? POLLIN : 0) | s->peer->events),
	};
	set[POLL_PEER_TOO] =
		(struct pollfd){.fd = listen ? s->peer->fds[1] : NO_FD, .events = POLLIN};
	set[POLL_STDIN] = (struct pollfd){.fd = has_room ? s->stdin_fd : NO_FD, .events = POLLIN};
	set[POLL_OUTPUT] =
		(struct pollfd){.fd = listen ? NO_FD : output_of(s)->fd, .events = POLLOUT};
}

static int step(struct stream *s, struct error *err)
{
	struct pollfd set[POLL_COUNT];
	int r = 0;

	fill_poll_set(s, set);
	if (poll(set, POLL_COUNT, -1) < 0)
		return errno == EINTR ? 0 : err_set(err, ERR_SYSTEM, errno, "wait for input");

	if (set[POLL_SIGNALS].revents)
		handle_signal(s);
	if ((set[POLL_PEER].revents & POLLOUT) && s->peer->writable)
		s->peer->writable(s->peer);
	if (set[POLL_OUTPUT].revents)
		r = write_chunk(s, /* is_ready= */ true, err);
	else if (((set[POLL_PEER].revents & ~POLLOUT) || set[POLL_PEER_TOO].revents) &&
		 s->chunk.len == 0)
		r = handle_peer(s, err);
	if (r == 0 && set[POLL_STDIN].revents)
		r = handle_input(s, err);
	return r;
}

static int begin(struct stream *s, const struct stream_request *request, struct error *err)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	bool stdin_is_tty = request->stdin_fd >= 0 && isatty(request->stdin_fd);
	int r;

	(void)sigaction(SIGPIPE, &ignore, &s->pipe_before);
	if (s->peer->tty) {
		r = detach_keys_parse(request->detach_keys, &s->keys, err);
		if (r < 0)
			return r;
		if (stdin_is_tty)
			s->tty_fd = request->stdin_fd;
		else if (request->stdout_fd >= 0 && isatty(request->stdout_fd))
			s->tty_fd = request->stdout_fd;
	}
	if (s->peer->tty && stdin_is_tty) {
		r = tty_raw_enter(request->stdin_fd, &s->raw);
		if (r < 0)
			return err_set(err, ERR_SYSTEM, -r, "set the terminal to raw mode");
	}
	r = hold_signals(s);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "listen to signals");
	forward_size(s);
	return 0;
}

/* The terminal first: signals that were held back may kill us in the next moment. */
static void finish(struct stream *s)
{
	tty_raw_leave(TAKE_PTR(s->raw));
	cleanup_close_fd(&s->signal_fd);
	(void)sigaction(SIGPIPE, &s->pipe_before, NULL);
	(void)sigprocmask(SIG_SETMASK, &s->mask_before, NULL);
	free(s->buffer);
	free(s->typed);
}

int stream_run(struct stream_peer *peer, const struct stream_request *request,
	       struct stream_result *ret_result, struct error *err)
{
	struct stream s = {
		.peer = peer,
		.stdin_fd = request->stdin_fd,
		.tty_fd = NO_FD,
		.signal_fd = NO_FD,
		.forward = request->forward_signals,
	};
	int r;

	(void)sigprocmask(SIG_SETMASK, NULL, &s.mask_before);
	s.buffer = xmalloc(STREAM_BUFFER_SIZE);
	s.typed = xmalloc(2 * STDIN_CHUNK + DETACH_KEYS_MAX);
	stream_output_init(&s.outputs[0], request->stdout_fd);
	stream_output_init(&s.outputs[1], request->stderr_fd);

	r = begin(&s, request, err);
	while (r == 0 && !s.has_ended && !s.is_detached)
		r = step(&s, err);
	finish(&s);
	if (r < 0)
		return r;
	*ret_result = (struct stream_result){
		.detached = s.is_detached,
		.exit_code = peer->exit_code,
		.kept = peer->kept,
	};
	return 0;
}
