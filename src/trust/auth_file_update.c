/* SPDX-License-Identifier: Apache-2.0 */
/*
 * auth_file_update.c - changing a file of credentials
 *
 * The directory is locked while the file is read, changed and replaced, so of two logins at once
 * neither is lost. (docker and podman do not lock; nothing more can be done about them.)
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/atomic_file.h"
#include "base/lock.h"
#include "base/path.h"
#include "trust/auth_file.h"

/* What the path leads to when it is a link, itself when it is none or leads nowhere. */
static char *follow_link(const char *path)
{
	char *target = realpath(path, NULL);

	return target ? target : xstrdup(path);
}

static int open_directory(const char *path, struct error *err)
{
	auto_free char *directory = NULL;
	const char *slash = strrchr(path, '/');
	int fd, r;

	if (!slash)
		directory = xstrdup(".");
	else
		directory = xstrndup(path, slash == path ? 1 : (size_t)(slash - path));
	r = path_mkdir_private(directory);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "make the directory '%s'", directory);
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "open the directory '%s'", directory);
	return fd;
}

/* As docker indents it. */
static int write_file(int dir_fd, const struct auth_file *file, const char *path, struct error *err)
{
	auto_free char *text = json_dumps(file->root, JSON_INDENT(8));
	int r;

	if (!text)
		return err_set(err, ERR_INTERNAL, 0, "'%s' cannot be written as JSON", path);
	r = atomic_file_write(dir_fd, path_basename(path), text, strlen(text), 0600,
			      /* sync= */ true);
	explicit_bzero(text, strlen(text));
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "write '%s'", path);
	return 0;
}

int auth_file_update(const char *path, enum auth_file_style style,
		     int (*edit)(struct auth_file *file, void *context, struct error *err),
		     void *context, struct error *err)
{
	auto_(auth_file_release) struct auth_file file = {0};
	auto_free char *target = follow_link(path);
	auto_close int dir_fd = NO_FD;
	int edited, r;

	dir_fd = open_directory(target, err);
	if (dir_fd < 0)
		return dir_fd;
	r = lock_fd(dir_fd, /* wait= */ true);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "lock the directory of '%s'", path);
	/* A password may be in what a login that was killed left. */
	atomic_file_sweep(dir_fd);
	r = auth_file_read(target, style, &file, err);
	if (r == 0)
		r = auth_file_parse("", 0, target, style, &file, err);
	if (r < 0)
		return r;
	edited = edit(&file, context, err);
	if (edited <= 0)
		return edited;
	r = write_file(dir_fd, &file, target, err);
	return r < 0 ? r : edited;
}
