/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/block_io.h"

#include <assert.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/alloc.h"
#include "base/parse.h"

#define WEIGHT_MIN 10
#define WEIGHT_MAX 1000

static const struct kind_name {
	const char *oci, *oci_value, *inspect_value;
} kind_names[] = {
	[BLOCK_IO_WEIGHT] = {"weightDevice", "weight", "Weight"},
	[BLOCK_IO_READ_BPS] = {"throttleReadBpsDevice", "rate", "Rate"},
	[BLOCK_IO_WRITE_BPS] = {"throttleWriteBpsDevice", "rate", "Rate"},
	[BLOCK_IO_READ_IOPS] = {"throttleReadIOPSDevice", "rate", "Rate"},
	[BLOCK_IO_WRITE_IOPS] = {"throttleWriteIOPSDevice", "rate", "Rate"},
};

static_assert(ARRAY_SIZE(kind_names) == BLOCK_IO_KIND_COUNT, "every kind has its names");

static int parse_value(enum block_io_kind kind, const char *text, const char *value,
		       uint64_t *ret_value, struct error *err)
{
	int r;

	switch (kind) {
	case BLOCK_IO_WEIGHT:
		r = parse_u64(value, ret_value);
		if (r < 0 ||
		    (*ret_value > 0 && (*ret_value < WEIGHT_MIN || *ret_value > WEIGHT_MAX)))
			return err_set(err, ERR_INVALID, 0, "invalid weight for device: %s", text);
		return 0;
	case BLOCK_IO_READ_BPS:
	case BLOCK_IO_WRITE_BPS:
		r = parse_size(value, ret_value);
		if (r < 0 || *ret_value > INT64_MAX)
			return err_set(err, ERR_INVALID, 0,
				       "invalid rate for device: %s. The correct format is "
				       "<device-path>:<number>[<unit>]. Number must be a positive "
				       "integer. Unit is optional and can be kb, mb, or gb",
				       text);
		return 0;
	case BLOCK_IO_READ_IOPS:
	case BLOCK_IO_WRITE_IOPS:
		r = parse_u64(value, ret_value);
		if (r < 0 || *ret_value > INT64_MAX)
			return err_set(err, ERR_INVALID, 0,
				       "invalid rate for device: %s. The correct format is "
				       "<device-path>:<number>. Number must be a positive integer",
				       text);
		return 0;
	}
	return -EINVAL;
}

int block_io_parse(enum block_io_kind kind, const char *text, struct block_io_spec *ret_spec,
		   struct error *err)
{
	const char *colon = strchr(text, ':');
	struct block_io_spec spec = {0};
	int r;

	if (!colon || !colon[1])
		return err_set(err, ERR_INVALID, 0, "bad format: %s", text);
	if (strncmp(text, "/dev/", 5) != 0)
		return err_set(err, ERR_INVALID, 0, "bad format for device path: %s", text);
	r = parse_value(kind, text, colon + 1, &spec.value, err);
	if (r < 0)
		return r;
	spec.path = xstrndup(text, (size_t)(colon - text));
	*ret_spec = spec;
	return 0;
}

void block_io_release(struct block_io_spec *spec)
{
	free(spec->path);
	*spec = (struct block_io_spec){0};
}

static bool same_path(const char *a, const char *b)
{
	size_t len = strcspn(a, ":");

	return len == strcspn(b, ":") && memcmp(a, b, len) == 0;
}

void block_io_merge(struct strv *list, const struct strv *texts)
{
	for (size_t i = 0; i < texts->count; i++) {
		for (size_t n = list->count; n-- > 0;)
			if (same_path(list->items[n], texts->items[i]))
				strv_remove(list, n);
		strv_add(list, texts->items[i]);
	}
}

static int device_entry(enum block_io_kind kind, const char *text, json_t **ret_entry,
			struct error *err)
{
	auto_(block_io_release) struct block_io_spec spec = {0};
	struct stat st;
	int r;

	r = block_io_parse(kind, text, &spec, err);
	if (r < 0)
		return r;
	assert(spec.path);
	if (stat(spec.path, &st) < 0)
		return err_set(err, ERR_INVALID, errno, "limit of block device '%s': %s", spec.path,
			       errno_text(errno));
	if (!S_ISBLK(st.st_mode))
		return err_set(err, ERR_INVALID, ENOTBLK, "limit of '%s': it is no block device",
			       spec.path);
	*ret_entry = json_pack("{s:I, s:I, s:I}", "major", (json_int_t)major(st.st_rdev), "minor",
			       (json_int_t)minor(st.st_rdev), kind_names[kind].oci_value,
			       (json_int_t)spec.value);
	return 0;
}

int block_io_to_oci(const struct strv lists[BLOCK_IO_KIND_COUNT], json_t **ret_object,
		    struct error *err)
{
	auto_(json_decref) json_t *object = json_object();

	for (size_t kind = 0; kind < BLOCK_IO_KIND_COUNT; kind++) {
		json_t *array;

		if (lists[kind].count == 0)
			continue;
		array = json_array();
		(void)json_object_set_new(object, kind_names[kind].oci, array);
		for (size_t i = 0; i < lists[kind].count; i++) {
			json_t *entry = NULL;
			int r = device_entry((enum block_io_kind)kind, lists[kind].items[i], &entry,
					     err);

			if (r < 0)
				return r;
			(void)json_array_append_new(array, entry);
		}
	}
	*ret_object = TAKE_PTR(object);
	return 0;
}

json_t *block_io_to_inspect(enum block_io_kind kind, const struct strv *list)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list->count; i++) {
		auto_(error_release) struct error ignored = {0};
		auto_(block_io_release) struct block_io_spec spec = {0};

		if (block_io_parse(kind, list->items[i], &spec, &ignored) < 0)
			continue;
		(void)json_array_append_new(array, json_pack("{s:s, s:I}", "Path", spec.path,
							     kind_names[kind].inspect_value,
							     (json_int_t)spec.value));
	}
	return array;
}
