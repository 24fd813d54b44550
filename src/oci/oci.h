/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oci.h - skiff-oci: the command line of an OCI runtime
 *
 * For other engines: podman, docker, containerd and CRI-O call it as they call runc, whose commands,
 * options, output and words it has. It is the same program as skiff under another name, and keeps nothing
 * running: what it knows of a container lies in --root, and the container's parent is whoever called.
 */
#ifndef SKIFF_OCI_OCI_H
#define SKIFF_OCI_OCI_H

/* argv[0]'s last part. */
#define OCI_ARGV0 "skiff-oci"

/* argv[0] once it runs from a place that cannot be written (sys/self_exe.h). */
#define OCI_SEALED_ARGV0 "skiff-oci:sealed"

/* The result is the exit status. */
int oci_main(int argc, char **argv);

#endif
