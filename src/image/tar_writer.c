/* SPDX-License-Identifier: Apache-2.0 */
#include "image/tar_writer.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"

#define BUFFER_BYTES ((size_t)256 << 10)

/* Below this, collecting bytes in the buffer costs less than calls of their own. */
#define DIRECT_BYTES ((uint64_t)64 << 10)

/* Where the fields of a ustar header are, and how long. */
enum {
	AT_NAME = 0,
	AT_MODE = 100,
	AT_UID = 108,
	AT_GID = 116,
	AT_SIZE = 124,
	AT_MTIME = 136,
	AT_CHECKSUM = 148,
	AT_FLAG = 156,
	AT_LINK = 157,
	AT_MAGIC = 257,
	AT_MAJOR = 329,
	AT_MINOR = 337,
	AT_PREFIX = 345,

	NAME_SIZE = 100,
	NUMBER_SIZE = 8,
	LONG_NUMBER_SIZE = 12,
	PREFIX_SIZE = 155,
};

#define NUMBER_MAX 07777777
#define LONG_NUMBER_MAX 077777777777

static const char type_flags[] = {
	[TAR_FILE] = '0', [TAR_DIR] = '5',  [TAR_SYMLINK] = '2',      [TAR_HARDLINK] = '1',
	[TAR_CHAR] = '3', [TAR_FIFO] = '6', [TAR_BLOCK_DEVICE] = '4',
};

void tar_writer_init(struct tar_writer *w, int fd)
{
	*w = (struct tar_writer){.fd = fd};
}

void tar_writer_release(struct tar_writer *w)
{
	strbuf_release(&w->out);
	strbuf_release(&w->pax);
}

/* ---- output ---- */

static int failed(int errnum, struct error *err)
{
	return err_set(err, ERR_SYSTEM, errnum, "write the archive");
}

static int flush(struct tar_writer *w, struct error *err)
{
	int r = fd_write_all(w->fd, w->out.data, w->out.len);

	strbuf_clear(&w->out);
	return r < 0 ? failed(-r, err) : 0;
}

static int put(struct tar_writer *w, const void *data, size_t len, struct error *err)
{
	w->written += len;
	if (w->out.len + len > BUFFER_BYTES && flush(w, err) < 0)
		return err_result(err);
	if (len > BUFFER_BYTES) {
		int r = fd_write_all(w->fd, data, len);

		return r < 0 ? failed(-r, err) : 0;
	}
	strbuf_add(&w->out, data, len);
	return 0;
}

static int put_zeros(struct tar_writer *w, uint64_t len, struct error *err)
{
	static const uint8_t zeros[16384];

	while (len > 0) {
		size_t n = len < sizeof(zeros) ? (size_t)len : sizeof(zeros);

		if (put(w, zeros, n, err) < 0)
			return err_result(err);
		len -= n;
	}
	return 0;
}

/* ---- fields ---- */

/* What fits stands in the plain header; what does not is 0 there and has a pax record. */
static void put_number(uint8_t *field, size_t size, int64_t value)
{
	int64_t most = size == NUMBER_SIZE ? NUMBER_MAX : LONG_NUMBER_MAX;

	if (value < 0 || value > most)
		value = 0;
	(void)snprintf((char *)field, size, "%0*" PRIo64, (int)size - 1, (uint64_t)value);
}

static void put_text(uint8_t *field, size_t size, const char *text, size_t len)
{
	memcpy(field, text, len < size ? len : size);
}

/*
 * Where a name longer than its field divides into prefix and name: at a '/', which neither of them
 * holds. 0: nowhere.
 */
static size_t split_name(const char *name, size_t len)
{
	size_t at = len < PREFIX_SIZE + 1 ? len : PREFIX_SIZE + 1;

	if (len > NAME_SIZE + 1 + PREFIX_SIZE)
		return 0;
	while (at > 0 && name[at - 1] != '/')
		at--;
	/* at - 1 is the '/': it must have something on both sides. */
	if (at <= 1 || at == len || len - at > NAME_SIZE)
		return 0;
	return at - 1;
}

static bool name_fits(const char *name)
{
	size_t len = strlen(name);

	return len <= NAME_SIZE || split_name(name, len) > 0;
}

static void put_name(uint8_t *block, const char *name)
{
	size_t len = strlen(name), at;

	at = len > NAME_SIZE ? split_name(name, len) : 0;
	if (at > 0) {
		put_text(block + AT_PREFIX, PREFIX_SIZE, name, at);
		name += at + 1;
		len -= at + 1;
	}
	put_text(block + AT_NAME, NAME_SIZE, name, len);
}

static void put_checksum(uint8_t *block)
{
	unsigned int sum = 0;

	memset(block + AT_CHECKSUM, ' ', NUMBER_SIZE);
	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += block[i];
	(void)snprintf((char *)block + AT_CHECKSUM, NUMBER_SIZE - 1, "%06o", sum);
}

/* ---- pax records ---- */

/* "LENGTH KEY=VALUE\n", where LENGTH counts itself. */
static void add_record(struct strbuf *pax, const char *key, const void *value, size_t len)
{
	size_t rest = strlen(key) + len + 3, digits = 1, total;

	do {
		total = rest + digits;
		digits = (size_t)snprintf(NULL, 0, "%zu", total);
	} while (rest + digits != total);
	strbuf_addf(pax, "%zu %s=", total, key);
	strbuf_add(pax, value, len);
	strbuf_addc(pax, '\n');
}

static void add_text(struct strbuf *pax, const char *key, const char *text)
{
	add_record(pax, key, text, strlen(text));
}

static void add_number(struct strbuf *pax, const char *key, int64_t value)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRId64, value);
	add_text(pax, key, text);
}

/* Without zeros at the end, as Go writes it; before 1970, -0.5 is half a second before. */
static void add_time(struct strbuf *pax, const char *key, struct timespec t)
{
	bool negative = t.tv_sec < 0;
	long ns = t.tv_nsec;
	int64_t seconds = t.tv_sec;
	char text[48];
	size_t len;

	if (negative && ns > 0) {
		seconds++;
		ns = 1000000000 - ns;
	}
	len = (size_t)snprintf(text, sizeof(text), "%s%" PRIu64 ".%09ld", negative ? "-" : "",
			       negative ? 0 - (uint64_t)seconds : (uint64_t)seconds, ns);
	while (text[len - 1] == '0')
		len--;
	if (text[len - 1] == '.')
		len--;
	add_record(pax, key, text, len);
}

static uint64_t stored_bytes(const struct tar_entry *e)
{
	uint64_t bytes = 0;

	if (e->type != TAR_FILE)
		return 0;
	if (!e->sparse)
		return e->size;
	for (size_t i = 0; i < e->piece_count; i++)
		bytes += e->pieces[i].len;
	return bytes;
}

static void add_records(struct strbuf *pax, const struct tar_entry *e, uint64_t size)
{
	if (!name_fits(e->name) && !e->sparse)
		add_text(pax, "path", e->name);
	if (e->link && strlen(e->link) > NAME_SIZE)
		add_text(pax, "linkpath", e->link);
	if (e->uid > NUMBER_MAX)
		add_number(pax, "uid", e->uid);
	if (e->gid > NUMBER_MAX)
		add_number(pax, "gid", e->gid);
	if (size > LONG_NUMBER_MAX)
		add_number(pax, "size", (int64_t)size);
	if (e->mtime.tv_nsec || e->mtime.tv_sec < 0 || e->mtime.tv_sec > LONG_NUMBER_MAX)
		add_time(pax, "mtime", e->mtime);
	for (size_t i = 0; i < e->xattr_count; i++) {
		auto_free char *key = xasprintf("SCHILY.xattr.%s", e->xattrs[i].name);

		/* The format has no way to write such a name. */
		if (!strchr(e->xattrs[i].name, '='))
			add_record(pax, key, e->xattrs[i].value, e->xattrs[i].len);
	}
	if (e->sparse) {
		add_number(pax, "GNU.sparse.major", 1);
		add_number(pax, "GNU.sparse.minor", 0);
		add_text(pax, "GNU.sparse.name", e->name);
		add_number(pax, "GNU.sparse.realsize", (int64_t)e->size);
	}
}

/* ---- headers ---- */

static void fill_block(uint8_t block[TAR_BLOCK], const struct tar_entry *e, char flag,
		       uint64_t size)
{
	static const char magic[8] = {'u', 's', 't', 'a', 'r', '\0', '0', '0'};

	memset(block, 0, TAR_BLOCK);
	put_name(block, e->name);
	put_number(block + AT_MODE, NUMBER_SIZE, e->mode & 07777);
	put_number(block + AT_UID, NUMBER_SIZE, e->uid);
	put_number(block + AT_GID, NUMBER_SIZE, e->gid);
	put_number(block + AT_SIZE, LONG_NUMBER_SIZE, size > INT64_MAX ? 0 : (int64_t)size);
	put_number(block + AT_MTIME, LONG_NUMBER_SIZE, e->mtime.tv_sec);
	block[AT_FLAG] = (uint8_t)flag;
	if (e->link)
		put_text(block + AT_LINK, NAME_SIZE, e->link, strlen(e->link));
	memcpy(block + AT_MAGIC, magic, sizeof(magic));
	put_number(block + AT_MAJOR, NUMBER_SIZE, e->dev_major);
	put_number(block + AT_MINOR, NUMBER_SIZE, e->dev_minor);
	put_checksum(block);
}

/* "dir/PaxHeaders.0/name": what a program sees that does not know of pax. */
static char *marked_name(const char *name, const char *mark)
{
	size_t len = strlen(name), base;

	while (len > 0 && name[len - 1] == '/')
		len--;
	base = len;
	while (base > 0 && name[base - 1] != '/')
		base--;
	return xasprintf("%.*s%s/%.*s", (int)base, name, mark, (int)(len - base), name + base);
}

static int put_pax(struct tar_writer *w, const struct tar_entry *e, struct error *err)
{
	auto_free char *name = marked_name(e->name, "PaxHeaders.0");
	const struct tar_entry header = {.name = name, .mode = 0644};
	uint8_t block[TAR_BLOCK];
	uint64_t len = w->pax.len;

	fill_block(block, &header, 'x', len);
	if (put(w, block, sizeof(block), err) < 0 || put(w, w->pax.data, len, err) < 0)
		return err_result(err);
	return put_zeros(w, tar_padded(len) - len, err);
}

/* GNU.sparse 1.0: the map stands before the data, in decimal lines that fill whole blocks. */
static void sparse_map_text(const struct tar_entry *e, struct strbuf *ret_text)
{
	strbuf_addf(ret_text, "%zu\n", e->piece_count);
	for (size_t i = 0; i < e->piece_count; i++)
		strbuf_addf(ret_text, "%" PRIu64 "\n%" PRIu64 "\n", e->pieces[i].offset,
			    e->pieces[i].len);
	while (ret_text->len % TAR_BLOCK)
		strbuf_addc(ret_text, '\0');
}

static int end_file(struct tar_writer *w, struct error *err)
{
	uint64_t padding = w->padding;

	assert(w->data_left == 0);
	w->padding = 0;
	return put_zeros(w, padding, err);
}

int tar_writer_entry(struct tar_writer *w, const struct tar_entry *e, struct error *err)
{
	auto_(strbuf_release) struct strbuf map = {0};
	auto_free char *marked = NULL;
	struct tar_entry plain = *e;
	uint64_t data = stored_bytes(e), size;
	uint8_t block[TAR_BLOCK];

	assert(e->type != TAR_UNKNOWN);
	if (end_file(w, err) < 0)
		return err_result(err);
	if (e->sparse) {
		sparse_map_text(e, &map);
		plain.name = marked = marked_name(e->name, "GNUSparseFile.0");
	}
	size = data + map.len;
	strbuf_clear(&w->pax);
	add_records(&w->pax, e, size);
	if (w->pax.len > 0 && put_pax(w, e, err) < 0)
		return err_result(err);
	fill_block(block, &plain, type_flags[e->type], size);
	if (put(w, block, sizeof(block), err) < 0 || put(w, strbuf_text(&map), map.len, err) < 0)
		return err_result(err);
	w->data_left = data;
	w->padding = tar_padded(data) - data;
	return 0;
}

int tar_writer_data(struct tar_writer *w, const void *data, size_t len, struct error *err)
{
	assert(len <= w->data_left);
	w->data_left -= len;
	return put(w, data, len, err);
}

/* Bytes that the kernel moves by itself: 0 when it cannot, or at the end of the file. */
static int64_t copy_directly(struct tar_writer *w, int fd, uint64_t len, struct error *err)
{
	uint64_t done = 0;

	if (flush(w, err) < 0)
		return err_result(err);
	while (done < len) {
		uint64_t left = len - done;
		ssize_t n = sendfile(w->fd, fd, NULL, left < INT32_MAX ? left : INT32_MAX);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EPIPE || errno == ENOSPC || errno == EDQUOT))
			return failed(errno, err);
		if (n <= 0)
			break;
		done += (uint64_t)n;
	}
	w->written += done;
	w->data_left -= done;
	return (int64_t)done;
}

int tar_writer_copy(struct tar_writer *w, int fd, uint64_t len, struct error *err)
{
	assert(len <= w->data_left);
	if (len >= DIRECT_BYTES) {
		int64_t n = copy_directly(w, fd, len, err);

		if (n < 0)
			return (int)n;
		len -= (uint64_t)n;
	}
	while (len > 0) {
		uint8_t data[32768];
		ssize_t n = fd_read_full(fd, data, len < sizeof(data) ? len : sizeof(data));

		if (n < 0)
			return err_set(err, ERR_SYSTEM, (int)-n, "read a file for the archive");
		if (n == 0)
			break;
		if (tar_writer_data(w, data, (size_t)n, err) < 0)
			return err_result(err);
		len -= (uint64_t)n;
	}
	w->data_left -= len;
	return put_zeros(w, len, err);
}

int tar_writer_finish(struct tar_writer *w, struct error *err)
{
	if (end_file(w, err) < 0 || put_zeros(w, 2 * (uint64_t)TAR_BLOCK, err) < 0)
		return err_result(err);
	return flush(w, err);
}
