/* SPDX-License-Identifier: Apache-2.0 */
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "runtime/child_setup.h"
#include "runtime/confine.h"
#include "runtime/confine_tuning.h"
#include "runtime/hooks.h"
#include "runtime/secret.h"
#include "runtime/start_internal.h"
#include "runtime/sync.h"
#include "sys/loopback.h"
#include "sys/process.h"

/*
 * stage_namespaces() - every namespace but mount and pid, which clone made
 *
 * Where:    child, new mount and pid namespaces, the host's in all else.
 * Must:     join what is to be joined, make the others, bring lo up in a new network.
 * Must not: make the cgroup namespace (stage_cgroup_view does, once we are in our cgroup).
 * Leaves:   SYNC_NETWORK sent, where the parent makes the network.
 */
int stage_namespaces(struct start *start, struct error *err)
{
	static const enum spec_namespace kinds[] = {SPEC_NS_NETWORK, SPEC_NS_IPC, SPEC_NS_UTS};
	uint64_t flags = 0;
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		enum spec_namespace ns = kinds[i];

		if (start->spec.namespaces[ns] == SPEC_NS_NEW)
			flags |= spec_namespace_flag(ns);
		else if (start->spec.namespaces[ns] == SPEC_NS_JOIN &&
			 start->spec.namespaces[SPEC_NS_USER] == SPEC_NS_HOST &&
			 setns(start->namespace_fds[ns], (int)spec_namespace_flag(ns)) < 0)
			return err_set(err, ERR_SYSTEM, errno, "join namespace '%s'",
				       start->spec.namespace_paths[ns]);
	}
	if (flags && unshare((int)flags) < 0)
		return err_set(err, ERR_SYSTEM, errno, "make namespaces");
	if (flags & CLONE_NEWNET) {
		r = loopback_up();
		if (r < 0)
			return err_set(err, ERR_SYSTEM, -r, "bring the loopback device up");
	}
	if (start->request->make_network) {
		r = sync_send(start->sync_child, SYNC_NETWORK, NO_FD);
		if (r < 0)
			return err_set(err, ERR_SYSTEM, -r, "hand the network namespace over");
	}
	return 0;
}

/*
 * stage_terminal() - a terminal from the container's own devpts
 *
 * Where:    child, after stage_devices.
 * Must:     set its size before anything can read it; put it on /dev/console; hand its master out.
 * Leaves:   SYNC_CONSOLE sent; we lead a session, whose controlling terminal it is.
 */
int stage_terminal(struct start *start, struct error *err)
{
	if (setsid() < 0)
		return err_set(err, ERR_SYSTEM, errno, "lead a session");
	if (!start->spec.terminal)
		return 0;
	return child_open_terminal(start->devpts_fd, start->request->tty_rows,
				   start->request->tty_cols, start->sync_child, &start->terminal_fd,
				   err);
}

static int resolve_user(struct start *start, struct error *err)
{
	const struct spec *spec = &start->spec;
	const struct launch *launch = start->request->launch;

	if (launch->user || launch->groups.count > 0)
		return user_lookup(start->root_fd, launch->user, &launch->groups, &start->identity,
				   err);
	return user_lookup_numeric(start->root_fd, spec->uid, spec->gid, spec->groups,
				   spec->group_count, &start->identity, err);
}

static int open_streams(struct start *start, struct error *err)
{
	int terminal[3] = {start->terminal_fd, start->terminal_fd, start->terminal_fd};

	return child_open_streams(start->spec.terminal ? terminal : start->request->stdio,
				  start->null_fd, &start->identity, err);
}

static void add_home(struct start *start)
{
	const char *home = strv_env_find(&start->spec.env, "HOME");

	if (!home || !*home)
		strv_env_set(&start->spec.env, "HOME", start->identity.home);
}

/* From the moment that others know of us, the one who made us may go. */
static int wait_for_start(struct start *start, int *listener_fd, struct error *err)
{
	int r;

	if (*listener_fd >= 0) {
		r = confine_probe(&start->spec.args, &start->spec.env, &start->identity, err);
		if (r < 0)
			return r;
		(void)prctl(PR_SET_PDEATHSIG, 0);
	}
	r = sync_send(start->sync_child, SYNC_READY, NO_FD);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "report that the container is ready");
	if (*listener_fd >= 0) {
		cleanup_close_fd(&start->sync_child);
		return start_wait_here(start, listener_fd, err);
	}
	return sync_expect(start->sync_child, SYNC_START, NULL, err);
}

static int run_start_hooks(const struct start *start, const struct confine_request *confine,
			   struct error *err)
{
	auto_(json_decref) json_t *state = NULL;

	if (start->spec.hooks[SPEC_HOOK_START_CONTAINER].count == 0)
		return 0;
	state = start_hook_state(start, "created");
	return hooks_run(&start->spec, SPEC_HOOK_START_CONTAINER, state, confine, err);
}

/* Streams, identity, working directory, privileges, exec: what remains once the root is ours. */
static int become_command(struct start *start, struct error *err)
{
	const struct spec *spec = &start->spec;
	struct confine_request confine = {
		.identity = &start->identity,
		.capabilities = &spec->capabilities,
		.rlimits = spec->rlimits,
		.rlimit_count = spec->rlimit_count,
		.seccomp = start->has_seccomp ? &start->seccomp : NULL,
		.no_new_privileges = spec->no_new_privileges,
		.umask = spec->umask,
	};
	const struct runtime_foreign *foreign = start->request->foreign;
	int listener_fd = foreign ? foreign->start_listener_fd : NO_FD;
	int *const keep[] = {&start->sync_child, &start->root_fd, &start->init_fd, &listener_fd};
	int r;

	r = resolve_user(start, err);
	if (r < 0)
		return r;
	add_home(start);
	r = open_streams(start, err);
	if (r < 0)
		return r;
	r = child_close_others(foreign ? foreign->keep_fds : 0, keep, ARRAY_SIZE(keep), err);
	if (r < 0)
		return r;
	r = confine_workdir(start->root_fd, spec->cwd, /* create= */ true, err);
	if (r < 0)
		return r;
	cleanup_close_fd(&start->root_fd);
	r = wait_for_start(start, &listener_fd, err);
	if (r < 0)
		return r;
	/* The monitor ignores no signal, and was started with none ignored (sys/self_exe.h). */
	process_unblock_signals();
	/* From here the container lives on when its monitor is killed: that is "orphaned". */
	(void)prctl(PR_SET_PDEATHSIG, 0);
	r = run_start_hooks(start, &confine, err);
	if (r < 0)
		return r;
	log_debug("runtime", "stage confine");
	r = confine_tuning(&spec->tuning, err);
	if (r < 0)
		return r;
	r = confine_process(&confine, err);
	if (r < 0)
		return r;
	log_debug("runtime", "stage exec");
	return confine_exec(&spec->args, &spec->env, start->init_fd, err);
}

int start_child(struct start *start, struct error *err)
{
	static const struct {
		const char *name;
		int (*run)(struct start *, struct error *);
	} stages[] = {
		{"user", stage_user},        {"namespaces", stage_namespaces},
		{"visible", stage_visible},  {"root", stage_root},
		{"mounts", stage_mounts},    {"secrets", stage_secrets},
		{"devices", stage_devices},  {"cgroup-view", stage_cgroup_view},
		{"hooks", stage_hooks},      {"terminal", stage_terminal},
		{"system", stage_system},    {"hide", stage_hide},
		{"command", become_command},
	};

	for (size_t i = 0; i < ARRAY_SIZE(stages); i++) {
		int r;

		log_debug("runtime", "stage %s", stages[i].name);
		r = stages[i].run(start, err);
		if (r < 0)
			return r;
	}
	return err_set(err, ERR_INTERNAL, 0, "the last stage returned");
}
