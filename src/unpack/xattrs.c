/* SPDX-License-Identifier: Apache-2.0 */
#include "unpack/xattrs.h"

#include <errno.h>
#include <linux/limits.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/alloc.h"

static bool has_prefix(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool xattr_travels(const char *name)
{
	if (has_prefix(name, "trusted.") || has_prefix(name, "user.overlay."))
		return false;
	return !has_prefix(name, "security.") || strcmp(name, "security.capability") == 0;
}

void xattr_list_release(struct xattr_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free((char *)list->items[i].value);
	free(list->items);
	free(list->memory);
	*list = (struct xattr_list){0};
}

/* What is gone between the list and the question was never there. */
static int read_value(int fd, const char *name, struct xattr_list *list)
{
	auto_free char *value = xmalloc(XATTR_SIZE_MAX);
	ssize_t len = fgetxattr(fd, name, value, XATTR_SIZE_MAX);

	if (len < 0)
		return errno == ENODATA || errno == EOPNOTSUPP ? 0 : -errno;
	list->items = xreallocarray(list->items, list->count + 1, sizeof(*list->items));
	list->items[list->count++] = (struct pax_xattr){
		.name = name,
		.value = xreallocarray(TAKE_PTR(value), (size_t)len + 1, 1),
		.len = (size_t)len,
	};
	return 0;
}

int xattr_list_read_one(int fd, const char *name, struct xattr_list *ret_list)
{
	auto_(xattr_list_release) struct xattr_list list = {.memory = xstrdup(name)};
	int r = read_value(fd, list.memory, &list);

	if (r < 0)
		return r;
	*ret_list = list;
	list = (struct xattr_list){0};
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	const struct pax_xattr *x = a, *y = b;

	return strcmp(x->name, y->name);
}

int xattr_list_read(int fd, struct xattr_list *ret_list)
{
	auto_(xattr_list_release) struct xattr_list list = {0};
	ssize_t len = flistxattr(fd, NULL, 0);

	if (len == 0 || (len < 0 && errno == EOPNOTSUPP))
		return 0;
	list.memory = xmalloc(XATTR_LIST_MAX);
	len = flistxattr(fd, list.memory, XATTR_LIST_MAX);
	if (len < 0)
		return -errno;
	for (const char *name = list.memory; name < list.memory + len; name += strlen(name) + 1) {
		int r = xattr_travels(name) ? read_value(fd, name, &list) : 0;

		if (r < 0)
			return r;
	}
	if (list.count > 1)
		qsort(list.items, list.count, sizeof(*list.items), compare_names);
	*ret_list = list;
	list = (struct xattr_list){0};
	return 0;
}
