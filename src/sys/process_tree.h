/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process_tree.h - ending a process together with what it has started
 */
#ifndef SKIFF_SYS_PROCESS_TREE_H
#define SKIFF_SYS_PROCESS_TREE_H

#include <sys/types.h>

/*
 * Kills `leader`, its descendants, and whoever is in the session that it leads (which finds those whose
 * parent is gone). All are stopped before the first is killed, so that none gets away by starting
 * another meanwhile. The leader must not have been reaped by anybody, or its number could be another's.
 * What it has started in a session of its own, from a parent that has ended already, is not found.
 */
void process_tree_kill(pid_t leader);

#endif
