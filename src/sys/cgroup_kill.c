/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup_kill.c - the processes of a group: who they are, stopping and killing them
 *
 * v2 does it all itself and tells when it is done (cgroup.kill, cgroup.freeze, cgroup.events), also
 * without controllers, so on a hybrid machine v2 is used too. v1 alone has only the list of
 * members; there the freezer keeps them from forking while they are signalled, and their ends are
 * waited for through pidfds.
 */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/parse.h"
#include "sys/cgroup_internal.h"

#define FINISH_TIMEOUT_MS 10000
#define PAUSE_MAX_MS 8
#define WALK_DEPTH_MAX 128
#define PIDS_TEXT_MAX ((size_t)64 << 20)

/* How many ends are waited for at once; the rest are found in the next round. */
#define WATCH_MAX 64

/* ---- waiting ---- */

struct cgroup_deadline cgroup_deadline_in(unsigned int timeout_ms)
{
	return (struct cgroup_deadline){
		.at_ns = clock_monotonic_ns() + (int64_t)timeout_ms * 1000000,
		.pause_ms = 1,
	};
}

int cgroup_deadline_left_ms(const struct cgroup_deadline *deadline)
{
	int64_t left_ns = deadline->at_ns - clock_monotonic_ns();

	if (left_ns <= 0)
		return 0;
	return (int)((left_ns + 999999) / 1000000);
}

static int open_pidfd(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

/* -1 unknown, else the value of a line "KEY 0" or "KEY 1" of cgroup.events. */
static int event_value(int fd, const char *key)
{
	char text[256];
	size_t len = strlen(key);
	ssize_t n = fd_pread_full(fd, text, sizeof(text) - 1, 0);
	const char *line = text;

	if (n < 0)
		return -1;
	text[n] = '\0';
	while (line) {
		if (strncmp(line, key, len) == 0 && line[len] == ' ')
			return line[len + 1] == '1';
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return -1;
}

/* The same of a group's directory. */
static int group_event_value(int dir_fd, const char *key)
{
	auto_close int fd = openat(dir_fd, "cgroup.events", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -1 : event_value(fd, key);
}

int cgroup_wait_event(int dir_fd, const char *key, bool value, struct cgroup_deadline *deadline)
{
	auto_close int fd = NO_FD;

	fd = openat(dir_fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || errno == ENODEV ? 0 : -errno;
	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLPRI};
		int now = event_value(fd, key);
		int left = cgroup_deadline_left_ms(deadline);

		if (now < 0 || now == (int)value)
			return 0;
		if (left == 0)
			return -ETIMEDOUT;
		if (poll(&p, 1, left) < 0 && errno != EINTR)
			return -errno;
	}
}

static void pause_briefly(struct cgroup_deadline *deadline)
{
	struct timespec ts = {.tv_nsec = (long)deadline->pause_ms * 1000000};

	(void)ppoll(NULL, 0, &ts, NULL);
	if (deadline->pause_ms < PAUSE_MAX_MS)
		deadline->pause_ms *= 2;
}

/* The first member of this directory itself; 0: none. */
static pid_t first_member(int dir_fd)
{
	auto_close int fd = NO_FD;
	char text[16];
	uint32_t pid;
	ssize_t n;

	fd = openat(dir_fd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return parse_u32(text, &pid) == 0 ? (pid_t)pid : 0;
}

bool cgroup_wait_change(int dir_fd, struct cgroup_deadline *deadline)
{
	auto_close int pidfd = NO_FD;
	int left = cgroup_deadline_left_ms(deadline);
	struct pollfd p = {.events = POLLIN};
	pid_t pid;

	if (left == 0)
		return false;
	if (group_event_value(dir_fd, "populated") == 1)
		return cgroup_wait_event(dir_fd, "populated", false, deadline) == 0;
	pid = first_member(dir_fd);
	pidfd = pid > 0 ? open_pidfd(pid) : NO_FD;
	if (pidfd >= 0) {
		p.fd = pidfd;
		(void)poll(&p, 1, left);
	} else {
		pause_briefly(deadline);
	}
	return true;
}

/* ---- listing ---- */

struct pid_list {
	pid_t *items;
	size_t count, capacity;
};

static void pid_list_release(struct pid_list *list)
{
	free(list->items);
	*list = (struct pid_list){0};
}
DEFINE_CLEANUP_VALUE(struct pid_list, pid_list_release);

static void pid_list_add(struct pid_list *list, pid_t pid)
{
	if (list->count == list->capacity) {
		list->capacity = list->capacity ? list->capacity * 2 : 16;
		list->items = xreallocarray(list->items, list->capacity, sizeof(*list->items));
	}
	list->items[list->count++] = pid;
}

static int list_members(int dir_fd, struct pid_list *list)
{
	auto_free char *text = NULL;
	auto_close int fd = NO_FD;
	char *rest, *line;
	int r;

	fd = openat(dir_fd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = fd_read_text(fd, PIDS_TEXT_MAX, &text, NULL);
	if (r < 0)
		return r;
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		uint32_t pid;

		/* 0 is a process that our pid namespace does not see. */
		if (parse_u32(line, &pid) == 0 && pid != 0)
			pid_list_add(list, (pid_t)pid);
	}
	return 0;
}

static int list_tree(int dir_fd, unsigned int depth, struct pid_list *list)
{
	auto_closedir DIR *dir = NULL;
	const struct dirent *entry;
	int fd, r;

	r = list_members(dir_fd, list);
	/* A threaded v2 group: its processes are listed at the root of the threaded tree. */
	if (r < 0 && r != -EOPNOTSUPP)
		return r;
	if (!cgroup_has_children(dir_fd))
		return 0;
	if (depth >= WALK_DEPTH_MAX)
		return -ELOOP;
	fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		cleanup_close_fd(&fd);
		return -ENOMEM;
	}
	while ((entry = readdir(dir))) {
		auto_close int child = NO_FD;

		if (entry->d_type != DT_DIR || strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		child = openat(dir_fd, entry->d_name, O_PATH | O_DIRECTORY | O_CLOEXEC);
		r = child < 0 ? -errno : list_tree(child, depth + 1, list);
		if (r < 0 && r != -ENOENT && r != -ENODEV)
			return r;
	}
	return 0;
}

int cgroup_procs_dir(const struct cgroup *group)
{
	int fd = cgroup_v2_dir(group);
	bool is_v2;

	if (fd < 0)
		fd = cgroup_controller_dir(group, "pids", &is_v2);
	if (fd < 0)
		fd = cgroup_controller_dir(group, "freezer", &is_v2);
	for (size_t i = 0; fd < 0 && i < group->host->count; i++)
		fd = group->dirs[i].fd;
	return fd;
}

static int list_all(const struct cgroup *group, struct pid_list *list)
{
	int fd = cgroup_procs_dir(group);
	int r = fd < 0 ? 0 : list_tree(fd, 0, list);

	return r == -ENOENT || r == -ENODEV ? 0 : r;
}

int cgroup_list_pids(const struct cgroup *group, pid_t **ret_pids, size_t *ret_count)
{
	auto_(pid_list_release) struct pid_list list = {0};
	int r;

	r = list_all(group, &list);
	if (r < 0)
		return r;
	*ret_pids = TAKE_PTR(list.items);
	*ret_count = list.count;
	return 0;
}

/* ---- freezing ---- */

static int freezer_is_frozen(int dir_fd)
{
	char state[32];
	ssize_t n = cgroup_read_file(dir_fd, "freezer.state", state, sizeof(state));

	if (n < 0)
		return (int)n;
	return strcmp(state, "FROZEN") == 0;
}

static int freeze_v1(int dir_fd, bool freeze)
{
	struct cgroup_deadline deadline = cgroup_deadline_in(FINISH_TIMEOUT_MS);
	int r;

	r = fd_write_file_at(dir_fd, "freezer.state", freeze ? "FROZEN" : "THAWED");
	if (r < 0 || !freeze)
		return r;
	/* Reading the state is also what lets the kernel notice that it is complete. */
	while ((r = freezer_is_frozen(dir_fd)) == 0) {
		if (cgroup_deadline_left_ms(&deadline) == 0) {
			(void)fd_write_file_at(dir_fd, "freezer.state", "THAWED");
			return -ETIMEDOUT;
		}
		pause_briefly(&deadline);
	}
	return r < 0 ? r : 0;
}

static int freeze_v2(int dir_fd, bool freeze)
{
	struct cgroup_deadline deadline = cgroup_deadline_in(FINISH_TIMEOUT_MS);
	int r;

	r = fd_write_file_at(dir_fd, "cgroup.freeze", freeze ? "1" : "0");
	if (r < 0)
		return r == -ENOENT ? -EOPNOTSUPP : r;
	r = cgroup_wait_event(dir_fd, "frozen", freeze, &deadline);
	if (r == -ETIMEDOUT && freeze)
		(void)fd_write_file_at(dir_fd, "cgroup.freeze", "0");
	return r;
}

int cgroup_freeze(const struct cgroup *group, bool freeze)
{
	bool is_v2;
	int fd = cgroup_v2_dir(group);

	if (fd >= 0)
		return freeze_v2(fd, freeze);
	fd = cgroup_controller_dir(group, "freezer", &is_v2);
	if (fd >= 0)
		return freeze_v1(fd, freeze);
	return -EOPNOTSUPP;
}

int cgroup_is_frozen(const struct cgroup *group)
{
	bool is_v2;
	int fd = cgroup_v2_dir(group);

	if (fd >= 0)
		return group_event_value(fd, "frozen") == 1;
	fd = cgroup_controller_dir(group, "freezer", &is_v2);
	return fd < 0 ? 0 : freezer_is_frozen(fd);
}

/* ---- killing ---- */

/* Signals each process; up to WATCH_MAX of them get a pidfd, whose number is returned. */
static size_t signal_all(const struct pid_list *list, struct pollfd *watch)
{
	size_t watched = 0;

	for (size_t i = 0; i < list->count; i++) {
		int pidfd = open_pidfd(list->items[i]);

		if (pidfd < 0)
			continue;
		(void)syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
		if (watched < WATCH_MAX)
			watch[watched++] = (struct pollfd){.fd = pidfd, .events = POLLIN};
		else
			(void)close(pidfd);
	}
	return watched;
}

static void wait_ends(struct pollfd *watch, size_t count, struct cgroup_deadline *deadline)
{
	size_t alive = count;

	while (alive > 0) {
		int left = cgroup_deadline_left_ms(deadline);

		if (left == 0 || (poll(watch, count, left) < 0 && errno != EINTR))
			break;
		for (size_t i = 0; i < count; i++) {
			if (watch[i].fd < 0 || watch[i].revents == 0)
				continue;
			(void)close(watch[i].fd);
			watch[i].fd = NO_FD;
			alive--;
		}
	}
	for (size_t i = 0; i < count; i++)
		cleanup_close_fd(&watch[i].fd);
}

/* A frozen group can neither fork nor exit, so the list is complete and no pid is given anew. */
static int kill_v1(const struct cgroup *group)
{
	struct cgroup_deadline deadline = cgroup_deadline_in(FINISH_TIMEOUT_MS);
	struct pollfd watch[WATCH_MAX];
	bool is_v2;
	int freezer = cgroup_controller_dir(group, "freezer", &is_v2);

	for (;;) {
		auto_(pid_list_release) struct pid_list list = {0};
		size_t watched;
		int r;

		if (freezer >= 0)
			(void)fd_write_file_at(freezer, "freezer.state", "FROZEN");
		r = list_all(group, &list);
		watched = signal_all(&list, watch);
		if (freezer >= 0)
			(void)fd_write_file_at(freezer, "freezer.state", "THAWED");
		wait_ends(watch, watched, &deadline);
		if (r < 0 || list.count == 0)
			return r;
		if (cgroup_deadline_left_ms(&deadline) == 0)
			return -ETIMEDOUT;
		if (watched == 0)
			pause_briefly(&deadline);
	}
}

int cgroup_kill_all(const struct cgroup *group)
{
	struct cgroup_deadline deadline = cgroup_deadline_in(FINISH_TIMEOUT_MS);
	int fd = cgroup_v2_dir(group), r;

	if (fd < 0)
		return kill_v1(group);
	/* As a rule PID 1 has died, and the kernel has killed the others with it. */
	if (group_event_value(fd, "populated") == 0)
		return 0;
	r = fd_write_file_at(fd, "cgroup.kill", "1");
	/* FIXME(kernel 5.14): drop the fallback when 5.14 is our minimum. */
	if (r == -ENOENT && faccessat(fd, "cgroup.procs", F_OK, 0) == 0)
		return kill_v1(group);
	if (r == -ENOENT || r == -ENODEV)
		return 0;
	if (r < 0)
		return r;
	return cgroup_wait_event(fd, "populated", false, &deadline);
}

/* ---- memory ---- */

uint64_t cgroup_oom_kills(const struct cgroup *group)
{
	char text[512];
	const char *found;
	uint64_t count = 0;
	bool is_v2 = false;
	int fd = cgroup_controller_dir(group, "memory", &is_v2);

	if (fd < 0 || cgroup_read_file(fd, is_v2 ? "memory.events" : "memory.oom_control", text,
				       sizeof(text)) < 0)
		return 0;
	found = strstr(text, "oom_kill ");
	if (found) {
		char number[24];

		found += strlen("oom_kill ");
		(void)snprintf(number, sizeof(number), "%.*s", (int)strcspn(found, "\n"), found);
		(void)parse_u64(number, &count);
	}
	return count;
}
