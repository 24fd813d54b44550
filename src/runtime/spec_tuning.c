/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spec_tuning.c - process.scheduler, ioPriority, and what else the kernel keeps of a process over an exec
 */
#include <linux/ioprio.h>
#include <linux/sched.h>
#include <string.h>
#include <sys/personality.h>

#include "base/alloc.h"
#include "runtime/spec_internal.h"

struct word {
	const char *name;
	uint64_t value;
};

static const struct word policies[] = {
	{"SCHED_OTHER", SCHED_NORMAL}, {"SCHED_FIFO", SCHED_FIFO},
	{"SCHED_RR", SCHED_RR},        {"SCHED_BATCH", SCHED_BATCH},
	{"SCHED_IDLE", SCHED_IDLE},    {"SCHED_DEADLINE", SCHED_DEADLINE},
};

/* The two that clamp utilisation need values that the specification has no place for. */
static const struct word scheduler_flags[] = {
	{"SCHED_FLAG_RESET_ON_FORK", SCHED_FLAG_RESET_ON_FORK},
	{"SCHED_FLAG_RECLAIM", SCHED_FLAG_RECLAIM},
	{"SCHED_FLAG_DL_OVERRUN", SCHED_FLAG_DL_OVERRUN},
	{"SCHED_FLAG_KEEP_POLICY", SCHED_FLAG_KEEP_POLICY},
	{"SCHED_FLAG_KEEP_PARAMS", SCHED_FLAG_KEEP_PARAMS},
};

static const struct word io_classes[] = {
	{"IOPRIO_CLASS_RT", IOPRIO_CLASS_RT},
	{"IOPRIO_CLASS_BE", IOPRIO_CLASS_BE},
	{"IOPRIO_CLASS_IDLE", IOPRIO_CLASS_IDLE},
};

static int find(const struct word *words, size_t count, const char *name, const char *where,
		uint64_t *ret_value, struct error *err)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(words[i].name, name) != 0)
			continue;
		*ret_value = words[i].value;
		return 0;
	}
	return err_set(err, ERR_INVALID, EINVAL, "config.json: %s: '%s' is not supported", where,
		       name);
}

static int parse_flags(const json_t *scheduler, struct spec_tuning *tuning, struct error *err)
{
	auto_(strv_release) struct strv names = {0};
	int r;

	r = spec_member_strv(scheduler, "flags", "process.scheduler", &names, err);
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		uint64_t flag = 0;

		r = find(scheduler_flags, ARRAY_SIZE(scheduler_flags), names.items[i],
			 "process.scheduler.flags", &flag, err);
		tuning->scheduler_flags |= flag;
	}
	return r;
}

static int parse_scheduler(const json_t *scheduler, struct spec_tuning *tuning, struct error *err)
{
	static const char where[] = "process.scheduler";
	int64_t nice = 0, priority = 0, runtime = 0, deadline = 0, period = 0;
	uint64_t policy = 0;
	int r;

	r = find(policies, ARRAY_SIZE(policies), json_get_string(scheduler, "policy", ""),
		 "process.scheduler.policy", &policy, err);
	if (r == 0)
		r = parse_flags(scheduler, tuning, err);
	if (r == 0)
		r = spec_member_int(scheduler, "nice", where, -20, 19, &nice, err);
	if (r == 0)
		r = spec_member_int(scheduler, "priority", where, 0, 99, &priority, err);
	if (r == 0)
		r = spec_member_int(scheduler, "runtime", where, 0, INT64_MAX, &runtime, err);
	if (r == 0)
		r = spec_member_int(scheduler, "deadline", where, 0, INT64_MAX, &deadline, err);
	if (r == 0)
		r = spec_member_int(scheduler, "period", where, 0, INT64_MAX, &period, err);
	if (r < 0)
		return r;
	tuning->has_scheduler = true;
	tuning->policy = (uint32_t)policy;
	tuning->nice = (int32_t)nice;
	tuning->priority = (uint32_t)priority;
	tuning->runtime_ns = (uint64_t)runtime;
	tuning->deadline_ns = (uint64_t)deadline;
	tuning->period_ns = (uint64_t)period;
	return 0;
}

static int parse_io_priority(const json_t *object, struct spec_tuning *tuning, struct error *err)
{
	uint64_t class = 0;
	int64_t priority = 0;
	int r;

	r = find(io_classes, ARRAY_SIZE(io_classes), json_get_string(object, "class", ""),
		 "process.ioPriority.class", &class, err);
	if (r == 0)
		r = spec_member_int(object, "priority", "process.ioPriority", 0, 7, &priority, err);
	if (r < 0)
		return r;
	tuning->has_io_priority = true;
	tuning->io_priority = (int)(class << IOPRIO_CLASS_SHIFT | (uint64_t)priority);
	return 0;
}

int spec_parse_tuning(const json_t *process, struct spec_tuning *tuning, struct error *err)
{
	static const char *const unsupported[] = {"selinuxLabel", "execCPUAffinity"};
	const json_t *scheduler = json_object_get(process, "scheduler");
	const json_t *io_priority = json_object_get(process, "ioPriority");
	int r;

	r = spec_refuse_members(process, "process", unsupported, ARRAY_SIZE(unsupported), err);
	if (r == 0 && scheduler)
		r = parse_scheduler(scheduler, tuning, err);
	if (r == 0 && io_priority)
		r = parse_io_priority(io_priority, tuning, err);
	if (r == 0)
		r = spec_member_string(process, "apparmorProfile", "process",
				       &tuning->apparmor_profile, err);
	return r;
}

int spec_parse_personality(const json_t *object, struct spec_tuning *tuning, struct error *err)
{
	static const struct word domains[] = {{"LINUX", PER_LINUX}, {"LINUX32", PER_LINUX32}};
	static const char *const unsupported[] = {"flags"};
	uint64_t domain = 0;
	int r;

	if (!object)
		return 0;
	r = spec_refuse_members(object, "linux.personality", unsupported, ARRAY_SIZE(unsupported),
				err);
	if (r == 0)
		r = find(domains, ARRAY_SIZE(domains), json_get_string(object, "domain", ""),
			 "linux.personality.domain", &domain, err);
	if (r < 0)
		return r;
	tuning->has_personality = true;
	tuning->personality = (unsigned long)domain;
	return 0;
}
