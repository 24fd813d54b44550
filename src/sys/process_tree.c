/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/process_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/parse.h"

#define PASSES_MAX 64 /* each stops at least one more process */

struct process_tree {
	pid_t leader;
	pid_t *pids; /* stopped, the leader included */
	size_t count;
};

static bool has(const struct process_tree *tree, pid_t pid)
{
	for (size_t i = 0; i < tree->count; i++)
		if (tree->pids[i] == pid)
			return true;
	return false;
}

static void add(struct process_tree *tree, pid_t pid)
{
	tree->pids = xreallocarray(tree->pids, tree->count + 1, sizeof(*tree->pids));
	tree->pids[tree->count++] = pid;
	(void)kill(pid, SIGSTOP);
}

/* A number of /proc/PID/stat; `bracket` ends field 2, and fields are separated by one space. */
static bool parse_field(const char *bracket, int field, pid_t *ret_pid)
{
	const char *p = bracket;
	char number[16];
	uint32_t value;

	for (int at = 2; p && at < field; at++)
		p = strchr(p + 1, ' ');
	if (!p)
		return false;
	(void)snprintf(number, sizeof(number), "%.*s", (int)strcspn(p + 1, " "), p + 1);
	if (parse_u32(number, &value) < 0)
		return false;
	*ret_pid = (pid_t)value;
	return true;
}

/* Fields 4 and 6 of /proc/PID/stat: parent and session. The name in field 2 may hold anything. */
static bool read_family(int proc_fd, const char *name, pid_t *ret_parent, pid_t *ret_session)
{
	char path[32], text[1024], *p;
	auto_close int fd = NO_FD;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "%.20s/stat", name);
	fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return false;
	text[n] = '\0';
	p = strrchr(text, ')');
	return p && parse_field(p, 4, ret_parent) && parse_field(p, 6, ret_session);
}

/* Whether it has found another one. */
static bool find_more(struct process_tree *tree)
{
	auto_closedir DIR *dir = opendir("/proc");
	struct dirent *entry;
	bool found = false;

	while (dir && (entry = readdir(dir))) {
		pid_t parent, session;
		uint32_t pid;

		if (parse_u32(entry->d_name, &pid) < 0 || has(tree, (pid_t)pid) ||
		    !read_family(dirfd(dir), entry->d_name, &parent, &session))
			continue;
		if (session != tree->leader && !has(tree, parent))
			continue;
		add(tree, (pid_t)pid);
		found = true;
	}
	return found;
}

void process_tree_kill(pid_t leader)
{
	struct process_tree tree = {.leader = leader};

	add(&tree, leader);
	for (unsigned int i = 0; i < PASSES_MAX && find_more(&tree); i++)
		continue;
	for (size_t i = tree.count; i-- > 0;)
		(void)kill(tree.pids[i], SIGKILL);
	free(tree.pids);
}
