/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oci_log.h - what a caller is told when something is wrong
 *
 * The file of --log gets a line, as logrus writes it in --log-format text or json: containerd and podman read
 * the message out of it. Standard error gets the message in any case.
 */
#ifndef SKIFF_OCI_OCI_LOG_H
#define SKIFF_OCI_OCI_LOG_H

#include "oci/oci_internal.h"

/* ERR_INVALID for a format that is none. */
int oci_log_check(const struct oci_globals *globals, struct error *err);

/* `level`: "error", "warning". */
void oci_log_say(const struct oci_globals *globals, const char *level, const char *message);

#endif
