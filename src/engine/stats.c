/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/stats.h"

#include <fcntl.h>
#include <string.h>
#include <sys/sysinfo.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/parse.h"
#include "engine/container_internal.h"
#include "sys/cgroup_usage.h"

#define NET_DEV_MAX 65536
#define PROC_IO_MAX 4096

/* A container that was seen, and what the next sample is compared with. */
struct entry {
	char *id, *name, *selector;

	bool has_before;
	int64_t before_ns; /* monotonic */
	uint64_t before_cpu_ns;
	float history[STATS_HISTORY_MAX];
	struct stats_row row;
};

struct stats {
	struct engine *engine;
	bool all;
	struct strv ids, selectors; /* what was asked for, in pairs; empty: whatever there is */
	struct entry **entries;     /* in the order of the last sample */
	size_t count;
	uint64_t machine_bytes;
};

/* ---- entries ---- */

static void entry_free(struct entry *entry)
{
	free(entry->id);
	free(entry->name);
	free(entry->selector);
	free(entry);
}

/* Takes it out of the list of the sample before, or makes a new one. */
static struct entry *entry_take(struct entry **old, size_t count, const char *id)
{
	struct entry *entry;

	for (size_t i = 0; i < count; i++)
		if (old[i] && strcmp(old[i]->id, id) == 0)
			return TAKE_PTR(old[i]);
	entry = xcalloc(1, sizeof(*entry));
	entry->id = xstrdup(id);
	return entry;
}

/* ---- network ---- */

/* Skips `count` numbers and gives the next one. */
static uint64_t number_after(const char *text, unsigned int count)
{
	char digits[24];
	uint64_t value = 0;
	size_t len;

	for (unsigned int i = 0; i < count; i++) {
		text += strspn(text, " ");
		text += strcspn(text, " ");
	}
	text += strspn(text, " ");
	len = strspn(text, "0123456789");
	if (len >= sizeof(digits))
		return 0;
	memcpy(digits, text, len);
	digits[len] = '\0';
	return parse_u64(digits, &value) < 0 ? 0 : value;
}

void stats_sum_network(const char *text, uint64_t *ret_received, uint64_t *ret_sent)
{
	uint64_t received = 0, sent = 0;
	auto_(strv_release) struct strv lines = {0};

	strv_split(&lines, text, '\n');
	for (size_t i = 2; i < lines.count; i++) {
		const char *name = lines.items[i] + strspn(lines.items[i], " ");
		const char *colon = strchr(name, ':');

		if (!colon || strncmp(name, "lo:", 3) == 0)
			continue;
		received += number_after(colon + 1, 0);
		sent += number_after(colon + 1, 8);
	}
	*ret_received = received;
	*ret_sent = sent;
}

/* The process is compared once more afterwards: its pid may have been given to another. */
static void read_network(const struct process_id *init, struct stats_row *row)
{
	auto_free char *path = xasprintf("/proc/%d/net/dev", init->pid);
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	auto_free char *text = NULL;

	if (fd < 0 || fd_read_text(fd, NET_DEV_MAX, &text, NULL) < 0 || !process_id_is_alive(init))
		return;
	stats_sum_network(text, &row->received_bytes, &row->sent_bytes);
}

/* ---- block devices ---- */

static void add_process_io(pid_t pid, struct stats_row *row)
{
	auto_free char *path = xasprintf("/proc/%d/io", pid);
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	auto_free char *text = NULL;

	if (fd < 0 || fd_read_text(fd, PROC_IO_MAX, &text, NULL) < 0)
		return;
	row->read_bytes += cgroup_stat_number(text, "read_bytes:", 0);
	row->write_bytes += cgroup_stat_number(text, "write_bytes:", 0);
}

/*
 * A kernel may count a v1 group's block I/O only once a device has a limit (6.9). What each process has
 * moved it always counts; a parent has the sums of its children that it has waited for.
 */
static void read_process_io(const struct cgroup *group, struct stats_row *row)
{
	auto_free pid_t *pids = NULL;
	size_t count = 0;

	if (row->read_bytes || row->write_bytes || cgroup_list_pids(group, &pids, &count) < 0)
		return;
	for (size_t i = 0; i < count; i++)
		add_process_io(pids[i], row);
}

/* ---- one container ---- */

static void copy_pressure(const struct cgroup_pressure *from, struct stats_pressure *to)
{
	*to = (struct stats_pressure){
		.some = from->some_avg10,
		.full = from->full_avg10,
		.some_us = from->some_us,
		.full_us = from->full_us,
	};
}

static void fill_usage(const struct cgroup_usage *usage, uint64_t machine_bytes,
		       struct stats_row *row)
{
	row->cpu_ns = usage->cpu_ns;
	row->cpu_user_ns = usage->cpu_user_ns;
	row->cpu_system_ns = usage->cpu_system_ns;
	row->throttled_periods = usage->throttled_periods;
	row->throttled_ns = usage->throttled_ns;
	row->memory_bytes = usage->memory_bytes - usage->memory_idle_bytes;
	row->memory_limit_bytes = usage->memory_limit_bytes < machine_bytes
					  ? usage->memory_limit_bytes
					  : machine_bytes;
	if (row->memory_limit_bytes)
		row->memory_percent = 100.0 * (double)row->memory_bytes /
				      (double)row->memory_limit_bytes;
	row->read_bytes = usage->read_bytes;
	row->write_bytes = usage->write_bytes;
	row->pids = usage->pids;
	row->oom_kills = usage->oom_kills;
	row->has_pressure = usage->has_pressure;
	copy_pressure(&usage->cpu_pressure, &row->cpu_pressure);
	copy_pressure(&usage->memory_pressure, &row->memory_pressure);
	copy_pressure(&usage->io_pressure, &row->io_pressure);
}

static void add_history(struct entry *entry)
{
	struct stats_row *row = &entry->row;

	if (row->cpu_history_count == STATS_HISTORY_MAX)
		memmove(entry->history, entry->history + 1,
			--row->cpu_history_count * sizeof(*entry->history));
	entry->history[row->cpu_history_count++] = (float)row->cpu_percent;
}

/* A counter that went back is that of another run. */
static void compute_rate(struct entry *entry, int64_t now_ns)
{
	struct stats_row *row = &entry->row;

	if (entry->has_before && now_ns > entry->before_ns && row->cpu_ns >= entry->before_cpu_ns) {
		row->cpu_percent = 100.0 * (double)(row->cpu_ns - entry->before_cpu_ns) /
				   (double)(now_ns - entry->before_ns);
		add_history(entry);
	}
	entry->has_before = true;
	entry->before_ns = now_ns;
	entry->before_cpu_ns = row->cpu_ns;
}

static bool read_running(const struct stats *stats, const struct cgroup_host *host,
			 struct entry *entry)
{
	auto_(container_release) struct container c = CONTAINER_EMPTY;
	auto_(container_view_release) struct container_view view = {0};
	auto_(error_release) struct error ignored = {0};
	auto_(cgroup_free) struct cgroup *group = NULL;
	struct cgroup_usage usage;

	if (container_open(stats->engine, entry->id, &c, &ignored) < 0 ||
	    container_look(&c, &view, &ignored) < 0 || !container_view_is_alive(&view) ||
	    cgroup_open(host, view.state.cgroup_path, &group) < 0)
		return false;
	cgroup_usage_read(group, &usage);
	fill_usage(&usage, stats->machine_bytes, &entry->row);
	read_process_io(group, &entry->row);
	if (strcmp(c.config.network_mode, "host") != 0)
		read_network(&view.state.init, &entry->row);
	return true;
}

static void sample_entry(const struct stats *stats, const struct cgroup_host *host,
			 const struct container_summary *summary, struct entry *entry)
{
	struct stats_row *row = &entry->row;
	size_t history_count = row->cpu_history_count;

	free(entry->name);
	entry->name = xstrdup(summary->name);
	*row = (struct stats_row){
		.id = entry->id,
		.name = entry->name,
		.selector = entry->selector ? entry->selector : entry->id,
		.cpu_history = entry->history,
		.cpu_history_count = history_count,
	};
	row->is_running = read_running(stats, host, entry);
	if (row->is_running)
		compute_rate(entry, clock_monotonic_ns());
	else
		entry->has_before = false;
}

/* ---- all of them ---- */

static const struct container_summary *find_summary(const struct container_list *list,
						    const char *id)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i].id, id) == 0)
			return &list->items[i];
	return NULL;
}

static void add_entry(struct stats *stats, const struct cgroup_host *host,
		      const struct container_summary *summary, struct entry *entry)
{
	sample_entry(stats, host, summary, entry);
	stats->entries[stats->count++] = entry;
}

/* What is in the list takes the place of what was in the sample before. */
static void sample_list(struct stats *stats, const struct cgroup_host *host,
			const struct container_list *list)
{
	struct entry **old = stats->entries;
	size_t old_count = stats->count;
	size_t room = stats->ids.count ? stats->ids.count : list->count;

	stats->entries = xcalloc(room, sizeof(struct entry *));
	stats->count = 0;
	for (size_t i = 0; i < room; i++) {
		const char *id = stats->ids.count ? stats->ids.items[i] : list->items[i].id;
		const struct container_summary *summary = find_summary(list, id);
		struct entry *entry;

		if (!summary)
			continue;
		entry = entry_take(old, old_count, id);
		if (stats->ids.count && !entry->selector)
			entry->selector = xstrdup(stats->selectors.items[i]);
		add_entry(stats, host, summary, entry);
	}
	for (size_t i = 0; i < old_count; i++)
		if (old[i])
			entry_free(old[i]);
	free(old);
}

int stats_sample(struct stats *stats, struct error *err)
{
	const struct list_request request = {
		.all = stats->all || stats->ids.count > 0,
		.last = -1,
	};
	auto_(container_list_release) struct container_list list = {0};
	auto_(cgroup_host_free) struct cgroup_host *host = NULL;
	int r;

	r = container_list(stats->engine, &request, &list, err);
	if (r < 0)
		return r;
	r = cgroup_host_open(&host);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "look at the cgroups");
	sample_list(stats, host, &list);
	return 0;
}

size_t stats_count(const struct stats *stats)
{
	return stats->count;
}

const struct stats_row *stats_get(const struct stats *stats, size_t index)
{
	return &stats->entries[index]->row;
}

int stats_new(struct engine *engine, const struct stats_request *request, struct stats **ret_stats,
	      struct error *err)
{
	auto_(stats_free) struct stats *stats = xcalloc(1, sizeof(*stats));
	struct sysinfo info;

	stats->engine = engine;
	stats->all = request->all;
	stats->machine_bytes = sysinfo(&info) == 0 ? (uint64_t)info.totalram * info.mem_unit : 0;
	for (size_t i = 0; i < request->selectors->count; i++) {
		char id[65];
		int r = container_resolve(engine, request->selectors->items[i], id, err);

		if (r < 0)
			return r;
		if (strv_has(&stats->ids, id))
			continue;
		strv_add(&stats->ids, id);
		strv_add(&stats->selectors, request->selectors->items[i]);
	}
	*ret_stats = TAKE_PTR(stats);
	return 0;
}

void stats_free(struct stats *stats)
{
	if (!stats)
		return;
	for (size_t i = 0; i < stats->count; i++)
		entry_free(stats->entries[i]);
	free(stats->entries);
	strv_release(&stats->ids);
	strv_release(&stats->selectors);
	free(stats);
}
