/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/copy_place.h"

#include <assert.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "engine/image_copy.h"

static const char *const transports[] = {
	[PLACE_STORE] = NULL,
	[PLACE_REGISTRY] = "docker",
	[PLACE_LAYOUT] = "oci",
	[PLACE_DIRECTORY] = "dir",
	[PLACE_DOCKER_ARCHIVE] = "docker-archive",
	[PLACE_OCI_ARCHIVE] = "oci-archive",
};

static_assert(ARRAY_SIZE(transports) == PLACE_KIND_COUNT, "every place has a transport");

/* "docker" alone is also the name of an image: a registry needs its slashes. */
static size_t prefix_len(enum place_kind kind, const char *text)
{
	size_t len = transports[kind] ? strlen(transports[kind]) : 0;

	if (len == 0 || strncmp(text, transports[kind], len) != 0 || text[len] != ':')
		return 0;
	if (kind != PLACE_REGISTRY)
		return text[len + 1] ? len + 1 : 0;
	return strncmp(text + len, "://", 3) == 0 ? len + 3 : 0;
}

struct place place_parse(const char *text)
{
	for (int kind = PLACE_REGISTRY; kind < PLACE_KIND_COUNT; kind++) {
		size_t len = prefix_len((enum place_kind)kind, text);

		if (len > 0)
			return (struct place){(enum place_kind)kind, text + len};
	}
	return (struct place){PLACE_STORE, text};
}

const char *place_transport(enum place_kind kind)
{
	return transports[kind];
}

void place_split(const char *name, char **ret_path, char **ret_reference)
{
	size_t len = access(name, F_OK) == 0 ? strlen(name) : strcspn(name, ":");

	*ret_path = xstrndup(name, len);
	*ret_reference = name[len] && name[len + 1] ? xstrdup(name + len + 1) : NULL;
}

bool image_copy_is_file_place(const char *text)
{
	enum place_kind kind = place_parse(text).kind;

	return kind != PLACE_STORE && kind != PLACE_REGISTRY;
}
