/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_state.c - state, list: what is known of one container, and of all */
#include <dirent.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "oci/oci_container.h"
#include "oci/oci_features.h"
#include "oci/oci_internal.h"

static json_t *describe(const struct oci_container *c)
{
	enum oci_status status = oci_container_status(c);
	json_t *object = json_object();
	char created[CLOCK_TEXT_SIZE];

	clock_format(c->created_ns, created);
	json_set_string(object, "ociVersion", OCI_SPEC_VERSION);
	json_set_string(object, "id", c->id);
	(void)json_object_set_new(object, "pid",
				  json_integer(status == OCI_STOPPED ? 0 : c->state.init.pid));
	json_set_string(object, "status", oci_status_name(status));
	json_set_string(object, "bundle", c->bundle ? c->bundle : "");
	json_set_string(object, "rootfs", c->rootfs ? c->rootfs : "");
	json_set_string(object, "created", created);
	if (c->annotations)
		(void)json_object_set(object, "annotations", c->annotations);
	json_set_string(object, "owner", c->owner == 0 ? "root" : "");
	return object;
}

static int state_run(const struct oci_call *call, struct error *err)
{
	auto_(oci_container_release) struct oci_container c = OCI_CONTAINER_EMPTY;
	auto_(json_decref) json_t *object = NULL;
	auto_free char *text = NULL;
	int r = oci_container_load(call->root_fd, call->args->items[0], &c, err);

	if (r < 0)
		return r;
	object = describe(&c);
	text = json_text_pretty(object, 2);
	(void)printf("%s\n", text);
	return 0;
}

const struct oci_command oci_cmd_state = {
	.name = "state",
	.usage = "CONTAINER",
	.summary = "Print what is known of a container as JSON",
	.min_args = 1,
	.max_args = 1,
	.run = state_run,
};

/* ---- list ---- */

struct list_opts {
	const char *format;
	bool quiet;
};

static const struct option_spec list_options[] = {
	OPT_STRING(struct list_opts, format, 'f', "format", "string", "table or json",
		   .default_text = "\"table\""),
	OPT_FLAG(struct list_opts, quiet, 'q', "quiet", "Only the names"),
	OPT_END,
};

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int read_names(int root_fd, struct strv *names, struct error *err)
{
	auto_(error_release) struct error ignored = {0};
	auto_closedir DIR *dir = NULL;
	const struct dirent *entry;
	int fd;

	if (root_fd < 0)
		return 0;
	fd = openat(root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return err_set(err, ERR_SYSTEM, errno, "list the containers");
	while ((entry = readdir(dir)))
		if (oci_id_check(entry->d_name, &ignored) == 0)
			strv_add(names, entry->d_name);
	if (names->count > 0)
		qsort(names->items, names->count, sizeof(*names->items), by_name);
	return 0;
}

/* One that is deleted meanwhile is none. */
static json_t *describe_all(const struct oci_call *call, const struct strv *names)
{
	json_t *array = json_array();

	for (size_t i = 0; i < names->count; i++) {
		auto_(oci_container_release) struct oci_container c = OCI_CONTAINER_EMPTY;
		auto_(error_release) struct error err = {0};

		if (oci_container_load(call->root_fd, names->items[i], &c, &err) == 0)
			(void)json_array_append_new(array, describe(&c));
		else if (err.kind != ERR_NOT_FOUND)
			oci_warn(call, &err);
	}
	return array;
}

static void print_table(const json_t *array)
{
	const json_t *item;
	size_t i;

	(void)printf("%-12s%-12s%-12s%-24s%-32s%s\n", "ID", "PID", "STATUS", "BUNDLE", "CREATED",
		     "OWNER");
	json_array_foreach (array, i, item)
		(void)printf(
			"%-11s %-11lld %-11s %-23s %-31s %s\n", json_get_string(item, "id", ""),
			(long long)json_get_int(item, "pid", 0),
			json_get_string(item, "status", ""), json_get_string(item, "bundle", ""),
			json_get_string(item, "created", ""), json_get_string(item, "owner", ""));
}

static int list_run(const struct oci_call *call, struct error *err)
{
	const struct list_opts *opts = call->opts;
	const char *format = opts->format ? opts->format : "table";
	auto_(strv_release) struct strv names = {0};
	auto_(json_decref) json_t *array = NULL;
	auto_free char *text = NULL;
	int r = read_names(call->root_fd, &names, err);

	if (r < 0)
		return r;
	if (strcmp(format, "table") != 0 && strcmp(format, "json") != 0)
		return err_set(err, ERR_INVALID, EINVAL, "invalid format option: %s", format);
	if (opts->quiet) {
		for (size_t i = 0; i < names.count; i++)
			(void)printf("%s\n", names.items[i]);
		return 0;
	}
	array = describe_all(call, &names);
	if (strcmp(format, "table") == 0) {
		print_table(array);
		return 0;
	}
	text = json_text(array);
	(void)printf("%s\n", text);
	return 0;
}

const struct oci_command oci_cmd_list = {
	.name = "list",
	.usage = "[OPTIONS]",
	.summary = "List the containers below --root",
	.max_args = 0,
	.options = list_options,
	.opts_size = sizeof(struct list_opts),
	.run = list_run,
};
