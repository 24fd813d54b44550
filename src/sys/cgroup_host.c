/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup_host.c - which hierarchies this machine has
 *
 * One read of mountinfo says everything: where each hierarchy is mounted, and in the superblock's
 * options of a v1 mount, which controllers it has. Mounts are known apart by their device number,
 * so a hierarchy that is mounted several times counts once. Only v2 has to be asked for its
 * controllers.
 */
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/strbuf.h"
#include "sys/cgroup_internal.h"

struct mount_line {
	char *device, *root, *mount_point, *type, *super_options;
};

/* Cuts the next word off; NULL at the end of the line. */
static char *next_word(char **cursor)
{
	char *word = *cursor, *end;

	if (!word || *word == '\0')
		return NULL;
	end = strchr(word, ' ');
	if (end)
		*end++ = '\0';
	*cursor = end;
	return word;
}

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

/* Space, tab, newline, backslash and '#' are written as \ooo. */
static void unescape(char *text)
{
	char *out = text;

	for (const char *in = text; *in; in++) {
		if (in[0] == '\\' && is_octal(in[1]) && is_octal(in[2]) && is_octal(in[3])) {
			*out++ = (char)((in[1] - '0') << 6 | (in[2] - '0') << 3 | (in[3] - '0'));
			in += 3;
		} else {
			*out++ = *in;
		}
	}
	*out = '\0';
}

/*
 * "36 31 0:33 / /sys/fs/cgroup/devices rw,relatime shared:5 - cgroup cgroup rw,devices": any number
 * of optional fields before the lone '-'.
 */
static bool split_line(char *line, struct mount_line *ret_mount)
{
	struct mount_line m = {0};
	char *word;

	for (int i = 0; i < 2; i++)
		(void)next_word(&line);
	m.device = next_word(&line);
	m.root = next_word(&line);
	m.mount_point = next_word(&line);
	do
		word = next_word(&line);
	while (word && strcmp(word, "-") != 0);
	m.type = next_word(&line);
	if (!next_word(&line))
		return false;
	m.super_options = next_word(&line);
	if (!m.super_options)
		return false;
	unescape(m.mount_point);
	*ret_mount = m;
	return true;
}

static bool is_mount_flag(const char *option)
{
	static const char *const flags[] = {"rw",    "ro",       "all",          "clone_children",
					    "xattr", "noprefix", "favordynmods", "cpuset_v2_mode",
					    "none",  "seclabel"};

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (strcmp(option, flags[i]) == 0)
			return true;
	return false;
}

/* "rw,xattr,name=systemd" to "name=systemd", "rw,cpu,cpuacct" to "cpu,cpuacct". */
static char *controllers_of(char *super_options)
{
	auto_(strbuf_release) struct strbuf list = {0};
	char *rest = super_options, *option;

	while ((option = strsep(&rest, ","))) {
		bool is_name = strncmp(option, "name=", 5) == 0;

		if (*option == '\0' || is_mount_flag(option) || (strchr(option, '=') && !is_name))
			continue;
		if (list.len > 0)
			strbuf_addc(&list, ',');
		strbuf_adds(&list, option);
	}
	return strbuf_take(&list);
}

/* The usual place wins over others, the whole hierarchy over a part of it. */
static int rank_mount(const struct mount_line *m)
{
	bool usual = strcmp(m->mount_point, "/sys/fs/cgroup") == 0 ||
		     strncmp(m->mount_point, "/sys/fs/cgroup/", 15) == 0;

	return (usual ? 2 : 0) + (strcmp(m->root, "/") == 0 ? 1 : 0);
}

static void hierarchy_release(struct hierarchy *h)
{
	cleanup_free_ptr(&h->name);
	cleanup_free_ptr(&h->mount_data);
	cleanup_free_ptr(&h->controllers);
	cleanup_free_ptr(&h->mount_point);
	cleanup_free_ptr(&h->device);
	cleanup_close_fd(&h->root_fd);
}

static struct hierarchy *find_device(struct cgroup_host *host, const char *device)
{
	for (size_t i = 0; i < host->count; i++)
		if (strcmp(host->items[i].device, device) == 0)
			return &host->items[i];
	return NULL;
}

static void add_mount(struct cgroup_host *host, const struct mount_line *m, bool is_v2)
{
	struct hierarchy *h = find_device(host, m->device);

	if (h && h->rank >= rank_mount(m))
		return;
	if (h)
		hierarchy_release(h);
	else if (host->count < CGROUP_HIERARCHIES_MAX)
		h = &host->items[host->count++];
	else
		return;
	*h = (struct hierarchy){.root_fd = NO_FD, .rank = rank_mount(m)};
	h->device = xstrdup(m->device);
	h->mount_point = xstrdup(m->mount_point);
	h->controllers = is_v2 ? xstrdup("") : controllers_of(m->super_options);
	h->view.is_v2 = is_v2;
}

/* Names what the container's view will be made of; the last step, when it is known who is there. */
static void name_hierarchy(struct hierarchy *h, bool has_v1)
{
	if (h->view.is_v2) {
		h->name = xstrdup(has_v1 ? "unified" : "");
		h->mount_data = xstrdup("");
	} else if (strncmp(h->controllers, "name=", 5) == 0) {
		h->name = xstrdup(h->controllers + 5);
		h->mount_data = xasprintf("none,%s", h->controllers);
	} else {
		h->name = xstrdup(path_basename(h->mount_point));
		h->mount_data = xstrdup(h->controllers);
	}
	h->view.name = h->name;
	h->view.mount_data = h->mount_data;
}

void cgroup_host_parse(struct cgroup_host *host, char *mountinfo)
{
	char *rest = mountinfo, *line;
	struct mount_line m;
	bool has_v1 = false;

	while ((line = strsep(&rest, "\n"))) {
		/* Most lines are of other filesystems: look before taking them apart. */
		if (!strstr(line, " - cgroup") || !split_line(line, &m))
			continue;
		if (strcmp(m.type, "cgroup") == 0)
			add_mount(host, &m, /* is_v2= */ false);
		else if (strcmp(m.type, "cgroup2") == 0)
			add_mount(host, &m, /* is_v2= */ true);
	}
	for (size_t i = 0; i < host->count; i++)
		has_v1 = has_v1 || !host->items[i].view.is_v2;
	for (size_t i = 0; i < host->count; i++)
		name_hierarchy(&host->items[i], has_v1);
}

/* A mount may lie hidden under another one: what is opened must be what mountinfo said. */
static int open_root(struct hierarchy *h)
{
	char controllers[512];
	struct statfs fs;
	ssize_t n;

	h->root_fd = open(h->mount_point, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (h->root_fd < 0)
		return -errno;
	if (fstatfs(h->root_fd, &fs) < 0)
		return -errno;
	if (fs.f_type != (h->view.is_v2 ? CGROUP2_SUPER_MAGIC : CGROUP_SUPER_MAGIC))
		return -ENOENT;
	if (!h->view.is_v2)
		return 0;
	n = cgroup_read_file(h->root_fd, "cgroup.controllers", controllers, sizeof(controllers));
	if (n < 0)
		return (int)n;
	free(h->controllers);
	h->controllers = xstrdup(controllers);
	return 0;
}

/* Opens what was found and drops what cannot be reached. */
static void open_roots(struct cgroup_host *host)
{
	size_t kept = 0;

	for (size_t i = 0; i < host->count; i++) {
		struct hierarchy *h = &host->items[i];
		int r = open_root(h);

		if (r < 0) {
			log_debug("sys", "cgroup mount %s: %s, ignoring it", h->mount_point,
				  errno_text(-r));
			hierarchy_release(h);
			continue;
		}
		if (kept != i) {
			host->items[kept] = *h;
			*h = (struct hierarchy){.root_fd = NO_FD};
		}
		kept++;
	}
	host->count = kept;
}

int cgroup_host_open(struct cgroup_host **ret_host)
{
	auto_(cgroup_host_free) struct cgroup_host *host = NULL;
	auto_free char *text = NULL;
	auto_close int fd = NO_FD;
	int r;

	fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = fd_read_text(fd, CGROUP_MOUNTINFO_MAX, &text, NULL);
	if (r < 0)
		return r;

	host = xcalloc(1, sizeof(*host));
	cgroup_host_parse(host, text);
	open_roots(host);
	*ret_host = TAKE_PTR(host);
	return 0;
}

void cgroup_host_free(struct cgroup_host *host)
{
	if (!host)
		return;
	for (size_t i = 0; i < host->count; i++)
		hierarchy_release(&host->items[i]);
	free(host);
}

enum cgroup_mode cgroup_host_mode(const struct cgroup_host *host)
{
	bool v1 = false, v2 = false;

	for (size_t i = 0; i < host->count; i++) {
		v1 = v1 || !host->items[i].view.is_v2;
		v2 = v2 || host->items[i].view.is_v2;
	}
	if (v1)
		return v2 ? CGROUP_MODE_HYBRID : CGROUP_MODE_V1;
	return v2 ? CGROUP_MODE_V2 : CGROUP_MODE_NONE;
}

size_t cgroup_host_count(const struct cgroup_host *host)
{
	return host->count;
}

const struct cgroup_hierarchy *cgroup_host_get(const struct cgroup_host *host, size_t index)
{
	return index < host->count ? &host->items[index].view : NULL;
}

bool cgroup_list_has(const char *list, const char *word)
{
	size_t len = strlen(word);

	while (len > 0 && *list) {
		size_t n = strcspn(list, ", ");

		if (n == len && memcmp(list, word, n) == 0)
			return true;
		list += n;
		list += strspn(list, ", ");
	}
	return false;
}

bool cgroup_host_has(const struct cgroup_host *host, const char *controller)
{
	for (size_t i = 0; i < host->count; i++) {
		const struct hierarchy *h = &host->items[i];

		if (cgroup_list_has(h->controllers, controller))
			return true;
		/* v2 has these in its core: a BPF program and a file in every group. */
		if (h->view.is_v2 &&
		    (strcmp(controller, "devices") == 0 || strcmp(controller, "freezer") == 0))
			return true;
		/* The same controller under its two names. */
		if (strcmp(controller, "io") == 0 && cgroup_list_has(h->controllers, "blkio"))
			return true;
		if (strcmp(controller, "blkio") == 0 && cgroup_list_has(h->controllers, "io"))
			return true;
	}
	return false;
}

bool cgroup_host_has_v1(const struct cgroup_host *host, const char *controller)
{
	for (size_t i = 0; i < host->count; i++)
		if (!host->items[i].view.is_v2 &&
		    cgroup_list_has(host->items[i].controllers, controller))
			return true;
	return false;
}
