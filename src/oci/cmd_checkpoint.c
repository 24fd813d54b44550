/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_checkpoint.c - what runc can and we cannot, said plainly */
#include "oci/oci_internal.h"

static int refuse(const struct oci_call *call, struct error *err)
{
	return err_set(err, ERR_UNAVAILABLE, EOPNOTSUPP, "%s is not supported",
		       call->command->name);
}

const struct oci_command oci_cmd_checkpoint = {
	.name = "checkpoint",
	.usage = "CONTAINER",
	.summary = "Not supported",
	.max_args = OCI_ARGS_ANY,
	.run = refuse,
};

const struct oci_command oci_cmd_restore = {
	.name = "restore",
	.usage = "CONTAINER",
	.summary = "Not supported",
	.max_args = OCI_ARGS_ANY,
	.run = refuse,
};
