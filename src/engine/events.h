/* SPDX-License-Identifier: Apache-2.0 */
/*
 * events.h - what has happened and what happens, for `skiff events`
 *
 * An event is docker's object, without the members that have no value:
 *
 *	{"status": "start", "id": "…", "from": "busybox", "Type": "container", "Action": "start",
 *	 "Actor": {"ID": "…", "Attributes": {…}}, "scope": "local", "time": 1, "timeNano": 1000000001}
 */
#ifndef SKIFF_ENGINE_EVENTS_H
#define SKIFF_ENGINE_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "base/strv.h"
#include "engine/engine.h"
#include "template/type.h"

struct events_request {
	struct strv filters; /* borrowed; docker's keys: container, event, image, label, type, … */
	int64_t since_ns;    /* 0: from now on */
	int64_t until_ns;    /* 0: for ever */
	bool (*each)(void *context, const json_t *event); /* false: no more of them */
	void *context;
};

/*
 * Hands over the events of the time that was asked for, in their order, and waits for those to come. Returns
 * when `until` has passed or `each` wants no more.
 */
int events_follow(struct engine *engine, const struct events_request *request, struct error *err);

extern const struct template_type event_type;

#endif
