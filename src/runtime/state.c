/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/state.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/atomic_file.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/parse.h"
#include "sys/process.h"

#define RECORD_MAX_BYTES 65536

/*
 * Fields 3 (state) and 22 (start time) of /proc/PID/stat. The command name in field 2 may hold
 * anything, spaces and brackets too, so the scan begins behind the last ')'.
 */
static int read_stat(pid_t pid, char *ret_state, uint64_t *ret_start_time)
{
	char path[32], text[1024], *p;
	auto_close int fd = NO_FD;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	n = read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	p = strrchr(text, ')');
	if (!p || p[1] != ' ')
		return -EBADMSG;
	p += 2;
	*ret_state = *p;
	for (int field = 3; field < 22; field++) {
		p = strchr(p, ' ');
		if (!p)
			return -EBADMSG;
		p++;
	}
	p[strcspn(p, " ")] = '\0';
	return parse_u64(p, ret_start_time);
}

int process_id_of(pid_t pid, struct process_id *ret_id)
{
	uint64_t start_time;
	char state;
	int r;

	r = read_stat(pid, &state, &start_time);
	if (r < 0)
		return r;
	*ret_id = (struct process_id){.pid = pid, .start_time = start_time};
	return 0;
}

bool process_id_is_alive(const struct process_id *id)
{
	uint64_t start_time = 0;
	char state = 0;

	if (id->pid <= 0 || read_stat(id->pid, &state, &start_time) < 0)
		return false;
	return start_time == id->start_time && state != 'Z' && state != 'X';
}

int process_id_open(const struct process_id *id)
{
	auto_close int fd = NO_FD;

	if (id->pid <= 0)
		return -ESRCH;
	fd = process_open(id->pid);
	if (fd < 0)
		return fd;
	/* Opened first, compared after: the pid cannot have been given away in between. */
	if (!process_id_is_alive(id))
		return -ESRCH;
	return TAKE_FD(fd);
}

static json_t *format_process_id(const struct process_id *id)
{
	return json_pack("{s:I, s:I}", "pid", (json_int_t)id->pid, "startTime",
			 (json_int_t)id->start_time);
}

static struct process_id parse_process_id(const json_t *object)
{
	return (struct process_id){
		.pid = (pid_t)json_get_int(object, "pid", 0),
		.start_time = (uint64_t)json_get_int(object, "startTime", 0),
	};
}

static int save_record(int dir_fd, const char *name, const json_t *object, mode_t mode)
{
	auto_free char *text = json_text(object);

	return atomic_file_write(dir_fd, name, text, strlen(text), mode, /* sync= */ false);
}

static int load_record(int dir_fd, const char *name, json_t **ret_object)
{
	auto_(error_release) struct error ignored = {0};
	auto_free char *text = NULL;
	size_t len;
	int r;

	r = fd_read_file_at(dir_fd, name, RECORD_MAX_BYTES, &text, &len);
	if (r < 0)
		return r;
	return json_parse(text, len, name, ret_object, &ignored) < 0 ? -EBADMSG : 0;
}

int container_state_save(int state_dir_fd, const struct container_state *state)
{
	auto_(json_decref) json_t *object = json_object();
	mode_t mode = STATE_MODE_USUAL;

	(void)json_object_set_new(object, "init", format_process_id(&state->init));
	(void)json_object_set_new(object, "monitor", format_process_id(&state->monitor));
	(void)json_object_set_new(object, "started", json_integer(state->started_ns));
	json_set_string(object, "cgroup", state->cgroup_path ? state->cgroup_path : "");
	if (state->restart_count)
		(void)json_object_set_new(object, "restartCount",
					  json_integer(state->restart_count));
	if (state->restarting)
		(void)json_object_set_new(object, "restarting", json_true());
	if (state->restarting)
		mode |= STATE_MODE_RESTARTING;
	if (state->has_health)
		mode |= STATE_MODE_HEALTH;
	return save_record(state_dir_fd, STATE_FILE_NAME, object, mode);
}

int container_state_load(int state_dir_fd, struct container_state *ret_state)
{
	auto_(json_decref) json_t *object = NULL;
	struct container_state state = {0};
	int r;

	r = load_record(state_dir_fd, STATE_FILE_NAME, &object);
	if (r < 0)
		return r;
	state.init = parse_process_id(json_object_get(object, "init"));
	state.monitor = parse_process_id(json_object_get(object, "monitor"));
	state.started_ns = json_get_int(object, "started", 0);
	state.restart_count = (uint32_t)json_get_int(object, "restartCount", 0);
	state.restarting = json_get_bool(object, "restarting", false);
	if (state.init.pid <= 0 && !state.restarting)
		return -EBADMSG;
	state.cgroup_path = xstrdup(json_get_string(object, "cgroup", ""));
	*ret_state = state;
	return 0;
}

void container_state_release(struct container_state *state)
{
	free(state->cgroup_path);
	*state = (struct container_state){0};
}

int container_exit_save(int container_dir_fd, const struct container_exit *record)
{
	auto_(json_decref) json_t *object = json_object();

	(void)json_object_set_new(object, "exitCode", json_integer(record->exit_code));
	(void)json_object_set_new(object, "oomKilled", json_boolean(record->oom_killed));
	(void)json_object_set_new(object, "started", json_integer(record->started_ns));
	(void)json_object_set_new(object, "finished", json_integer(record->finished_ns));
	if (record->error)
		json_set_string(object, "error", record->error);
	if (record->restart_count)
		(void)json_object_set_new(object, "restartCount",
					  json_integer(record->restart_count));
	if (record->stopped_by_hand)
		(void)json_object_set_new(object, "stoppedByHand", json_true());
	return save_record(container_dir_fd, EXIT_FILE_NAME, object, STATE_MODE_USUAL);
}

int container_exit_load(int container_dir_fd, struct container_exit *ret_record)
{
	auto_(json_decref) json_t *object = NULL;
	int r;

	r = load_record(container_dir_fd, EXIT_FILE_NAME, &object);
	if (r < 0)
		return r;
	*ret_record = (struct container_exit){
		.exit_code = (int)json_get_int(object, "exitCode", 0),
		.oom_killed = json_get_bool(object, "oomKilled", false),
		.started_ns = json_get_int(object, "started", 0),
		.finished_ns = json_get_int(object, "finished", 0),
		.error = xstrdup_or_null(json_get_string(object, "error", NULL)),
		.restart_count = (uint32_t)json_get_int(object, "restartCount", 0),
		.stopped_by_hand = json_get_bool(object, "stoppedByHand", false),
	};
	return 0;
}

void container_exit_release(struct container_exit *record)
{
	free(record->error);
	*record = (struct container_exit){0};
}

/* ---- ended by hand ---- */

#define STOP_CANCELS 'c'
#define STOP_BY_HAND 'h'
#define STOP_KEEPS 'k'

int stop_mark_save(int state_dir_fd, const struct stop_mark *mark)
{
	char text[3] = {mark->cancels ? STOP_CANCELS : '-', mark->by_hand ? STOP_BY_HAND : '-',
			mark->keeps ? STOP_KEEPS : '-'};

	return atomic_file_write(state_dir_fd, STATE_STOP_NAME, text, sizeof(text), 0600,
				 /* sync= */ false);
}

struct stop_mark stop_mark_load(int state_dir_fd)
{
	auto_close int fd =
		openat(state_dir_fd, STATE_STOP_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stop_mark mark = {0};
	char text[3];

	if (fd < 0 || read(fd, text, sizeof(text)) != sizeof(text))
		return mark;
	mark.is_set = true;
	mark.cancels = text[0] == STOP_CANCELS;
	mark.by_hand = text[1] == STOP_BY_HAND;
	mark.keeps = text[2] == STOP_KEEPS;
	return mark;
}
