/* SPDX-License-Identifier: Apache-2.0 */
/*
 * monitor.h - the process behind a running container
 */
#ifndef SKIFF_MONITOR_MONITOR_H
#define SKIFF_MONITOR_MONITOR_H

/*
 * The whole life of a monitor, entered from main() when argv[0] is MONITOR_ARGV0. Its control
 * socket is descriptor MONITOR_CONTROL_FD. Returns the process's exit status.
 */
int monitor_main(void);

#endif
