/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/path.h"
#include "base/strv.h"
#include "docs.h"

#define OVERVIEW_PAGE "skiff.1"
#define OCI_PAGE "skiff-oci.1"

const char *complete_word(enum complete_kind kind)
{
	switch (kind) {
	case COMPLETE_NOTHING:
	case COMPLETE_FILE:
	case COMPLETE_DIRECTORY:
		return NULL;
	case COMPLETE_CONTAINER:
		return "containers";
	case COMPLETE_RUNNING_CONTAINER:
		return "running";
	case COMPLETE_STOPPED_CONTAINER:
		return "stopped";
	case COMPLETE_IMAGE:
		return "images";
	case COMPLETE_OBJECT:
		return "objects";
	}
	return NULL;
}

char *path_text(const struct command_path *path)
{
	return path->group ? xasprintf("%s %s", path->group, path->name) : xstrdup(path->name);
}

/* "skiff-image-inspect.1"; the caller frees. */
static char *page_name(const struct command *command)
{
	char *name = xasprintf("skiff-%s.1", command->name);

	for (char *p = name; *p; p++)
		if (*p == ' ')
			*p = '-';
	return name;
}

static const struct command *find_page(const char *file)
{
	size_t count;
	const struct command_path *paths = command_paths(&count);

	for (size_t i = 0; i < count; i++) {
		auto_free char *name = page_name(paths[i].command);

		if (!paths[i].command->hidden && strcmp(name, file) == 0)
			return paths[i].command;
	}
	return NULL;
}

static int write_page(const char *path)
{
	const char *file = path_basename(path);
	const struct command *command = find_page(file);
	auto_fclose FILE *out = NULL;

	if (!command && strcmp(file, OVERVIEW_PAGE) != 0 && strcmp(file, OCI_PAGE) != 0) {
		(void)fprintf(stderr, "gen_docs: no command has the page '%s'\n", file);
		return EXIT_FAILURE;
	}
	out = fopen(path, "we");
	if (!out) {
		(void)fprintf(stderr, "gen_docs: open '%s': %s\n", path, strerror(errno));
		return EXIT_FAILURE;
	}
	if (command)
		manual_write_command(command, out);
	else if (strcmp(file, OCI_PAGE) == 0)
		manual_write_oci(out);
	else
		manual_write_overview(out);
	return fflush(out) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* The build lists the pages by name: a new command must not be forgotten there. */
static int check_complete(const struct strv *files)
{
	size_t count;
	const struct command_path *paths = command_paths(&count);

	for (size_t i = 0; i < count; i++) {
		auto_free char *name = page_name(paths[i].command);

		if (paths[i].command->hidden || strv_has(files, name))
			continue;
		(void)fprintf(stderr, "gen_docs: '%s' is missing in tools/docs/meson.build\n",
			      name);
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}

static int write_manual(int count, char **paths)
{
	auto_(strv_release) struct strv files = {0};

	for (int i = 0; i < count; i++)
		strv_add(&files, path_basename(paths[i]));
	if (check_complete(&files) != EXIT_SUCCESS)
		return EXIT_FAILURE;
	for (int i = 0; i < count; i++)
		if (write_page(paths[i]) != EXIT_SUCCESS)
			return EXIT_FAILURE;
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "manual") == 0)
		return write_manual(argc - 2, argv + 2);
	if (strcmp(what, "bash") == 0)
		bash_write(stdout);
	else if (strcmp(what, "zsh") == 0)
		zsh_write(stdout);
	else if (strcmp(what, "fish") == 0)
		fish_write(stdout);
	else if (strcmp(what, "options") == 0)
		options_write(stdout);
	else
		(void)fputs("usage: gen_docs manual FILE... | bash | zsh | fish | options\n",
			    stderr);
	return EXIT_SUCCESS;
}
