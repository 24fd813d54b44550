/* SPDX-License-Identifier: Apache-2.0 */
#include "network/names.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdalign.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/path.h"

#define TRIES 16
#define ENTRY_TEXT_MAX 256

bool names_normalize(const char *name, char ret_name[NAME_TEXT_SIZE])
{
	size_t len = strlen(name);

	if (len && name[len - 1] == '.')
		len--;
	if (len == 0 || len >= NAME_TEXT_SIZE || name[0] == '.')
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = name[i];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
		      c == '.'))
			return false;
		ret_name[i] = c;
	}
	ret_name[len] = '\0';
	return true;
}

/* ---- changing ---- */

/* A directory that is empty goes with its last entry, perhaps right under us: then it is made again. */
static int add_entry(int state_fd, const char *directory, const char *container, const char *text)
{
	auto_free char *path = xasprintf("%s/%s", directory, container);
	int r = -EAGAIN;

	for (int i = 0; i < TRIES && r != 0; i++) {
		if (mkdirat(state_fd, directory, 0700) < 0 && errno != EEXIST && errno != ENOENT)
			return -errno;
		if (symlinkat(text, state_fd, path) == 0)
			return 0;
		r = -errno;
		if (r == -EEXIST && unlinkat(state_fd, path, 0) < 0 && errno != ENOENT)
			return -errno;
		if (r != -EEXIST && r != -ENOENT)
			return r;
	}
	return r;
}

static void remove_entry(int state_fd, const char *directory, const char *container)
{
	auto_free char *path = xasprintf("%s/%s", directory, container);

	if (unlinkat(state_fd, path, 0) < 0 && errno != ENOENT)
		log_debug("network", "ignoring: remove '%s': %s", path, errno_text(errno));
	(void)unlinkat(state_fd, directory, AT_REMOVEDIR); /* unless others are there */
}

static int make_directories(int state_fd, const char *network)
{
	auto_free char *base = xasprintf("networks/%s", network);
	auto_free char *names = xasprintf("%s/names", base);
	auto_free char *addresses = xasprintf("%s/addresses", base);
	const char *const all[] = {"networks", base, names, addresses};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (mkdirat(state_fd, all[i], 0700) < 0 && errno != EEXIST)
			return -errno;
	return 0;
}

static char *name_directory(const struct network_interface *interface, const char *name)
{
	return xasprintf("networks/%s/names/%s", interface->link.id, name);
}

static char *address_directory(const struct network_interface *interface,
			       const struct ip_address *address)
{
	char text[IP_TEXT_SIZE];

	ip_address_format(address, text);
	return xasprintf("networks/%s/addresses/%s", interface->link.id, text);
}

static int add_address(int state_fd, const char *container,
		       const struct network_interface *interface, const struct ip_address *address)
{
	auto_free char *directory = NULL;

	if (!address->family)
		return 0;
	directory = address_directory(interface, address);
	return add_entry(state_fd, directory, container, interface->names.items[0]);
}

int names_add(int state_fd, const char *container, const struct network_interface *interface)
{
	char text4[IP_TEXT_SIZE], text6[IP_TEXT_SIZE], text[2 * IP_TEXT_SIZE + 2];
	char name[NAME_TEXT_SIZE];
	int r;

	if (interface->names.count == 0)
		return 0;
	ip_address_format(&interface->address4.address, text4);
	ip_address_format(&interface->address6.address, text6);
	(void)snprintf(text, sizeof(text), "%s,%s", text4, text6);
	r = make_directories(state_fd, interface->link.id);
	for (size_t i = 0; i < interface->names.count && r == 0; i++) {
		auto_free char *directory = NULL;

		if (!names_normalize(interface->names.items[i], name))
			continue;
		directory = name_directory(interface, name);
		r = add_entry(state_fd, directory, container, text);
	}
	if (r == 0)
		r = add_address(state_fd, container, interface, &interface->address4.address);
	if (r == 0)
		r = add_address(state_fd, container, interface, &interface->address6.address);
	return r;
}

void names_remove(int state_fd, const char *container, const struct network_interface *interface)
{
	const struct ip_address *addresses[] = {&interface->address4.address,
						&interface->address6.address};
	char name[NAME_TEXT_SIZE];

	if (interface->names.count == 0)
		return;
	for (size_t i = 0; i < interface->names.count; i++) {
		auto_free char *directory = NULL;

		if (!names_normalize(interface->names.items[i], name))
			continue;
		directory = name_directory(interface, name);
		remove_entry(state_fd, directory, container);
	}
	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
		auto_free char *directory = NULL;

		if (!addresses[i]->family)
			continue;
		directory = address_directory(interface, addresses[i]);
		remove_entry(state_fd, directory, container);
	}
}

void names_forget(int state_fd, const char *network)
{
	auto_free char *path = xasprintf("networks/%s", network);

	(void)path_remove_tree(state_fd, path);
}

/* ---- looking ---- */

typedef bool entry_fn(const char *text, void *context);

/* Calls `take` with the text of the entry; false: it has enough. */
static bool take_entry(int directory_fd, const char *name, entry_fn *take, void *context)
{
	char text[ENTRY_TEXT_MAX];
	ssize_t n;

	if (name[0] == '.')
		return true;
	n = readlinkat(directory_fd, name, text, sizeof(text) - 1);
	if (n < 0)
		return true;
	text[n] = '\0';
	return take(text, context);
}

/*
 * Calls `take` with the text of each entry until it returns false. Every question of a container comes
 * through here: opendir(3) would ask the kernel for three things more that nobody needs.
 */
static bool each_entry(int networks_fd, const char *path, entry_fn *take, void *context)
{
	auto_close int fd =
		openat(networks_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	alignas(struct dirent64) char entries[2048];
	ssize_t n;

	if (fd < 0)
		return false;
	while ((n = getdents64(fd, entries, sizeof(entries))) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct dirent64 *entry = (const void *)(entries + at);

			if (!take_entry(fd, entry->d_name, take, context))
				return true;
			at += entry->d_reclen;
		}
	}
	return true;
}

struct find {
	struct names_found *found;
	int family;
};

/* "ADDRESS4,ADDRESS6", either of which may be missing. */
static bool take_addresses(const char *text, void *context)
{
	const char *comma = strchr(text, ',');
	char address4[IP_TEXT_SIZE] = "";
	struct find *find = context;
	struct ip_address address;
	const char *wanted;

	if (!comma || (size_t)(comma - text) >= sizeof(address4))
		return true;
	memcpy(address4, text, (size_t)(comma - text));
	find->found->exists = true;
	wanted = find->family == AF_INET6 ? comma + 1 : address4;
	if (ip_address_parse(wanted, &address) == 0 && address.family == find->family)
		find->found->items[find->found->count++] = address;
	return find->found->count < NAMES_FOUND_MAX;
}

void names_find(int networks_fd, const char *network, const char *name, int family,
		struct names_found *found)
{
	struct find find = {found, family};
	char path[NETWORK_ID_SIZE + NAME_TEXT_SIZE + 16];

	if (found->count >= NAMES_FOUND_MAX)
		return;
	(void)snprintf(path, sizeof(path), "%s/names/%s", network, name);
	(void)each_entry(networks_fd, path, take_addresses, &find);
}

static bool take_name(const char *text, void *context)
{
	return !names_normalize(text, context);
}

bool names_find_address(int networks_fd, const char *network, const struct ip_address *address,
			char ret_name[NAME_TEXT_SIZE])
{
	char path[NETWORK_ID_SIZE + IP_TEXT_SIZE + 16], text[IP_TEXT_SIZE];

	ip_address_format(address, text);
	(void)snprintf(path, sizeof(path), "%s/addresses/%s", network, text);
	ret_name[0] = '\0';
	return each_entry(networks_fd, path, take_name, ret_name) && ret_name[0];
}
