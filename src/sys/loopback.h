/* SPDX-License-Identifier: Apache-2.0 */
/* loopback.h - the one device of a new network namespace */
#ifndef SKIFF_SYS_LOOPBACK_H
#define SKIFF_SYS_LOOPBACK_H

/* Brings "lo" up in the caller's network namespace. 0 or a negative errno. */
int loopback_up(void);

#endif
