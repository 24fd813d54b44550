/* SPDX-License-Identifier: Apache-2.0 */
#include "network/sysctl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/log.h"

static int write_value(const char *path, const char *value)
{
	auto_close int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return write(fd, value, strlen(value)) < 0 ? -errno : 0;
}

/* The first character: these files hold one digit. 0 when it cannot be read. */
static char read_value(const char *path)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	char value = 0;

	if (fd >= 0 && read(fd, &value, 1) != 1)
		value = 0;
	return value;
}

int sysctl_set_link(const char *family, const char *link, const char *key, const char *value)
{
	auto_free char *path = NULL;

	/* A link's name may have dots, never slashes. */
	path = xasprintf("/proc/sys/net/%s/conf/%s/%s", family, link, key);
	return write_value(path, value);
}

int sysctl_set_text(const char *link, const char *text)
{
	const char *equals = strchr(text, '='), *slash;
	auto_free char *path = NULL;

	slash = equals ? memrchr(text, '/', (size_t)(equals - text)) : NULL;
	if (!slash)
		return -EINVAL;
	path = xasprintf("/proc/sys/net/%.*s/%s/%.*s", (int)(slash - text), text, link,
			 (int)(equals - slash - 1), slash + 1);
	return write_value(path, equals + 1);
}

bool sysctl_bridge_filters(void)
{
	return read_value("/proc/sys/net/bridge/bridge-nf-call-iptables") == '1';
}

int sysctl_forward4(void)
{
	static const char path[] = "/proc/sys/net/ipv4/ip_forward";

	return read_value(path) == '1' ? 0 : write_value(path, "1");
}

static void keep_listening(void)
{
	auto_closedir DIR *dir = opendir("/proc/sys/net/ipv6/conf");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		auto_free char *path = NULL;

		if (entry->d_name[0] == '.' || strcmp(entry->d_name, "all") == 0 ||
		    strcmp(entry->d_name, "default") == 0)
			continue;
		path = xasprintf("/proc/sys/net/ipv6/conf/%s/accept_ra", entry->d_name);
		if (read_value(path) == '1' && write_value(path, "2") < 0)
			log_debug("network", "ignoring: %s cannot be set", path);
	}
}

int sysctl_forward6(void)
{
	static const char path[] = "/proc/sys/net/ipv6/conf/all/forwarding";

	if (read_value(path) == '1')
		return 0;
	keep_listening();
	return write_value(path, "1");
}
