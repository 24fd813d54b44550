/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "oci/oci_internal.h"

static const struct oci_command *const commands[] = {
	&oci_cmd_checkpoint, &oci_cmd_create, &oci_cmd_delete, &oci_cmd_events, &oci_cmd_exec,
	&oci_cmd_features,   &oci_cmd_kill,   &oci_cmd_list,   &oci_cmd_pause,  &oci_cmd_ps,
	&oci_cmd_restore,    &oci_cmd_resume, &oci_cmd_run,    &oci_cmd_spec,   &oci_cmd_start,
	&oci_cmd_state,      &oci_cmd_update,
};

const struct oci_command *const *oci_commands(size_t *ret_count)
{
	*ret_count = ARRAY_SIZE(commands);
	return commands;
}

const struct oci_command *oci_command_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}
