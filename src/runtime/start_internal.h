/* SPDX-License-Identifier: Apache-2.0 */
/*
 * start_internal.h - the stages of a start, and what they share
 *
 * Theory. A start is two processes at work at the same time. The *parent* (the monitor) opens what
 * needs the host's view and makes the child; then it builds the root's overlay, the cgroups and the
 * limits while the *child* makes its namespaces and mounts. The child enters its cgroup, hides what
 * must be hidden, takes away its own privileges, and executes. What it needs of the host it gets as
 * descriptors, opened before it was made or sent at a sync point; it opens no host path. After
 * stage_root() every path is resolved inside the container.
 *
 * The order of the child's stages, and what forces it:
 *
 *	stage_user         with a user namespace only: who we are in it comes before all we make
 *	stage_namespaces   before anything is mounted; the network namespace is the dearest single
 *	                   step, and it is made while the parent makes the overlay
 *	stage_visible      with a user namespace only: the kernel lets it have a procfs while the
 *	                   host's is to be seen
 *	stage_root         private propagation before the first mount; pivot before any image path
 *	stage_mounts       in the document's order
 *	stage_secrets      over whatever the document mounts there
 *	stage_devices      needs the /dev that stage_mounts made
 *	stage_cgroup_view  enters the cgroup: a process of one thread may move itself without the
 *	                   grace period that moving another one costs (sys/cgroup.h). The cgroup
 *	                   namespace's root is where we are when it is made, so it comes right after
 *	stage_hooks        only where there are hooks of creation; pivots, which stage_root did not then:
 *	                   they are to see the finished tree from outside, and the process in its cgroup
 *	stage_terminal     needs /dev/pts and /dev
 *	stage_system       hostname, sysctls: before /proc/sys becomes read-only
 *	stage_hide         after everything that must still be written
 *	command            user, streams, working directory; then confine.h: groups, gid, uid,
 *	                   capabilities, seccomp; nothing privileged comes after; exec
 */
#ifndef SKIFF_RUNTIME_START_INTERNAL_H
#define SKIFF_RUNTIME_START_INTERNAL_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/strbuf.h"
#include "runtime/container.h"
#include "runtime/seccomp.h"
#include "runtime/spec.h"
#include "runtime/user_lookup.h"

/* What a spec_mount brings from outside, opened by the parent. */
struct start_source {
	int mount_fd; /* attached nowhere; NO_FD: the child makes the filesystem */
	int map_fd;   /* a user namespace with the mapping of its ids; NO_FD: none */
	bool is_dir;
	const struct launch_mount *extra; /* borrowed from the launch; NULL: nothing */
};

struct start {
	const struct runtime_request *request;
	struct spec spec;
	struct start_source *sources;     /* one per spec.mounts */
	int namespace_fds[SPEC_NS_COUNT]; /* of namespaces to join */
	struct strbuf *secret_texts;      /* one per secret of launch.json; NULL: none */
	int init_fd;                      /* skiff-init, executable from a read-only mount */
	struct seccomp_filter seccomp;
	bool has_seccomp;
	struct cgroup_host *cgroup_host; /* borrowed from the runtime_process */
	struct cgroup *cgroup;           /* borrowed too; NULL: none is made */
	int sync_parent, sync_child;
	int user_ns_fd; /* parent: the container's, once it is mapped; NO_FD: the host's */

	/* Made by the child's stages. */
	int host_root_fd; /* until a late pivot; NO_FD: it has happened */
	int root_fd;      /* the container's "/" */
	int proc_fd;      /* our own procfs, before anything is mounted over its parts */
	int null_fd;      /* the container's /dev/null, O_PATH, checked to be 1:3 */
	int devpts_fd;    /* for the terminal */
	int terminal_fd;  /* its slave */
	struct user_identity identity;
};

/* Empty; the request is borrowed. */
void start_init(struct start *start, const struct runtime_request *request);

/* Parent: opens everything that needs the host's view. */
int start_prepare(struct start *start, const struct runtime_request *request, struct error *err);
void start_release(struct start *start);

/* Parent: what the mounts in start->spec bring from outside. */
int start_open_sources(struct start *start, struct error *err);

/*
 * Child: fills a source from a directory of the image (NO_FD: from none), gives it to the user, maps its
 * ids, and makes it read-only and the like, before it is attached.
 */
int start_finish_source(const struct start *start, size_t index, int fill_from_fd,
			struct error *err);

/* Either: the filesystem of a mount that is no bind; a mount that is attached nowhere. */
int mount_filesystem(const struct spec_mount *mount, unsigned int attributes, struct error *err);

/* Child: runs all stages; returns only with an error. */
int start_child(struct start *start, struct error *err);

/* Parent: the detached root mount. */
int start_make_root(const struct start *start, struct error *err);

/* Parent: SYNC_VIEW, where the view is made of v1 groups. */
int start_send_view(const struct start *start, int sock, struct error *err);

int stage_user(struct start *start, struct error *err);
int stage_namespaces(struct start *start, struct error *err);
int stage_visible(struct start *start, struct error *err);
int stage_root(struct start *start, struct error *err);
int stage_mounts(struct start *start, struct error *err);
/* One of start->spec.mounts, inside start->root_fd, which is "/". */
int stage_mount_one(struct start *start, size_t index, struct error *err);
/* Nodes and links below a /dev that is not mounted yet; `uid` and `gid` are what 0 becomes. */
int devices_make(struct start *start, int dev_fd, struct error *err);
int stage_devices(struct start *start, struct error *err);
int stage_cgroup_view(struct start *start, struct error *err);
int stage_hooks(struct start *start, struct error *err);
int stage_terminal(struct start *start, struct error *err);
int stage_system(struct start *start, struct error *err);
int stage_hide(struct start *start, struct error *err);

/* Whether hooks want to see the container's root in the host's tree: stage_hooks() pivots then. */
bool start_pivots_late(const struct start *start);

/* What a hook that this process runs is told; a new reference. */
json_t *start_hook_state(const struct start *start, const char *status);

/* Child: waits for a starter at the listener (start_wait.h), who is start->sync_child from then on. */
int start_wait_here(struct start *start, int *listener_fd, struct error *err);

/* Parent: makes or joins the time namespace for its next child, and returns itself. */
int start_enter_time(const struct start *start, int *ret_own_fd, struct error *err);
int start_leave_time(int own_fd, struct error *err);

/* Copies what the image has at target_fd into an empty volume. */
int volume_fill(int target_fd, int volume_fd, struct error *err);

/* Gives what is mounted there to somebody: all of that filesystem, following no link. */
int chown_tree(int mount_fd, uid_t uid, gid_t gid, struct error *err);

DEFINE_CLEANUP_VALUE(struct start, start_release);

#endif
