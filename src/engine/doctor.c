/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/doctor_internal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>

#include "base/alloc.h"
#include "engine/container.h"
#include "storage/audit.h"
#include "storage/store.h"
#include "sys/cgroup.h"

/* An image of some size no longer fits. */
#define LITTLE_SPACE_BYTES ((uint64_t)1 << 30)
#define LITTLE_SPACE_INODES 10000
#define MIB (1U << 20)

static const char *const status_names[] = {"ok", "note", "warning", "broken"};
static_assert(ARRAY_SIZE(status_names) == DOCTOR_STATUS_COUNT, "a name for each");

static const char *const reach_names[] = {"", "outside", "unsure", "host", "nobody"};
static_assert(ARRAY_SIZE(reach_names) == DOCTOR_REACH_COUNT, "a name for each");

const char *doctor_status_name(enum doctor_status status)
{
	return status_names[status];
}

const char *doctor_reach_name(enum doctor_reach reach)
{
	return reach_names[reach];
}

struct doctor_finding *doctor_add(struct doctor_report *report, const char *area, const char *check,
				  enum doctor_status status, const char *fmt, ...)
{
	struct doctor_finding *finding;
	va_list args;

	report->items = xreallocarray(report->items, report->count + 1, sizeof(*report->items));
	finding = &report->items[report->count++];
	*finding = (struct doctor_finding){
		.area = area,
		.check = xstrdup(check),
		.status = status,
	};
	va_start(args, fmt);
	finding->detail = xvasprintf(fmt, args);
	va_end(args);
	report->broken += status == DOCTOR_BROKEN;
	return finding;
}

void doctor_report_release(struct doctor_report *report)
{
	for (size_t i = 0; i < report->count; i++) {
		free(report->items[i].check);
		free(report->items[i].detail);
		free(report->items[i].container);
		free(report->items[i].address);
		free(report->items[i].port);
		free(report->items[i].target);
	}
	free(report->items);
	*report = (struct doctor_report){0};
}

/* ---- cgroups ---- */

static const char *cgroup_world(enum cgroup_mode mode)
{
	switch (mode) {
	case CGROUP_MODE_NONE:
		return "none is mounted";
	case CGROUP_MODE_V1:
		return "version 1";
	case CGROUP_MODE_V2:
		return "version 2";
	case CGROUP_MODE_HYBRID:
		return "version 1 with version 2 beside it";
	}
	return "unknown";
}

void doctor_cgroups(struct doctor_report *report)
{
	static const char *const controllers[] = {"cpu",     "cpuset", "devices",
						  "freezer", "memory", "pids"};
	auto_(cgroup_host_free) struct cgroup_host *host = NULL;
	enum cgroup_mode mode = CGROUP_MODE_NONE;

	if (cgroup_host_open(&host) == 0)
		mode = cgroup_host_mode(host);
	if (mode == CGROUP_MODE_NONE) {
		(void)doctor_add(
			report, "cgroups", "hierarchy", DOCTOR_BROKEN,
			"none is mounted at /sys/fs/cgroup: containers cannot be limited, nor "
			"found as a group");
		return;
	}
	(void)doctor_add(report, "cgroups", "hierarchy", DOCTOR_OK, "%s", cgroup_world(mode));
	for (size_t i = 0; i < ARRAY_SIZE(controllers); i++) {
		bool has = cgroup_host_has(host, controllers[i]);

		(void)doctor_add(report, "cgroups", controllers[i],
				 has ? DOCTOR_OK : DOCTOR_WARNING, "%s",
				 has ? "can be limited" : "no controller: its limits are refused");
	}
}

/* ---- the store ---- */

static void check_space(struct store *store, struct doctor_report *report)
{
	enum doctor_status status = DOCTOR_OK;
	struct statvfs fs;
	uint64_t bytes;

	if (fstatvfs(store_root_fd(store), &fs) < 0) {
		(void)doctor_add(report, "store", "space", DOCTOR_WARNING, "cannot be asked for");
		return;
	}
	bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	/* Some filesystems count no inodes. */
	if (bytes < LITTLE_SPACE_BYTES || (fs.f_files > 0 && fs.f_favail < LITTLE_SPACE_INODES))
		status = DOCTOR_WARNING;
	if (bytes == 0 || (fs.f_files > 0 && fs.f_favail == 0) || fs.f_flag & ST_RDONLY)
		status = DOCTOR_BROKEN;
	(void)doctor_add(report, "store", "space", status,
			 "%" PRIu64 " MiB and %" PRIu64 " inodes free%s%s", bytes / MIB,
			 (uint64_t)fs.f_favail, fs.f_flag & ST_RDONLY ? ", mounted read-only" : "",
			 status == DOCTOR_OK ? "" : "; 'system df' says what occupies it");
}

static int check_records(struct store *store, struct doctor_report *report, struct error *err)
{
	auto_(strv_release) struct strv faults = {0}, containers = {0}, volumes = {0};
	int r;

	r = audit_database(store, &faults, err);
	if (r >= 0)
		r = audit_lost_directories(store, &containers, &volumes, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < faults.count; i++)
		(void)doctor_add(report, "store", "database", DOCTOR_BROKEN, "%s", faults.items[i]);
	if (faults.count == 0)
		(void)doctor_add(report, "store", "database", DOCTOR_OK,
				 "whole; 'system fsck' reads the layers too");
	for (size_t i = 0; i < containers.count; i++)
		(void)doctor_add(report, "store", "container", DOCTOR_BROKEN,
				 "%s has lost its directory; 'rm' forgets it", containers.items[i]);
	for (size_t i = 0; i < volumes.count; i++)
		(void)doctor_add(report, "store", "volume", DOCTOR_BROKEN,
				 "%s has lost its directory; 'volume rm' forgets it",
				 volumes.items[i]);
	return 0;
}

static int check_monitors(struct engine *engine, struct doctor_report *report, struct error *err)
{
	const struct list_request request = {.last = -1};
	auto_(container_list_release) struct container_list list = {0};
	size_t orphans = 0;
	int r;

	r = container_list(engine, &request, &list, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < list.count; i++) {
		if (list.items[i].status != CONTAINER_ORPHANED)
			continue;
		orphans++;
		(void)doctor_add(report, "store", "container", DOCTOR_BROKEN,
				 "%s runs without its monitor: no log, no exit status; 'restart' "
				 "helps",
				 list.items[i].name);
	}
	if (orphans == 0)
		(void)doctor_add(report, "store", "containers", DOCTOR_OK,
				 "%zu run, each with its monitor", list.count);
	return 0;
}

int doctor_store(struct engine *engine, struct doctor_report *report, struct error *err)
{
	struct store *store;
	int r;

	r = engine_store(engine, &store, err);
	if (r < 0)
		return r;
	(void)doctor_add(report, "store", "root", DOCTOR_OK, "%s", engine_root_path(engine));
	check_space(store, report);
	r = check_records(store, report, err);
	return r < 0 ? r : check_monitors(engine, report, err);
}

int doctor_examine(struct engine *engine, struct doctor_report *ret_report, struct error *err)
{
	auto_(doctor_report_release) struct doctor_report report = {0};
	int r;

	doctor_kernel(&report);
	doctor_cgroups(&report);
	r = doctor_store(engine, &report, err);
	if (r == 0)
		r = doctor_network(engine, &report, err);
	if (r < 0)
		return r;
	*ret_report = report;
	report = (struct doctor_report){0};
	return 0;
}
