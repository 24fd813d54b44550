/* SPDX-License-Identifier: Apache-2.0 */
/*
 * floor_cgroup.c - one group in every hierarchy, with docker's device rules
 */
#include "floor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void write_file_at(int dir_fd, const char *path, const char *text)
{
	int fd = openat(dir_fd, path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		floor_die(path);
	close(fd);
}

/* "… MOUNTPOINT … - cgroup SOURCE rw,memory": the last option names the controllers. */
static void add_hierarchy(struct floor_cgroups *cgroups, const char *mount_point, const char *type,
			  const char *super_options)
{
	struct floor_hierarchy *h = &cgroups->item[cgroups->count];
	const char *data = strchr(super_options, ',');

	if (cgroups->count == FLOOR_HIERARCHIES_MAX)
		return;
	h->is_v2 = strcmp(type, "cgroup2") == 0;
	if (strlen(mount_point) >= sizeof(h->path))
		return;
	memcpy(h->path, mount_point, strlen(mount_point) + 1);
	h->name = strrchr(h->path, '/') + 1;
	h->fs_data = data ? strdup(data + 1) : "";
	h->root_fd = open(mount_point, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (h->root_fd < 0)
		floor_die(mount_point);
	cgroups->count++;
}

void floor_cgroups_find(struct floor_cgroups *cgroups)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char line[1024], mount_point[512], type[64], super_options[256];

	if (!f)
		floor_die("/proc/self/mountinfo");
	while (fgets(line, sizeof(line), f)) {
		const char *tail = strstr(line, " - ");

		if (!tail || sscanf(line, "%*s %*s %*s %*s %511s", mount_point) != 1 ||
		    sscanf(tail, " - %63s %*s %255s", type, super_options) != 2)
			continue;
		if (strcmp(type, "cgroup") == 0 || strcmp(type, "cgroup2") == 0)
			add_hierarchy(cgroups, mount_point, type, super_options);
	}
	(void)fclose(f);
	(void)snprintf(cgroups->group, sizeof(cgroups->group), "floor-%d", (int)getpid());
}

/* A v1 cpuset refuses members until it has processors and memory nodes. */
static void inherit_cpuset(int root_fd, const char *group)
{
	static const char *const files[] = {"cpuset.cpus", "cpuset.mems"};
	char path[128], text[256];

	for (size_t i = 0; i < 2; i++) {
		int fd = openat(root_fd, files[i], O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

		if (n < 0)
			floor_die(files[i]);
		text[n] = '\0';
		close(fd);
		(void)snprintf(path, sizeof(path), "%s/%s", group, files[i]);
		write_file_at(root_fd, path, text);
	}
}

void floor_cgroups_create(const struct floor_cgroups *cgroups, enum floor_versions versions)
{
	for (size_t i = 0; i < cgroups->count; i++) {
		const struct floor_hierarchy *h = &cgroups->item[i];

		if (!(versions & (h->is_v2 ? FLOOR_V2 : FLOOR_V1)))
			continue;
		if (mkdirat(h->root_fd, cgroups->group, 0755) < 0)
			floor_die("mkdir cgroup");
		if (!h->is_v2 && strcmp(h->name, "cpuset") == 0)
			inherit_cpuset(h->root_fd, cgroups->group);
	}
}

void floor_cgroups_devices(const struct floor_cgroups *cgroups)
{
	static const char *const allowed[] = {
		"c *:* m",   "b *:* m",   "c 1:3 rwm", "c 1:5 rwm", "c 1:7 rwm",
		"c 1:8 rwm", "c 1:9 rwm", "c 5:0 rwm", "c 5:2 rwm", "c 136:* rwm",
	};
	char path[128];
	int fd;

	for (size_t i = 0; i < cgroups->count; i++) {
		const struct floor_hierarchy *h = &cgroups->item[i];

		if (h->is_v2 || strcmp(h->name, "devices") != 0)
			continue;
		(void)snprintf(path, sizeof(path), "%s/devices.deny", cgroups->group);
		write_file_at(h->root_fd, path, "a");
		(void)snprintf(path, sizeof(path), "%s/devices.allow", cgroups->group);
		fd = openat(h->root_fd, path, O_WRONLY | O_CLOEXEC);
		for (size_t k = 0; k < sizeof(allowed) / sizeof(allowed[0]); k++)
			if (write(fd, allowed[k], strlen(allowed[k])) < 0)
				floor_die(path);
		close(fd);
	}
}

int floor_cgroups_v2_fd(const struct floor_cgroups *cgroups)
{
	for (size_t i = 0; i < cgroups->count; i++)
		if (cgroups->item[i].is_v2)
			return openat(cgroups->item[i].root_fd, cgroups->group,
				      O_PATH | O_DIRECTORY | O_CLOEXEC);
	return -1;
}

void floor_cgroups_attach(const struct floor_cgroups *cgroups, const char *file, pid_t pid)
{
	char path[128], text[16];

	(void)snprintf(path, sizeof(path), "%s/%s", cgroups->group, file);
	(void)snprintf(text, sizeof(text), "%d", (int)pid);
	for (size_t i = 0; i < cgroups->count; i++)
		if (!cgroups->item[i].is_v2)
			write_file_at(cgroups->item[i].root_fd, path, text);
}

void floor_cgroups_remove(const struct floor_cgroups *cgroups)
{
	for (size_t i = 0; i < cgroups->count; i++)
		while (unlinkat(cgroups->item[i].root_fd, cgroups->group, AT_REMOVEDIR) < 0)
			if (errno != EBUSY)
				floor_die("rmdir cgroup");
}
