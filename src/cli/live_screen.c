/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/live_screen.h"

#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/strbuf.h"
#include "cli/terminal.h"

/* Control sequences of ECMA-48 and xterm. */
#define ENTER "\033[?1049h\033[?25l" /* alternate screen, no cursor */
#define LEAVE "\033[?25h\033[?1049l"
#define HOME "\033[H"
#define CLEAR_LINE_END "\033[K"
#define CLEAR_BELOW "\033[J"

#define MS_NS 1000000

static void say(struct live_screen *s, const char *sequence)
{
	if (!s->is_terminal)
		return;
	(void)fputs(sequence, s->out);
	(void)fflush(s->out);
}

int live_screen_open(struct live_screen *s, FILE *out, bool live)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH};
	sigset_t set;

	*s = LIVE_SCREEN_EMPTY;
	s->out = out;
	s->is_terminal = live && terminal_is(fileno(out));
	(void)sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		(void)sigaddset(&set, signals[i]);
	if (sigprocmask(SIG_BLOCK, &set, &s->old_mask) < 0)
		return -errno;
	s->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->signal_fd < 0) {
		int r = -errno;

		(void)sigprocmask(SIG_SETMASK, &s->old_mask, NULL);
		s->signal_fd = NO_FD;
		return r;
	}
	say(s, ENTER);
	return 0;
}

void live_screen_close(struct live_screen *s)
{
	if (s->signal_fd < 0)
		return;
	say(s, LEAVE);
	cleanup_close_fd(&s->signal_fd);
	(void)sigprocmask(SIG_SETMASK, &s->old_mask, NULL);
}

/* ---- drawing ---- */

/* Bytes of the first `columns` characters; 0 columns: all. */
static size_t clipped_length(const char *line, size_t len, size_t columns)
{
	size_t characters = 0;

	if (columns == 0)
		return len;
	for (size_t i = 0; i < len; i++)
		if (((unsigned char)line[i] & 0xc0) != 0x80 && characters++ == columns)
			return i;
	return len;
}

/* The last line has no line end: it would scroll the picture when the terminal is full. */
static void compose(const char *text, struct terminal_size size, struct strbuf *picture)
{
	size_t rows = 0;

	strbuf_adds(picture, HOME);
	while (*text && (size.rows == 0 || rows < size.rows)) {
		size_t len = strcspn(text, "\n");

		if (rows++ > 0)
			strbuf_adds(picture, "\r\n");
		strbuf_add(picture, text, clipped_length(text, len, size.columns));
		strbuf_adds(picture, CLEAR_LINE_END);
		text += len;
		text += *text == '\n';
	}
	strbuf_adds(picture, CLEAR_BELOW);
}

bool live_screen_paint(struct live_screen *s, const char *text)
{
	auto_(strbuf_release) struct strbuf picture = {0};

	if (s->is_terminal) {
		compose(text, terminal_size(), &picture);
		text = strbuf_text(&picture);
	}
	(void)fwrite(text, 1, strlen(text), s->out);
	return fflush(s->out) == 0;
}

/* ---- waiting ---- */

static void stop_ourselves(struct live_screen *s)
{
	say(s, LEAVE);
	(void)raise(SIGSTOP);
	say(s, ENTER);
}

static enum live_event handle_signal(struct live_screen *s)
{
	struct signalfd_siginfo info;

	if (read(s->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return LIVE_REDRAW;
	switch (info.ssi_signo) {
	case SIGTSTP:
		stop_ourselves(s);
		return LIVE_REDRAW;
	case SIGWINCH:
		return LIVE_REDRAW;
	default:
		s->signal = (int)info.ssi_signo;
		return LIVE_END;
	}
}

enum live_event live_screen_wait(struct live_screen *s, int64_t deadline_ns)
{
	struct pollfd fd = {.fd = s->signal_fd, .events = POLLIN};

	for (;;) {
		int64_t left_ns = deadline_ns - clock_monotonic_ns();

		if (left_ns <= 0)
			return LIVE_TIME;
		if (poll(&fd, 1, (int)(left_ns / MS_NS) + 1) > 0)
			return handle_signal(s);
	}
}
