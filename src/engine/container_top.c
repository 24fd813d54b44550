/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory: whose process is it?
 *
 * A container's processes are those of its cgroup, and those of its pid namespace or of one nested
 * in it: a process may be in either without being in the other (--pid host; a program that moved
 * itself to another cgroup). The NSpid line of /proc/PID/status has one number per pid namespace,
 * from ours inwards; the container's level is the last one of its PID 1, and a process has its number
 * inside at the same place. Processes come and go while we read: what vanishes is left out.
 */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/nsfs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/id_map.h"
#include "base/parse.h"
#include "base/path.h"
#include "base/strbuf.h"
#include "engine/container_internal.h"
#include "engine/emit.h"
#include "runtime/user_lookup.h"
#include "sys/cgroup.h"

#define LEVELS_MAX 33 /* MAX_PID_NS_LEVEL of the kernel, and the first */
#define STATUS_MAX_BYTES 16384
#define COMMAND_MAX_BYTES 4096
#define PASSWD_MAX_BYTES ((size_t)1 << 20)
#define PTS_MAJOR_FIRST 136
#define PTS_MAJOR_LAST 143
#define NS_PER_S 1000000000LL

/* One process as /proc shows it. */
struct process {
	pid_t pid, ppid;
	pid_t ns_pids[LEVELS_MAX]; /* from our namespace inwards */
	size_t levels;
	uint32_t uid;
	uint64_t cpu_ticks, start_ticks;
	unsigned int tty;
	char *command;
};

struct process_list {
	struct process *items;
	size_t count, capacity;
};

static void process_list_release(struct process_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i].command);
	free(list->items);
	*list = (struct process_list){0};
}

DEFINE_CLEANUP_VALUE(struct process_list, process_list_release);

/* ---- reading /proc/PID ---- */

/* The text after "KEY:" in a status file, or NULL. */
static const char *status_line(const char *status, const char *key)
{
	size_t len = strlen(key);

	for (const char *p = status; p; p = strchr(p, '\n')) {
		p += *p == '\n';
		if (strncmp(p, key, len) == 0 && p[len] == ':')
			return p + len + 1;
	}
	return NULL;
}

/* Numbers separated by white space up to the end of the line. */
static size_t scan_numbers(const char *p, uint32_t *numbers, size_t max)
{
	size_t n = 0;

	while (p && n < max) {
		uint64_t value = 0;

		p += strspn(p, " \t");
		if (*p < '0' || *p > '9')
			break;
		for (; *p >= '0' && *p <= '9' && value <= UINT32_MAX; p++)
			value = value * 10 + (uint64_t)(*p - '0');
		numbers[n++] = (uint32_t)value;
	}
	return n;
}

static int read_status(int proc_fd, struct process *p)
{
	auto_free char *text = NULL;
	uint32_t numbers[LEVELS_MAX];
	int r;

	r = fd_read_file_at(proc_fd, "status", STATUS_MAX_BYTES, &text, NULL);
	if (r < 0)
		return r;
	if (scan_numbers(status_line(text, "PPid"), numbers, 1) != 1)
		return -EBADMSG;
	p->ppid = (pid_t)numbers[0];
	/* Real, effective, saved, filesystem: ps shows the effective one. */
	if (scan_numbers(status_line(text, "Uid"), numbers, 4) != 4)
		return -EBADMSG;
	p->uid = numbers[1];
	p->levels = scan_numbers(status_line(text, "NSpid"), numbers, LEVELS_MAX);
	if (p->levels == 0)
		return -EBADMSG;
	for (size_t i = 0; i < p->levels; i++)
		p->ns_pids[i] = (pid_t)numbers[i];
	return 0;
}

/* Fields 7 (tty), 14 and 15 (user and system time), 22 (start); the name before them is anything. */
static int read_stat(int proc_fd, struct process *p)
{
	auto_free char *text = NULL;
	auto_(strv_release) struct strv fields = {0};
	uint64_t user, kernel, tty;
	const char *end;
	int r;

	r = fd_read_file_at(proc_fd, "stat", STATUS_MAX_BYTES, &text, NULL);
	if (r < 0)
		return r;
	end = strrchr(text, ')');
	if (!end || end[1] != ' ')
		return -EBADMSG;
	strv_split(&fields, end + 2, ' '); /* the first is field 3 */
	if (fields.count < 20 || parse_u64(fields.items[4], &tty) < 0 ||
	    parse_u64(fields.items[11], &user) < 0 || parse_u64(fields.items[12], &kernel) < 0 ||
	    parse_u64(fields.items[19], &p->start_ticks) < 0)
		return -EBADMSG;
	p->tty = (unsigned int)tty;
	p->cpu_ticks = user + kernel;
	return 0;
}

/* Arguments with spaces between; what could move a cursor is shown as '?'. */
static char *printable(const char *data, size_t len)
{
	struct strbuf text = {0};

	while (len > 0 && data[len - 1] == '\0')
		len--;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)data[i];

		strbuf_addc(&text, (char)(c == '\0' ? ' ' : c < 0x20 || c == 0x7f ? '?' : c));
	}
	return strbuf_take(&text);
}

/* A kernel thread or a zombie has no command line: its name in brackets, as ps has it. */
static char *read_command(int proc_fd)
{
	auto_close int fd = openat(proc_fd, "cmdline", O_RDONLY | O_CLOEXEC);
	char data[COMMAND_MAX_BYTES];
	auto_free char *name = NULL;
	auto_free char *shown = NULL;
	ssize_t n;

	n = fd < 0 ? -1 : fd_read_full(fd, data, sizeof(data));
	if (n > 0)
		return printable(data, (size_t)n);
	if (fd_read_file_at(proc_fd, "comm", 256, &name, NULL) < 0)
		return xstrdup("[?]");
	name[strcspn(name, "\n")] = '\0';
	shown = printable(name, strlen(name));
	return xasprintf("[%s]", shown);
}

static int open_process(int proc_root_fd, pid_t pid)
{
	char name[16];
	int fd;

	(void)snprintf(name, sizeof(name), "%d", pid);
	fd = openat(proc_root_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* ---- the set ---- */

/* The container's pid namespace: what a process of it has at `level`. */
struct pid_space {
	int proc_fd; /* /proc */
	size_t level;
	dev_t dev;
	ino_t ino;
	struct id_map uids; /* of its user namespace, as we see it */
	bool own;           /* false with --pid host: then it says nothing */
};

static bool is_same_namespace(const struct pid_space *space, int ns_fd)
{
	struct stat st;

	return fstat(ns_fd, &st) == 0 && st.st_dev == space->dev && st.st_ino == space->ino;
}

/* Whether the process is in the container's namespace or in one below it. */
static bool is_in_space(const struct pid_space *space, int process_fd, const struct process *p)
{
	auto_close int ns_fd = NO_FD;

	if (!space->own || p->levels <= space->level)
		return false;
	ns_fd = openat(process_fd, "ns/pid", O_RDONLY | O_CLOEXEC);
	for (size_t up = p->levels - 1 - space->level; ns_fd >= 0 && up > 0; up--) {
		int parent_fd = ioctl(ns_fd, NS_GET_PARENT);

		(void)close(ns_fd);
		ns_fd = parent_fd;
	}
	return ns_fd >= 0 && is_same_namespace(space, ns_fd);
}

static void add_process(struct process_list *list, struct process *p)
{
	if (list->count == list->capacity) {
		list->capacity = list->capacity ? list->capacity * 2 : 32;
		list->items = xreallocarray(list->items, list->capacity, sizeof(*list->items));
	}
	list->items[list->count++] = *p;
}

/* `known` tells that the cgroup names it; otherwise its namespace decides. */
static void consider(const struct pid_space *space, pid_t pid, bool known,
		     struct process_list *list)
{
	auto_close int fd = open_process(space->proc_fd, pid);
	struct process p = {.pid = pid};

	if (fd < 0 || read_status(fd, &p) < 0)
		return;
	if (!known && !is_in_space(space, fd, &p))
		return;
	if (read_stat(fd, &p) < 0)
		return;
	p.command = read_command(fd);
	add_process(list, &p);
}

static int compare_pids(const void *a, const void *b)
{
	const pid_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int compare_processes(const void *a, const void *b)
{
	const struct process *x = a, *y = b;

	return compare_pids(&x->pid, &y->pid);
}

static int list_cgroup(const struct container_view *view, pid_t **ret_pids, size_t *ret_count,
		       struct error *err)
{
	auto_(cgroup_host_free) struct cgroup_host *host = NULL;
	auto_(cgroup_free) struct cgroup *group = NULL;
	int r = 0;

	*ret_pids = NULL;
	*ret_count = 0;
	if (!view->state.cgroup_path || !*view->state.cgroup_path)
		return 0;
	r = cgroup_host_open(&host);
	if (r == 0)
		r = cgroup_open(host, view->state.cgroup_path, &group);
	if (r == 0)
		r = cgroup_list_pids(group, ret_pids, ret_count);
	if (r < 0 && r != -ENOENT && r != -ENODEV)
		return err_set(err, ERR_SYSTEM, -r, "list the processes of the cgroup");
	return 0;
}

static int collect(const struct pid_space *space, const struct container_view *view,
		   struct process_list *list, struct error *err)
{
	auto_free pid_t *pids = NULL;
	auto_closedir DIR *dir = NULL;
	struct dirent *entry;
	size_t count;
	int fd, r;

	r = list_cgroup(view, &pids, &count, err);
	if (r < 0)
		return r;
	if (count)
		qsort(pids, count, sizeof(*pids), compare_pids);
	for (size_t i = 0; i < count; i++)
		consider(space, pids[i], /* known= */ true, list);
	fd = fd_dup(space->proc_fd);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return err_set(err, ERR_SYSTEM, errno, "read /proc");
	while (space->own && (entry = readdir(dir))) {
		uint32_t number;
		pid_t pid;

		if (parse_u32(entry->d_name, &number) < 0 || number > INT32_MAX)
			continue;
		pid = (pid_t)number;
		if (!count || !bsearch(&pid, pids, count, sizeof(*pids), compare_pids))
			consider(space, pid, /* known= */ false, list);
	}
	if (list->count)
		qsort(list->items, list->count, sizeof(*list->items), compare_processes);
	return 0;
}

/* Of the host's namespace too: then everybody is who he is. */
static int read_uids(int init_fd, struct id_map *ret_uids)
{
	auto_free char *text = NULL;
	int r = fd_read_file_at(init_fd, "uid_map", STATUS_MAX_BYTES, &text, NULL);

	return r < 0 ? r : id_map_parse_proc(text, ret_uids);
}

static int find_space(const struct container_view *view, struct pid_space *space, struct error *err)
{
	auto_close int init_fd = NO_FD;
	struct process init = {.pid = view->state.init.pid};
	struct stat st, own;

	space->proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (space->proc_fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "open /proc");
	init_fd = open_process(space->proc_fd, init.pid);
	if (init_fd < 0 || read_status(init_fd, &init) < 0 ||
	    fstatat(init_fd, "ns/pid", &st, 0) < 0 ||
	    fstatat(space->proc_fd, "self/ns/pid", &own, 0) < 0 ||
	    read_uids(init_fd, &space->uids) < 0 || !process_id_is_alive(&view->state.init))
		return err_set(err, ERR_CONFLICT, ESRCH, "container is not running");
	space->level = init.levels - 1;
	space->dev = st.st_dev;
	space->ino = st.st_ino;
	space->own = st.st_ino != own.st_ino || st.st_dev != own.st_dev;
	return 0;
}

/* ---- rows ---- */

/* The container's own list of names; NULL when it has none that can be read. */
static char *read_passwd(const struct pid_space *space, pid_t init)
{
	auto_close int process_fd = open_process(space->proc_fd, init);
	auto_close int root_fd = NO_FD;
	auto_close int fd = NO_FD;
	struct stat st;
	char *text;

	if (process_fd < 0)
		return NULL;
	root_fd = openat(process_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return NULL;
	fd = path_open_in_root(root_fd, "/etc/passwd", O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    fd_read_text(fd, PASSWD_MAX_BYTES, &text, NULL) < 0)
		return NULL;
	return text;
}

static char *user_text(const char *passwd, uint32_t uid)
{
	auto_free char *name = passwd ? user_name_in_passwd(passwd, uid) : NULL;

	return name ? printable(name, strlen(name)) : xasprintf("%" PRIu32, uid);
}

/* Today by the hour, before that by the day, as ps does. */
static char *started_text(uint64_t start_ticks, long ticks_per_s)
{
	struct timespec boot;
	int64_t now_ns = clock_now_ns(), started_ns;
	time_t now, started;
	struct tm now_tm, tm;
	char text[32] = "?";

	(void)clock_gettime(CLOCK_BOOTTIME, &boot);
	started_ns = now_ns - (boot.tv_sec * NS_PER_S + boot.tv_nsec) +
		     (int64_t)(start_ticks / (uint64_t)ticks_per_s) * NS_PER_S;
	now = (time_t)(now_ns / NS_PER_S);
	started = (time_t)(started_ns / NS_PER_S);
	if (localtime_r(&now, &now_tm) && localtime_r(&started, &tm))
		(void)strftime(text, sizeof(text),
			       now_tm.tm_yday == tm.tm_yday && now_tm.tm_year == tm.tm_year
				       ? "%H:%M"
				       : "%b%d",
			       &tm);
	return xstrdup(text);
}

static char *time_text(uint64_t ticks, long ticks_per_s)
{
	uint64_t s = ticks / (uint64_t)ticks_per_s;

	return xasprintf("%02" PRIu64 ":%02" PRIu64 ":%02" PRIu64, s / 3600, s / 60 % 60, s % 60);
}

static char *tty_text(unsigned int tty)
{
	unsigned int number = major(tty);

	if (tty == 0)
		return xstrdup("?");
	if (number >= PTS_MAJOR_FIRST && number <= PTS_MAJOR_LAST)
		return xasprintf("pts/%u", (number - PTS_MAJOR_FIRST) * 256 + minor(tty));
	return xasprintf("%u:%u", number, minor(tty));
}

/* As the container counts; somebody of the host's, who entered it otherwise, as the host does. */
static uint32_t uid_inside(const struct id_map *uids, uint32_t uid)
{
	uint32_t inside;

	return id_map_inside(uids, uid, &inside) ? inside : uid;
}

static pid_t pid_at_level(const struct process *p, size_t level)
{
	return p->levels > level ? p->ns_pids[level] : 0;
}

/* The parent's number inside, 0 when the parent is outside. */
static pid_t parent_inside(const struct process_list *list, const struct process *p, size_t level)
{
	const struct process wanted = {.pid = p->ppid};
	const struct process *parent;

	if (list->count == 0)
		return 0;
	parent = bsearch(&wanted, list->items, list->count, sizeof(wanted), compare_processes);
	return parent ? pid_at_level(parent, level) : 0;
}

static void make_rows(const struct process_list *list, const struct pid_space *space,
		      const char *passwd, struct top_list *ret_list)
{
	long ticks_per_s = sysconf(_SC_CLK_TCK);

	ret_list->items = xcalloc(list->count, sizeof(*ret_list->items));
	for (size_t i = 0; i < list->count; i++) {
		struct process *p = &list->items[i];

		ret_list->items[ret_list->count++] = (struct top_row){
			.pid_inside = pid_at_level(p, space->level),
			.pid = p->pid,
			.ppid_inside = parent_inside(list, p, space->level),
			.user = user_text(passwd, uid_inside(&space->uids, p->uid)),
			.started = started_text(p->start_ticks, ticks_per_s),
			.tty = tty_text(p->tty),
			.time = time_text(p->cpu_ticks, ticks_per_s),
			.command = TAKE_PTR(p->command),
		};
	}
}

int container_top(struct engine *engine, const char *selector, struct top_list *ret_list,
		  struct error *err)
{
	auto_(container_release) struct container c = CONTAINER_EMPTY;
	auto_(container_view_release) struct container_view view = {0};
	auto_(process_list_release) struct process_list list = {0};
	auto_free char *passwd = NULL;
	struct pid_space space = {.proc_fd = NO_FD};
	int r;

	r = container_open(engine, selector, &c, err);
	if (r < 0)
		return r;
	r = container_look(&c, &view, err);
	if (r < 0)
		return r;
	r = container_require_alive(&c, &view, err);
	if (r < 0)
		return r;
	r = find_space(&view, &space, err);
	if (r >= 0)
		r = collect(&space, &view, &list, err);
	if (r >= 0) {
		passwd = read_passwd(&space, view.state.init.pid);
		/* It died while we read: what was seen may be another's by now. */
		if (!process_id_is_alive(&view.state.init))
			r = err_set(err, ERR_CONFLICT, ESRCH, "container %s is not running",
				    c.record.id);
	}
	cleanup_close_fd(&space.proc_fd);
	if (r >= 0)
		make_rows(&list, &space, passwd, ret_list);
	id_map_release(&space.uids);
	if (r < 0)
		return r;
	emit_container(&c, "top", NULL);
	return 0;
}

void top_list_release(struct top_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->items[i].user);
		free(list->items[i].started);
		free(list->items[i].tty);
		free(list->items[i].time);
		free(list->items[i].command);
	}
	free(list->items);
	*list = (struct top_list){0};
}
