/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/archive_entries.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"

static int add_entry(struct tar_writer *w, enum tar_type type, const char *name, uint64_t size,
		     struct error *err)
{
	const struct tar_entry entry = {
		.type = type,
		.name = name,
		.mode = type == TAR_DIR ? 0755 : 0644,
		.size = size,
	};

	return tar_writer_entry(w, &entry, err);
}

int archive_add_blob_directories(struct tar_writer *w, struct error *err)
{
	int r = add_entry(w, TAR_DIR, "blobs/", 0, err);

	return r < 0 ? r : add_entry(w, TAR_DIR, "blobs/sha256/", 0, err);
}

int archive_add_text(struct tar_writer *w, const char *name, const char *text, struct error *err)
{
	size_t len = strlen(text);
	int r = add_entry(w, TAR_FILE, name, len, err);

	return r < 0 ? r : tar_writer_data(w, text, len, err);
}

int archive_add_file(struct tar_writer *w, const char *name, int dir_fd, const char *path,
		     struct error *err)
{
	auto_close int fd = openat(dir_fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, ERR_SYSTEM, errno, "read '%s'", path);
	r = add_entry(w, TAR_FILE, name, (uint64_t)st.st_size, err);
	return r < 0 ? r : tar_writer_copy(w, fd, (uint64_t)st.st_size, err);
}
