/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Theory: a list of a thousand containers in a few milliseconds.
 *
 * One query gives the records. One readdir of STATE/containers tells which of them may be running;
 * each of these costs an open and a flock of its monitor's lock, and a stat of state.json, whose time
 * is that of the start. Only for the few that look strange (lock free, paused) are files read. A
 * container that does not run costs nothing unless it is shown: then its exit.json is read.
 */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/lock.h"
#include "engine/container_filter.h"
#include "engine/container_internal.h"
#include "engine/container_ports.h"
#include "engine/container_size.h"
#include "storage/network_record.h"
#include "storage/store.h"

/* Ids that have a directory in STATE/containers, sorted. */
struct state_names {
	int dir_fd; /* STATE/containers */
	char (*ids)[65];
	size_t count;
};

static void state_names_release(struct state_names *names)
{
	cleanup_close_fd(&names->dir_fd);
	free(names->ids);
	names->ids = NULL;
}

DEFINE_CLEANUP_VALUE(struct state_names, state_names_release);

static int compare_ids(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void collect_names(DIR *dir, struct state_names *names)
{
	size_t capacity = 0;
	struct dirent *entry;

	while ((entry = readdir(dir))) {
		if (strlen(entry->d_name) != 64)
			continue;
		if (names->count == capacity) {
			capacity = capacity ? capacity * 2 : 64;
			names->ids = xreallocarray(names->ids, capacity, sizeof(*names->ids));
		}
		memcpy(names->ids[names->count++], entry->d_name, 65);
	}
	if (names->count)
		qsort(names->ids, names->count, sizeof(*names->ids), compare_ids);
}

static int read_states(struct engine *engine, struct state_names *ret_names, struct error *err)
{
	auto_(state_names_release) struct state_names names = {.dir_fd = NO_FD};
	auto_closedir DIR *dir = NULL;
	int state_fd, fd;

	state_fd = engine_state_fd(engine, err);
	if (state_fd < 0)
		return state_fd;
	fd = openat(state_fd, "containers", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	names.dir_fd = fd < 0 ? -errno : fd_dup(fd);
	dir = names.dir_fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		cleanup_close_fd(&fd);
		return err_set(err, ERR_SYSTEM, errno, "read '%s/containers'",
			       engine_state_path(engine));
	}
	collect_names(dir, &names);
	*ret_names = names;
	names = (struct state_names){.dir_fd = NO_FD};
	return 0;
}

static bool may_run(const struct state_names *names, const char *id)
{
	return names->count &&
	       bsearch(id, names->ids, names->count, sizeof(*names->ids), compare_ids);
}

static bool is_frozen_in(int states_fd, const char *id)
{
	auto_(container_state_release) struct container_state state = {0};
	auto_close int fd = openat(states_fd, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 && container_state_load(fd, &state) == 0 &&
	       container_is_frozen(fd, state.cgroup_path);
}

/* state.json without its lock: the monitor died, and the container perhaps did not. */
static bool look_at_orphan(int states_fd, const char *id, struct container_summary *s)
{
	auto_(container_state_release) struct container_state state = {0};
	auto_close int fd = openat(states_fd, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || container_state_load(fd, &state) < 0 || !process_id_is_alive(&state.init))
		return false;
	s->started_ns = state.started_ns;
	s->status = container_is_frozen(fd, state.cgroup_path) ? CONTAINER_PAUSED
							       : CONTAINER_ORPHANED;
	return true;
}

static enum container_health look_at_health(int states_fd, const char *id)
{
	auto_close int fd = openat(states_fd, id, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? CONTAINER_HEALTH_NONE : container_health_look(fd);
}

/* True when it is alive; status and start are filled. */
static bool look_alive(int states_fd, const char *id, struct container_summary *s)
{
	char path[128];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/%s", id, STATE_FILE_NAME);
	if (fstatat(states_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	(void)snprintf(path, sizeof(path), "%s/%s", id, STATE_LOCK_NAME);
	if (lock_is_held(states_fd, path) != 1)
		return look_at_orphan(states_fd, id, s);
	if (st.st_mode & STATE_MODE_RESTARTING) {
		s->status = CONTAINER_RESTARTING;
		return true;
	}
	s->started_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
	s->status = CONTAINER_RUNNING;
	if (st.st_mode & STATE_MODE_HEALTH)
		s->health = look_at_health(states_fd, id);
	if ((st.st_mode & STATE_MODE_PAUSED) && is_frozen_in(states_fd, id))
		s->status = CONTAINER_PAUSED;
	return true;
}

/* Between two runs: exit.json tells of the one before. */
static void look_restarting(int containers_fd, const char *id, struct container_summary *s)
{
	auto_(container_exit_release) struct container_exit past = {0};
	auto_close int fd = openat(containers_fd, id, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || container_exit_load(fd, &past) < 0)
		return;
	s->exit_code = past.exit_code;
	s->started_ns = past.started_ns;
	s->finished_ns = past.finished_ns;
}

static void look_dead(int containers_fd, const char *id, struct container_summary *s)
{
	auto_(container_exit_release) struct container_exit past = {0};
	auto_close int fd = openat(containers_fd, id, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0) {
		s->status = CONTAINER_DEAD;
		return;
	}
	if (container_exit_load(fd, &past) == 0) {
		s->status = past.started_ns ? CONTAINER_EXITED : CONTAINER_CREATED;
		s->exit_code = past.exit_code;
		s->started_ns = past.started_ns;
		s->finished_ns = past.finished_ns;
		return;
	}
	s->status = faccessat(fd, CONFIG_FILE_NAME, F_OK, 0) == 0 ? CONTAINER_DEAD
								  : CONTAINER_CREATED;
}

static void fill_details(const struct container_record *record, struct container_summary *s)
{
	auto_(container_config_release) struct container_config config = {0};
	auto_(error_release) struct error ignored = {0};

	if (container_config_parse(record->config, &config, &ignored) < 0)
		return;
	for (size_t i = 0; i < config.mounts.count; i++) {
		const struct mount_spec *spec = &config.mounts.items[i];

		if (spec->kind == MOUNT_KIND_TMPFS)
			continue;
		strv_add(&s->mounts, spec->source ? spec->source : "");
		s->local_volumes += spec->kind == MOUNT_KIND_VOLUME;
	}
	if (config.network_mode && strncmp(config.network_mode, "container:", 10) != 0)
		strv_add(&s->networks, config.network_mode);
}

static void fill_namespaces(int states_fd, const char *id, struct container_summary *s)
{
	auto_close int fd = openat(states_fd, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		container_namespaces_look(fd, s);
}

static void fill_size(struct engine *engine, const struct container_record *record,
		      struct container_summary *s)
{
	struct container_size size;

	container_size(engine, record->id, record->image_id, &size);
	s->written_bytes = size.written_bytes;
	s->root_bytes = size.root_bytes;
}

/* Moves the record's texts. */
static void fill_summary(struct container_record *record, const struct published_records *ports,
			 bool alive, struct container_summary *s)
{
	s->id = TAKE_PTR(record->id);
	s->name = TAKE_PTR(record->name);
	s->image = TAKE_PTR(record->image_ref);
	s->command = TAKE_PTR(record->command);
	s->created_ns = record->created_ns;
	container_config_labels(record->config, &s->labels);
	if (alive)
		s->ports = container_ports_text(ports, s->id);
}

static void summary_release(struct container_summary *s)
{
	free(s->id);
	free(s->name);
	free(s->image);
	free(s->command);
	free(s->ports);
	strv_release(&s->labels);
	strv_release(&s->mounts);
	strv_release(&s->networks);
	*s = (struct container_summary){0};
}

struct list_work {
	struct engine *engine;
	const struct list_request *request;
	const struct container_filter *filter;
	const struct state_names *states;
	const struct published_records *ports;
	int containers_fd; /* ROOT/containers */
	bool all;
	struct container_list *list;
};

static bool is_full(const struct list_work *work)
{
	return work->request->last > 0 && work->list->count >= (size_t)work->request->last;
}

static void consider(const struct list_work *work, struct container_record *record)
{
	struct container_summary summary = {0};
	bool alive;

	if (!container_filter_matches_record(work->filter, record))
		return;
	alive = may_run(work->states, record->id) &&
		look_alive(work->states->dir_fd, record->id, &summary);
	if (!alive && !work->all)
		return;
	if (summary.status == CONTAINER_RESTARTING)
		look_restarting(work->containers_fd, record->id, &summary);
	if (!alive)
		look_dead(work->containers_fd, record->id, &summary);
	if (!container_filter_matches(work->filter, &summary))
		return;
	if (work->request->details)
		fill_details(record, &summary);
	if (work->request->namespaces && alive)
		fill_namespaces(work->states->dir_fd, record->id, &summary);
	if (work->request->sizes)
		fill_size(work->engine, record, &summary);
	fill_summary(record, work->ports, alive, &summary);
	work->list->items[work->list->count++] = summary;
}

static int open_containers(struct store *store, struct error *err)
{
	int fd = openat(store_root_fd(store), "containers",
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? err_set(err, ERR_SYSTEM, errno, "open '%s/containers'",
				store_root_path(store))
		      : fd;
}

int container_list(struct engine *engine, const struct list_request *request,
		   struct container_list *ret_list, struct error *err)
{
	auto_(container_records_release) struct container_records records = {0};
	auto_(published_records_release) struct published_records ports = {0};
	auto_(container_filter_free) struct container_filter *filter = NULL;
	auto_(container_list_release) struct container_list list = {0};
	auto_(state_names_release) struct state_names states = {.dir_fd = NO_FD};
	auto_close int containers_fd = NO_FD;
	struct list_work work = {engine, request, NULL, &states, &ports, NO_FD, false, &list};
	struct store *store;
	int r;

	r = engine_store(engine, &store, err);
	if (r < 0)
		return r;
	r = container_filter_new(engine, &request->filters, &filter, err);
	if (r < 0)
		return r;
	/* Read before the records: a container that ends in between is then shown as it ended. */
	r = read_states(engine, &states, err);
	if (r < 0)
		return r;
	r = container_record_list(store, &records, err);
	if (r < 0)
		return r;
	r = published_list(store, &ports, err);
	if (r < 0)
		return r;
	containers_fd = open_containers(store, err);
	if (containers_fd < 0)
		return containers_fd;
	work.filter = filter;
	work.containers_fd = containers_fd;
	work.all = request->all || request->last > 0 || container_filter_wants_all(filter);
	list.items = xcalloc(records.count, sizeof(*list.items));
	for (size_t i = 0; i < records.count && !is_full(&work); i++)
		consider(&work, &records.items[i]);
	*ret_list = list;
	list = (struct container_list){0};
	return 0;
}

void container_list_release(struct container_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		summary_release(&list->items[i]);
	free(list->items);
	*list = (struct container_list){0};
}
