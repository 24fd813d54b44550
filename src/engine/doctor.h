/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor.h - `system doctor`: what works here, what does not, and what can be reached from outside
 *
 * Everything is asked of its source when the function is called, and nothing is changed: no table is made,
 * no module loaded, no leftover removed. What is wrong is a finding, not a failure, so that one thing that is
 * broken does not hide the others.
 */
#ifndef SKIFF_ENGINE_DOCTOR_H
#define SKIFF_ENGINE_DOCTOR_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "engine/engine.h"

enum doctor_status {
	DOCTOR_OK,
	DOCTOR_NOTE,    /* worth knowing */
	DOCTOR_WARNING, /* something cannot be used, or will not do what one may think */
	DOCTOR_BROKEN,  /* something that should work does not */
};

#define DOCTOR_STATUS_COUNT 4

/* "ok", "note", "warning", "broken". */
const char *doctor_status_name(enum doctor_status status);

/* From where a published port can be reached. */
enum doctor_reach {
	DOCTOR_REACH_NONE,    /* it is no port */
	DOCTOR_REACH_OUTSIDE, /* everybody who reaches this host's address */
	DOCTOR_REACH_UNSURE,  /* the same, unless rules of others that were not evaluated drop it */
	DOCTOR_REACH_HOST,    /* programs of this host */
	DOCTOR_REACH_NOBODY,
};

#define DOCTOR_REACH_COUNT 5

/* "", "outside", "unsure", "host", "nobody". */
const char *doctor_reach_name(enum doctor_reach reach);

struct doctor_finding {
	const char *area; /* "kernel", "cgroups", "store", "firewall", "ports" */
	char *check;      /* what was looked at */
	enum doctor_status status;
	char *detail; /* one line */

	/* Of what is reachable; empty otherwise. Owned. */
	char *container; /* its name */
	char *address;   /* of the host: "0.0.0.0", "::", "127.0.0.1" */
	char *port;      /* of the host: "8080", "9000-9100" */
	char *target;    /* "80/tcp" */
	enum doctor_reach reach;
};

struct doctor_report {
	struct doctor_finding *items; /* by area, in the order above */
	size_t count;
	size_t broken; /* how many are DOCTOR_BROKEN */
};

int doctor_examine(struct engine *engine, struct doctor_report *ret_report, struct error *err);
void doctor_report_release(struct doctor_report *report);

DEFINE_CLEANUP_VALUE(struct doctor_report, doctor_report_release);

#endif
