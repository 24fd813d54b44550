/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/json_log.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "runtime/state.h"

/* As much is collected before it is written, however much more there is to read. */
#define FLUSH_BYTES 65536

static const char *file_name(const struct json_log *log)
{
	return log->options.is_local ? LOG_LOCAL_NAME : LOG_FILE_NAME;
}

static int open_file(struct json_log *log)
{
	auto_close int fd = NO_FD;
	struct stat st;
	char last;

	fd = openat(log->dir_fd, file_name(log),
		    O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0640);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	/* A monitor that was killed may have left half a record: it must not spoil the next one. */
	if (st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) == 1 && last != '\n')
		st.st_size += fd_write_all(fd, "\n", 1) == 0;

	log->size = log->size_on_disk = (uint64_t)st.st_size;
	cleanup_close_fd(&log->file_fd);
	log->file_fd = TAKE_FD(fd);
	return 0;
}

void json_log_init(struct json_log *log, int dir_fd, const struct json_log_options *options)
{
	*log = JSON_LOG_EMPTY;
	log->dir_fd = dir_fd;
	log->options = *options;
	log->options.attributes = xstrdup_or_null(options->attributes);
	log->attributes_len = options->attributes ? strlen(options->attributes) + 16 : 0;
	if (log->options.max_files == 0)
		log->options.max_files = 1;
	if (log->options.max_files > JSON_LOG_FILES_MAX)
		log->options.max_files = JSON_LOG_FILES_MAX;
}

/* A container that never writes costs no file. */
static bool is_writable(struct json_log *log)
{
	int r;

	if (log->file_fd >= 0 || log->options.send)
		return true;
	if (log->dir_fd < 0)
		return false;
	r = open_file(log);
	if (r < 0)
		log_debug("monitor", "ignoring: open log: %s", errno_text(-r));
	return r == 0;
}

/* Everything but the directory, as descriptor 0, is closed: the lock, the container's terminal. */
static _Noreturn void run_compressor(const struct json_log *log)
{
	sigset_t none;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	(void)prctl(PR_SET_NAME, "skiff-gzip", 0, 0, 0);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(log->dir_fd, 0) < 0 || syscall(SYS_close_range, 1U, ~0U, 0U) < 0)
		_exit(1);
	_exit(log_compress_all(0, file_name(log), log->options.max_files) < 0 ? 1 : 0);
}

void json_log_compress(struct json_log *log)
{
	pid_t pid;

	log->compress_at_ns = 0;
	if (log->compressor > 0)
		return;
	pid = fork();
	if (pid == 0)
		run_compressor(log);
	if (pid > 0)
		log->compressor = pid;
}

bool json_log_reaped(struct json_log *log, pid_t pid)
{
	if (pid != log->compressor)
		return false;
	log->compressor = 0;
	return true;
}

int64_t json_log_compress_at(const struct json_log *log)
{
	return log->compressor > 0 ? 0 : log->compress_at_ns;
}

static void end_compressor(struct json_log *log)
{
	if (log->compressor <= 0)
		return;
	(void)kill(log->compressor, SIGKILL);
	while (waitpid(log->compressor, NULL, 0) < 0 && errno == EINTR)
		continue;
	log->compressor = 0;
}

static void write_out(struct json_log *log, size_t len)
{
	int r;

	if (len == 0)
		return;
	r = fd_write_all(log->file_fd, log->out.data, len);
	if (r == 0) {
		log->size_on_disk += len;
		return;
	}
	log_debug("monitor", "ignoring: write log: %s", errno_text(-r));
	/* Half a record at the end would spoil the one that is written when there is room again. */
	(void)!ftruncate(log->file_fd, (off_t)log->size_on_disk);
	log->size = log->size_on_disk;
}

void json_log_flush(struct json_log *log)
{
	if (log->file_fd >= 0)
		write_out(log, log->out.len);
	strbuf_clear(&log->out);
}

/* The file may be shorter than we think: people truncate logs by hand. */
static bool must_rotate(struct json_log *log, size_t record_len)
{
	struct stat st;

	if (log->options.max_bytes == 0 || log->size == 0 ||
	    log->size + record_len <= log->options.max_bytes)
		return false;
	if (fstat(log->file_fd, &st) == 0 && (uint64_t)st.st_size < log->size_on_disk) {
		log->size -= log->size_on_disk - (uint64_t)st.st_size;
		log->size_on_disk = (uint64_t)st.st_size;
	}
	return log->size > 0 && log->size + record_len > log->options.max_bytes;
}

static void rotate(struct json_log *log)
{
	int r;

	end_compressor(log);
	r = log_rotate(log->dir_fd, file_name(log), log->options.max_files);
	if (r == 0)
		r = open_file(log);
	if (r < 0) {
		/* Goes on in the file that is open, and tries again after as much again. */
		log_debug("monitor", "ignoring: rotate log: %s", errno_text(-r));
		log->size = log->size_on_disk = 0;
		return;
	}
	if (log->options.compress && log->options.max_files > 1)
		log->compress_at_ns = clock_monotonic_ns() + JSON_LOG_COMPRESS_DELAY_NS;
}

static void add_record(struct json_log *log, enum json_log_stream stream, const char *line,
		       size_t len, bool newline)
{
	char *record;
	size_t record_len;

	if (log->options.send) {
		log->options.send(log->options.context, stream, line, len, newline, log->time_ns);
		return;
	}
	strbuf_reserve(&log->out, JSON_LOG_RECORD_MAX(len) + log->attributes_len);
	record = log->out.data + log->out.len;
	record_len = log->options.is_local
			     ? local_log_encode(record, line, len, newline, stream, log->time_ns)
			     : json_log_encode(record, line, len, newline, stream, log->time_text,
					       log->options.attributes);

	if (must_rotate(log, record_len)) {
		write_out(log, log->out.len);
		memmove(log->out.data, record, record_len);
		log->out.len = 0;
		rotate(log);
	}
	log->out.len += record_len;
	log->size += record_len;
	if (log->out.len >= FLUSH_BYTES)
		json_log_flush(log);
}

/* How much of `line` ends with a whole character; only the last one can be cut. */
static size_t whole_characters(const char *line, size_t len)
{
	for (size_t back = 1; back <= 3 && back <= len; back++) {
		unsigned char c = (unsigned char)line[len - back];
		size_t need = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;

		if (c < 0x80)
			return len;
		if (c >= 0xc0)
			return need > back ? len - back : len;
	}
	return len;
}

/* `len` bytes of a line without its end; a piece that is full becomes a record. */
static void add_piece(struct json_log *log, enum json_log_stream stream, const char *data,
		      size_t len)
{
	struct strbuf *line = &log->line[stream];

	while (line->len + len > JSON_LOG_LINE_MAX) {
		size_t room = JSON_LOG_LINE_MAX - line->len;
		size_t whole;

		strbuf_add(line, data, room);
		data += room;
		len -= room;
		whole = whole_characters(line->data, line->len);
		add_record(log, stream, line->data, whole, /* newline= */ false);
		memmove(line->data, line->data + whole, line->len - whole);
		line->len -= whole;
	}
	strbuf_add(line, data, len);
}

static void set_time(struct json_log *log, int64_t now_ns)
{
	if (log->time_ns == now_ns)
		return;
	log->time_ns = now_ns;
	clock_format(now_ns, log->time_text);
}

void json_log_add(struct json_log *log, enum json_log_stream stream, const char *data, size_t len,
		  int64_t now_ns)
{
	struct strbuf *line = &log->line[stream];

	if (!is_writable(log))
		return;
	set_time(log, now_ns);
	while (len > 0) {
		const char *end = memchr(data, '\n', len);
		size_t n = end ? (size_t)(end - data) : len;

		if (end && line->len == 0 && n <= JSON_LOG_LINE_MAX) {
			add_record(log, stream, data, n, /* newline= */ true);
		} else {
			add_piece(log, stream, data, n);
			if (end) {
				add_record(log, stream, line->data, line->len, /* newline= */ true);
				strbuf_clear(line);
			}
		}
		n += end ? 1 : 0;
		data += n;
		len -= n;
	}
}

void json_log_finish(struct json_log *log, int64_t now_ns)
{
	for (enum json_log_stream s = 0; s < JSON_LOG_STREAM_COUNT; s++) {
		if (log->line[s].len > 0 && (log->file_fd >= 0 || log->options.send)) {
			set_time(log, now_ns);
			add_record(log, s, log->line[s].data, log->line[s].len,
				   /* newline= */ false);
		}
		strbuf_release(&log->line[s]);
	}
}

void json_log_trim(struct json_log *log)
{
	json_log_flush(log);
	strbuf_release(&log->out);
	for (enum json_log_stream s = 0; s < JSON_LOG_STREAM_COUNT; s++)
		if (log->line[s].len == 0)
			strbuf_release(&log->line[s]);
}

void json_log_close(struct json_log *log)
{
	end_compressor(log);
	json_log_flush(log);
	cleanup_close_fd(&log->file_fd);
	free((char *)TAKE_PTR(log->options.attributes));
	strbuf_release(&log->out);
	for (enum json_log_stream s = 0; s < JSON_LOG_STREAM_COUNT; s++)
		strbuf_release(&log->line[s]);
}
