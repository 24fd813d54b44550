/* SPDX-License-Identifier: Apache-2.0 */
#include "unpack/index.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/json.h"
#include "image/archive_part.h"
#include "unpack/protocol.h"
#include "unpack/tar_header.h"
#include "unpack/tar_path.h"

/* A tar in a file: data is passed over without reading it. */
struct file_input {
	struct tar_input input; /* first: the reader's pointer leads back to us */
	int fd;
	uint64_t size, position;
	uint64_t start; /* position of data[0] */
	size_t len;
	uint8_t data[16384]; /* a header and, often, the next few: layers of small files */
};

static int fill(struct file_input *f, struct error *err)
{
	ssize_t n = fd_pread_full(f->fd, f->data, sizeof(f->data), f->position);

	if (n < 0)
		return err_set(err, ERR_SYSTEM, (int)-n, "read the archive");
	f->start = f->position;
	f->len = (size_t)n;
	return 0;
}

static ssize_t file_peek(struct tar_input *input, const uint8_t **ret_data, struct error *err)
{
	struct file_input *f = (struct file_input *)input;
	uint64_t end = f->start + f->len;
	bool inside = f->position >= f->start && f->position <= end;

	if ((!inside || end - f->position < TAR_BLOCK) && fill(f, err) < 0)
		return err_result(err);
	*ret_data = f->data + (f->position - f->start);
	return (ssize_t)(f->start + f->len - f->position);
}

static int file_skip(struct tar_input *input, uint64_t len, struct error *err)
{
	struct file_input *f = (struct file_input *)input;

	if (len > f->size - f->position)
		return err_set(err, ERR_INVALID, EINVAL,
			       "the archive is cut short at byte %" PRIu64, f->size);
	f->position += len;
	return 0;
}

static bool is_file(const struct tar_entry *entry)
{
	return entry->type == TAR_FILE && !entry->sparse;
}

static void set_number(json_t *object, const char *name, uint64_t number)
{
	(void)json_object_set_new(object, name, json_integer((json_int_t)number));
}

static const char *type_name(const struct tar_entry *entry)
{
	switch (entry->type) {
	case TAR_FILE:
		return is_file(entry) ? "file" : "other";
	case TAR_DIR:
		return "dir";
	case TAR_SYMLINK:
		return "symlink";
	case TAR_HARDLINK:
		return "hardlink";
	case TAR_CHAR:
	case TAR_BLOCK_DEVICE:
	case TAR_FIFO:
	case TAR_UNKNOWN:
		return "other";
	}
	return "other";
}

static int clean(const struct tar_entry *entry, const char *name, struct tar_path *ret_path,
		 struct error *err)
{
	struct shown_name shown = tar_path_show(entry->name);

	switch (tar_path_clean(name, ret_path)) {
	case 0:
		return 0;
	case -EXDEV:
		return err_set(err, ERR_INVALID, EXDEV, "'%s': leads out of the archive",
			       shown.text);
	default:
		return err_set(err, ERR_INVALID, ENAMETOOLONG, "'%s': the name is too long",
			       shown.text);
	}
}

/* NULL in *ret_object: left out, because its name is the root's or not UTF-8. */
static int describe(const struct tar_entry *entry, json_t **ret_object, struct error *err)
{
	auto_(json_decref) json_t *object = NULL;
	const char *type = type_name(entry);
	struct tar_path path, target;

	*ret_object = NULL;
	if (clean(entry, entry->name, &path, err) < 0)
		return err_result(err);
	if (path.len == 0)
		return 0;
	object = json_pack("{s:s, s:s}", "name", path.text, "type", type);
	if (!object)
		return 0;
	if (entry->type == TAR_HARDLINK) {
		if (clean(entry, entry->link, &target, err) < 0)
			return err_result(err);
		if (json_object_set_new(object, "target", json_string(target.text)) < 0)
			return 0;
	}
	if (entry->type == TAR_SYMLINK &&
	    json_object_set_new(object, "target", json_string(entry->link)) < 0)
		return 0;
	if (is_file(entry))
		set_number(object, "size", entry->size);
	*ret_object = TAKE_PTR(object);
	return 0;
}

/* ---- the data of an archive that cannot be read again ---- */

static int write_data(struct tar_reader *reader, int fd, struct error *err)
{
	const uint8_t *data;
	ssize_t n;
	int r;

	while ((n = tar_reader_data(reader, &data, err)) > 0) {
		r = fd_write_all(fd, data, (size_t)n);
		if (r < 0)
			return err_set(err, ERR_SYSTEM, -r, "write the archive's copy");
		if (tar_reader_consume(reader, (uint64_t)n, err) < 0)
			return err_result(err);
	}
	return (int)n;
}

static int write_part(struct tar_reader *reader, struct index_spool *spool, struct error *err)
{
	auto_free char *name = xasprintf(ARCHIVE_PART_NAME, spool->parts);
	auto_close int fd = NO_FD;

	fd = openat(spool->dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "create a file for the archive's copy");
	return write_data(reader, fd, err);
}

static int store_file(struct tar_reader *reader, const struct tar_entry *entry,
		      struct index_spool *spool, json_t *object, struct error *err)
{
	int r;

	if (!spool) {
		set_number(object, "offset", entry->data_offset);
		return 0;
	}
	if (entry->size >= UNPACK_PART_MIN) {
		r = write_part(reader, spool, err);
		set_number(object, "part", spool->parts++);
		return r;
	}
	r = write_data(reader, spool->fd, err);
	set_number(object, "offset", spool->size);
	spool->size += entry->size;
	return r;
}

/* ---- the list ---- */

static int add_entry(struct tar_reader *reader, const struct tar_entry *entry,
		     struct index_spool *spool, struct strbuf *text, struct error *err)
{
	auto_(json_decref) json_t *object = NULL;
	auto_free char *line = NULL;

	if (describe(entry, &object, err) < 0)
		return err_result(err);
	if (!object)
		return 0;
	if (is_file(entry) && store_file(reader, entry, spool, object, err) < 0)
		return err_result(err);
	line = json_text(object);
	if (text->len + strlen(line) > UNPACK_RESULT_MAX - 4096)
		return err_set(err, ERR_INVALID, EFBIG, "too many files in the archive");
	if (text->data[text->len - 1] != '[')
		strbuf_addc(text, ',');
	strbuf_adds(text, line);
	return 0;
}

int index_list(struct tar_input *input, struct index_spool *spool, uint64_t max_entries,
	       struct strbuf *ret_text, struct error *err)
{
	auto_(tar_reader_release) struct tar_reader reader = {.input = input};
	struct tar_entry entry;
	uint64_t count = 0;
	int r;

	strbuf_addc(ret_text, '[');
	while ((r = tar_reader_next(&reader, &entry, err)) > 0) {
		if (++count > max_entries)
			return err_set(err, ERR_INVALID, E2BIG,
				       "more than %" PRIu64 " files in the archive", max_entries);
		if (add_entry(&reader, &entry, spool, ret_text, err) < 0)
			return err_result(err);
	}
	if (r < 0)
		return r;
	/* Nothing vouches for an archive as a digest does for a layer: it must be whole. */
	if (reader.offset == 0)
		return err_set(err, ERR_INVALID, EINVAL, "not a tar archive: it is empty");
	if (!reader.ended)
		return err_set(err, ERR_INVALID, EINVAL, "the archive is cut short: it has no end");
	strbuf_addc(ret_text, ']');
	return 0;
}

static int list_file(int fd, const struct options *options, struct strbuf *text, struct error *err)
{
	auto_free struct file_input *f = NULL;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_set(err, ERR_SYSTEM, errno, "look at the archive");
	f = xcalloc(1, sizeof(*f));
	f->input = (struct tar_input){.peek = file_peek, .skip = file_skip};
	f->fd = fd;
	f->size = (uint64_t)st.st_size;
	if (f->size > options->max_bytes)
		return err_set(err, ERR_INVALID, EFBIG,
			       "the archive is larger than the %" PRIu64 " bytes allowed",
			       options->max_bytes);
	return index_list(&f->input, NULL, options->max_entries, text, err);
}

/* Before anything is written: is this a tar at all? */
static int check_first(struct tar_input *input, struct error *err)
{
	struct tar_header header;
	const uint8_t *data;
	ssize_t n = input->peek(input, &data, err);

	if (n < 0)
		return (int)n;
	if (n < TAR_BLOCK ||
	    (!tar_block_is_zero(data) && tar_header_decode(data, &header) == -EBADMSG))
		return err_set(err, ERR_INVALID, EINVAL, "not a tar archive");
	return 0;
}

/* Every file is written once: a large one is what its blob will be. */
static int list_stream(const struct options *options, const struct confinement *c,
		       struct pipeline *pipeline, struct tar_input *input, struct strbuf *text,
		       struct error *err)
{
	struct index_spool spool = {.fd = UNPACK_EXTRA_FD, .dir_fd = c->root_fd};
	struct pipeline_totals totals;

	if (check_first(input, err) < 0)
		return err_result(err);
	if (index_list(input, &spool, options->max_entries, text, err) < 0)
		return err_result(err);
	return pipeline_finish(pipeline, &totals, err);
}

/* A plain tar in a regular file is read in place; *ret_compression says what it is. */
static int look(bool *ret_is_file, enum compression *ret_compression, struct error *err)
{
	uint8_t magic[8];
	struct stat st;
	ssize_t n;

	if (fstat(UNPACK_INPUT_FD, &st) < 0)
		return err_set(err, ERR_SYSTEM, errno, "look at the archive");
	*ret_is_file = S_ISREG(st.st_mode);
	if (!*ret_is_file)
		return 0;
	n = fd_pread_full(UNPACK_INPUT_FD, magic, sizeof(magic), 0);
	if (n < 0)
		return err_set(err, ERR_SYSTEM, (int)-n, "read the archive");
	*ret_compression = compression_of(magic, (size_t)n);
	return 0;
}

int index_run(const struct options *options, const struct confinement *c, struct pipeline *pipeline,
	      struct strbuf *ret_text, struct error *err)
{
	enum compression compression = COMPRESSION_NONE;
	struct tar_input *input = NULL;
	bool is_file = false, spooled;
	int r;

	if (look(&is_file, &compression, err) < 0)
		return err_result(err);
	spooled = !is_file || compression != COMPRESSION_NONE;
	if (spooled && !options->spool)
		return err_set(err, ERR_UNAVAILABLE, 0,
			       "the archive is compressed or a pipe, and there is no spool");
	if (spooled && pipeline_start(pipeline, &compression, &input, err) < 0)
		return err_result(err);
	strbuf_addf(ret_text, "{\"index\":{\"spooled\":%s,\"compression\":\"%s\",\"entries\":",
		    spooled ? "true" : "false", compression_name(compression));
	r = spooled ? list_stream(options, c, pipeline, input, ret_text, err)
		    : list_file(UNPACK_INPUT_FD, options, ret_text, err);
	if (r < 0)
		return r;
	strbuf_adds(ret_text, "}}");
	return 0;
}
