/* SPDX-License-Identifier: Apache-2.0 */
/*
 * network_ports.h - which ports of the host a start publishes
 *
 * Theory. A reservation is a row in the store that counts only while its container runs or is being
 * started, so nothing has to be given back after a crash. It is written first and compared with the
 * others after: of two that want the same port at the same moment the one whose row was written first
 * gets it; the other chooses again where it may choose. Programs of the host that listen are asked of
 * the kernel.
 */
#ifndef SKIFF_ENGINE_NETWORK_PORTS_H
#define SKIFF_ENGINE_NETWORK_PORTS_H

#include "base/error.h"
#include "network/plan.h"

struct container;

/* Chooses, checks and reserves; fills plan->ports. ERR_CONFLICT in docker's words. */
int network_ports_reserve(const struct container *container, struct network_plan *plan,
			  struct error *err);

/* The same for more ports of a container that runs; those that plan->ports has are its own already. */
int network_ports_extend(const struct container *container, const struct strv *specs,
			 struct network_plan *plan, struct error *err);

/* Writes the row of a container that runs: it has these ports now. */
int network_ports_record(const struct container *container, const struct network_plan *plan,
			 struct error *err);

/* The text of a row, and back; of the targets only their families. */
char *network_ports_format(const struct network_plan *plan);
int network_ports_parse(const char *text, struct network_plan *plan);

#endif
