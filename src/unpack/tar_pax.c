/* SPDX-License-Identifier: Apache-2.0 */
#include "unpack/tar_pax.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/parse.h"

#define XATTR_PREFIX "SCHILY.xattr."

int pax_time(const char *text, struct timespec *ret_time)
{
	const char *dot = strchrnul(text, '.');
	bool negative = text[0] == '-';
	char seconds[24];
	int64_t value;
	long ns = 0, unit = 100000000;

	if ((size_t)(dot - text) >= sizeof(seconds))
		return -EINVAL;
	memcpy(seconds, text, (size_t)(dot - text));
	seconds[dot - text] = '\0';
	if (parse_i64(seconds, &value) < 0)
		return -EINVAL;
	for (const char *p = *dot ? dot + 1 : dot; *p; p++) {
		if (*p < '0' || *p > '9')
			return -EINVAL;
		ns += (*p - '0') * unit;
		unit /= 10;
	}
	if (negative && ns > 0) {
		if (value == INT64_MIN)
			return -EINVAL;
		value--;
		ns = 1000000000 - ns;
	}
	*ret_time = (struct timespec){.tv_sec = value, .tv_nsec = ns};
	return 0;
}

int sparse_add(struct sparse_map *map, uint64_t offset, uint64_t len)
{
	if (len == 0)
		return 0;
	if (map->count >= SPARSE_MAX_PIECES)
		return -E2BIG;
	if (map->count == map->capacity) {
		map->capacity = map->capacity ? map->capacity * 2 : 16;
		map->pieces = xreallocarray(map->pieces, map->capacity, sizeof(*map->pieces));
	}
	map->pieces[map->count++] = (struct sparse_piece){.offset = offset, .len = len};
	return 0;
}

int sparse_parse_list(const char *text, struct sparse_map *map)
{
	uint64_t numbers[2];

	while (*text) {
		for (size_t i = 0; i < 2; i++) {
			char digits[24];
			size_t n = strcspn(text, ",");

			if (n >= sizeof(digits))
				return -EINVAL;
			memcpy(digits, text, n);
			digits[n] = '\0';
			if (parse_u64(digits, &numbers[i]) < 0)
				return -EINVAL;
			text += n;
			text += *text == ',';
		}
		if (sparse_add(map, numbers[0], numbers[1]) < 0)
			return -E2BIG;
	}
	return 0;
}

bool sparse_is_valid(const struct sparse_map *map, uint64_t size, uint64_t stored)
{
	uint64_t end = 0, sum = 0;

	for (size_t i = 0; i < map->count; i++) {
		const struct sparse_piece *piece = &map->pieces[i];

		if (piece->offset < end || piece->offset > size ||
		    piece->len > size - piece->offset)
			return false;
		end = piece->offset + piece->len;
		sum += piece->len;
	}
	return sum == stored;
}

void sparse_release(struct sparse_map *map)
{
	free(map->pieces);
	*map = (struct sparse_map){0};
}

void pax_release(struct pax *pax)
{
	free(pax->xattrs);
	sparse_release(&pax->sparse_pairs);
	*pax = (struct pax){0};
}

static int add_xattr(struct pax *pax, const char *name, const char *value, size_t len)
{
	if (pax->xattr_count >= PAX_MAX_XATTRS)
		return -E2BIG;
	if (!pax->xattrs)
		pax->xattrs = xcalloc(PAX_MAX_XATTRS, sizeof(*pax->xattrs));
	pax->xattrs[pax->xattr_count++] =
		(struct pax_xattr){.name = name, .value = value, .len = len};
	return 0;
}

/* Offsets and lengths of version 0.0 are records of their own, in turn. */
static int add_sparse_half(struct pax *pax, bool is_offset, const char *value)
{
	uint64_t number;

	if (parse_u64(value, &number) < 0 || is_offset == pax->sparse_half)
		return -EINVAL;
	pax->sparse_half = is_offset;
	if (is_offset) {
		pax->sparse_offset = number;
		return 0;
	}
	return sparse_add(&pax->sparse_pairs, pax->sparse_offset, number);
}

static int set_number(const char *value, bool *ret_has, int64_t *ret_value)
{
	if (parse_i64(value, ret_value) < 0 || *ret_value < 0)
		return -EINVAL;
	*ret_has = true;
	return 0;
}

static int set_time(const char *value, bool *ret_has, struct timespec *ret_value)
{
	if (pax_time(value, ret_value) < 0)
		return -EINVAL;
	*ret_has = true;
	return 0;
}

static int set_text(const char *value, size_t len, const char **ret_value)
{
	if (strlen(value) != len)
		return -EINVAL; /* a NUL in a name */
	*ret_value = value;
	return 0;
}

static int set_sparse(struct pax *pax, const char *key, const char *value, size_t len)
{
	if (strcmp(key, "major") == 0)
		return set_text(value, len, &pax->sparse_major);
	if (strcmp(key, "minor") == 0)
		return set_text(value, len, &pax->sparse_minor);
	if (strcmp(key, "name") == 0)
		return set_text(value, len, &pax->sparse_name);
	if (strcmp(key, "map") == 0)
		return set_text(value, len, &pax->sparse_map);
	if (strcmp(key, "size") == 0 || strcmp(key, "realsize") == 0)
		return set_number(value, &pax->has_sparse_size, &pax->sparse_size);
	if (strcmp(key, "offset") == 0)
		return add_sparse_half(pax, /* is_offset= */ true, value);
	if (strcmp(key, "numbytes") == 0)
		return add_sparse_half(pax, /* is_offset= */ false, value);
	return 0;
}

static int set_record(struct pax *pax, const char *key, const char *value, size_t len)
{
	static const size_t xattr_prefix = sizeof(XATTR_PREFIX) - 1;

	if (strncmp(key, XATTR_PREFIX, xattr_prefix) == 0)
		return add_xattr(pax, key + xattr_prefix, value, len);
	if (len == 0)
		return 0;
	if (strcmp(key, "path") == 0)
		return set_text(value, len, &pax->path);
	if (strcmp(key, "linkpath") == 0)
		return set_text(value, len, &pax->link);
	if (strcmp(key, "uid") == 0)
		return set_number(value, &pax->has_uid, &pax->uid);
	if (strcmp(key, "gid") == 0)
		return set_number(value, &pax->has_gid, &pax->gid);
	if (strcmp(key, "size") == 0)
		return set_number(value, &pax->has_size, &pax->size);
	if (strcmp(key, "mtime") == 0)
		return set_time(value, &pax->has_mtime, &pax->mtime);
	if (strcmp(key, "atime") == 0)
		return set_time(value, &pax->has_atime, &pax->atime);
	if (strncmp(key, "GNU.sparse.", 11) == 0)
		return set_sparse(pax, key + 11, value, len);
	return 0;
}

/* Cuts one record off the front: *ret_len bytes with its newline. */
static int take_record(char *text, size_t len, size_t *ret_len, char **ret_key, char **ret_value,
		       size_t *ret_value_len)
{
	char *space = memchr(text, ' ', len < 20 ? len : 20);
	char *equals;
	uint32_t size;
	size_t used;

	if (!space)
		return -EINVAL;
	*space = '\0';
	used = (size_t)(space + 1 - text);
	if (parse_u32(text, &size) < 0 || size > len || size < used + 1 || text[size - 1] != '\n')
		return -EINVAL;
	text[size - 1] = '\0';
	equals = memchr(space + 1, '=', size - 1 - used);
	if (!equals || equals == space + 1)
		return -EINVAL;
	*equals = '\0';
	if (strlen(space + 1) != (size_t)(equals - space - 1))
		return -EINVAL; /* a NUL in the key */
	*ret_len = size;
	*ret_key = space + 1;
	*ret_value = equals + 1;
	*ret_value_len = (size_t)(text + size - 1 - (equals + 1));
	return 0;
}

int pax_parse(char *text, size_t len, struct pax *ret_pax, struct error *err)
{
	auto_(pax_release) struct pax pax = {0};

	while (len > 0) {
		size_t record_len, value_len;
		char *key, *value;
		int r;

		if (take_record(text, len, &record_len, &key, &value, &value_len) < 0)
			return err_set(err, ERR_INVALID, EINVAL, "malformed pax header");
		r = set_record(&pax, key, value, value_len);
		if (r == -E2BIG)
			return err_set(err, ERR_INVALID, E2BIG, "too many pax records");
		if (r < 0)
			return err_set(err, ERR_INVALID, EINVAL, "malformed value in a pax header");
		text += record_len;
		len -= record_len;
	}
	if (pax.sparse_half)
		return err_set(err, ERR_INVALID, EINVAL, "malformed sparse map");
	*ret_pax = pax;
	pax = (struct pax){0};
	return 0;
}
