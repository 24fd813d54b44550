/* SPDX-License-Identifier: Apache-2.0 */
/* doctor_internal.h - what the parts of the examination share */
#ifndef SKIFF_ENGINE_DOCTOR_INTERNAL_H
#define SKIFF_ENGINE_DOCTOR_INTERNAL_H

#include "engine/doctor.h"

/* Borrowed until the next one is added; its detail is formatted. */
struct doctor_finding *doctor_add(struct doctor_report *report, const char *area, const char *check,
				  enum doctor_status status, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

void doctor_kernel(struct doctor_report *report);
void doctor_cgroups(struct doctor_report *report);
int doctor_store(struct engine *engine, struct doctor_report *report, struct error *err);

/* The packet filter, and every way into a container that runs. */
int doctor_network(struct engine *engine, struct doctor_report *report, struct error *err);

#endif
