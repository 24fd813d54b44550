/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command_table.h"

#include <string.h>

#include "base/alloc.h"
#include "cli/commands.h"

static const struct command_path paths[] = {
	{NULL, "__complete", &cmd_complete, .alias = true},
	{NULL, "attach", &cmd_attach},
	{NULL, "commit", &cmd_commit},
	{NULL, "copy", &cmd_copy},
	{NULL, "cp", &cmd_cp},
	{NULL, "create", &cmd_create},
	{NULL, "diff", &cmd_diff},
	{NULL, "events", &cmd_events},
	{NULL, "exec", &cmd_exec, .common = true},
	{NULL, "export", &cmd_export},
	{NULL, "history", &cmd_history},
	{NULL, "images", &cmd_images, .common = true},
	{NULL, "import", &cmd_import},
	{NULL, "info", &cmd_info, .common = true},
	{NULL, "inspect", &cmd_inspect},
	{NULL, "kill", &cmd_kill},
	{NULL, "load", &cmd_load, .common = true},
	{NULL, "login", &cmd_login},
	{NULL, "logout", &cmd_logout},
	{NULL, "logs", &cmd_logs},
	{NULL, "pause", &cmd_pause},
	{NULL, "port", &cmd_port},
	{NULL, "prune", &cmd_prune},
	{NULL, "ps", &cmd_ps, .common = true},
	{NULL, "pull", &cmd_pull, .common = true},
	{NULL, "push", &cmd_push, .common = true},
	{NULL, "rename", &cmd_rename},
	{NULL, "restart", &cmd_restart},
	{NULL, "rm", &cmd_rm},
	{NULL, "rmi", &cmd_rmi},
	{NULL, "run", &cmd_run, .common = true},
	{NULL, "save", &cmd_save},
	{NULL, "search", &cmd_search, .common = true},
	{NULL, "start", &cmd_start},
	{NULL, "stats", &cmd_stats},
	{NULL, "stop", &cmd_stop},
	{NULL, "tag", &cmd_tag},
	{NULL, "top", &cmd_top},
	{NULL, "unpause", &cmd_unpause},
	{NULL, "update", &cmd_update},
	{NULL, "version", &cmd_version, .common = true},
	{NULL, "wait", &cmd_wait},
	{"container", "attach", &cmd_attach},
	{"container", "clone", &cmd_clone},
	{"container", "commit", &cmd_commit},
	{"container", "cp", &cmd_cp},
	{"container", "create", &cmd_create},
	{"container", "diff", &cmd_diff},
	{"container", "exec", &cmd_exec},
	{"container", "exists", &cmd_container_exists},
	{"container", "export", &cmd_export},
	{"container", "inspect", &cmd_container_inspect},
	{"container", "kill", &cmd_kill},
	{"container", "list", &cmd_ps, .alias = true},
	{"container", "logs", &cmd_logs},
	{"container", "ls", &cmd_ps},
	{"container", "pause", &cmd_pause},
	{"container", "port", &cmd_port},
	{"container", "prune", &cmd_prune},
	{"container", "ps", &cmd_ps, .alias = true},
	{"container", "remove", &cmd_rm, .alias = true},
	{"container", "rename", &cmd_rename},
	{"container", "restart", &cmd_restart},
	{"container", "rm", &cmd_rm},
	{"container", "run", &cmd_run},
	{"container", "start", &cmd_start},
	{"container", "stats", &cmd_stats},
	{"container", "stop", &cmd_stop},
	{"container", "top", &cmd_top},
	{"container", "unpause", &cmd_unpause},
	{"container", "update", &cmd_update},
	{"container", "wait", &cmd_wait},
	{"context", "create", &cmd_context_create},
	{"context", "export", &cmd_context_export},
	{"context", "import", &cmd_context_import},
	{"context", "inspect", &cmd_context_inspect},
	{"context", "list", &cmd_context_ls, .alias = true},
	{"context", "ls", &cmd_context_ls},
	{"context", "remove", &cmd_context_rm, .alias = true},
	{"context", "rm", &cmd_context_rm},
	{"context", "show", &cmd_context_show},
	{"context", "update", &cmd_context_update},
	{"context", "use", &cmd_context_use},
	{"healthcheck", "run", &cmd_healthcheck_run},
	{"image", "exists", &cmd_image_exists},
	{"image", "history", &cmd_history},
	{"image", "import", &cmd_import},
	{"image", "inspect", &cmd_image_inspect},
	{"image", "list", &cmd_images, .alias = true},
	{"image", "load", &cmd_load},
	{"image", "ls", &cmd_images},
	{"image", "prune", &cmd_image_prune},
	{"image", "pull", &cmd_pull},
	{"image", "push", &cmd_push},
	{"image", "remove", &cmd_rmi, .alias = true},
	{"image", "rm", &cmd_rmi},
	{"image", "save", &cmd_save},
	{"image", "tag", &cmd_tag},
	{"image", "tree", &cmd_image_tree},
	{"manifest", "annotate", &cmd_manifest_annotate},
	{"manifest", "create", &cmd_manifest_create},
	{"manifest", "inspect", &cmd_manifest_inspect},
	{"manifest", "push", &cmd_manifest_push},
	{"manifest", "rm", &cmd_manifest_rm},
	{"network", "connect", &cmd_network_connect},
	{"network", "create", &cmd_network_create},
	{"network", "disconnect", &cmd_network_disconnect},
	{"network", "exists", &cmd_network_exists},
	{"network", "inspect", &cmd_network_inspect},
	{"network", "list", &cmd_network_ls, .alias = true},
	{"network", "ls", &cmd_network_ls},
	{"network", "prune", &cmd_network_prune},
	{"network", "reload", &cmd_network_reload},
	{"network", "remove", &cmd_network_rm, .alias = true},
	{"network", "rm", &cmd_network_rm},
	{"secret", "create", &cmd_secret_create},
	{"secret", "exists", &cmd_secret_exists},
	{"secret", "inspect", &cmd_secret_inspect},
	{"secret", "list", &cmd_secret_ls, .alias = true},
	{"secret", "ls", &cmd_secret_ls},
	{"secret", "remove", &cmd_secret_rm, .alias = true},
	{"secret", "rm", &cmd_secret_rm},
	{"system", "df", &cmd_system_df},
	{"system", "doctor", &cmd_system_doctor},
	{"system", "events", &cmd_events},
	{"system", "fsck", &cmd_fsck},
	{"system", "info", &cmd_info},
	{"system", "prune", &cmd_system_prune},
	{"system", "start", &cmd_system_start},
	{"system", "stop", &cmd_system_stop},
	{"volume", "create", &cmd_volume_create},
	{"volume", "exists", &cmd_volume_exists},
	{"volume", "inspect", &cmd_volume_inspect},
	{"volume", "list", &cmd_volume_ls, .alias = true},
	{"volume", "ls", &cmd_volume_ls},
	{"volume", "prune", &cmd_volume_prune},
	{"volume", "remove", &cmd_volume_rm, .alias = true},
	{"volume", "rm", &cmd_volume_rm},
	{"volume", "update", &cmd_volume_update},
};

static const struct command_group groups[] = {
	{"container", "Manage containers"},
	{"context", "Show contexts: there is one"},
	{"healthcheck", "Check the health of containers"},
	{"image", "Manage images"},
	{"manifest", "Manage manifests and manifest lists"},
	{"network", "Manage networks"},
	{"secret", "Manage secrets"},
	{"system", "Manage skiff"},
	{"volume", "Manage volumes"},
};

const struct command_path *command_paths(size_t *ret_count)
{
	*ret_count = ARRAY_SIZE(paths);
	return paths;
}

const struct command_group *command_groups(size_t *ret_count)
{
	*ret_count = ARRAY_SIZE(groups);
	return groups;
}

static bool same_group(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

const struct command_path *command_path_find(const char *group, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (same_group(paths[i].group, group) && strcmp(paths[i].name, name) == 0)
			return &paths[i];
	return NULL;
}

const struct command_group *command_group_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		if (strcmp(groups[i].name, name) == 0)
			return &groups[i];
	return NULL;
}
