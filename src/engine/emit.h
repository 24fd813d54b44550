/* SPDX-License-Identifier: Apache-2.0 */
/*
 * emit.h - says what has happened, for `skiff events`
 *
 * Called by the use case that did it, after it was done. Nothing here fails: see events/event_log.h. The
 * monitor says for itself what it does and sees (start, die, oom, health_status, …), with the
 * attributes that launch.json brings it.
 *
 *	const struct event_attribute more[] = {{"signal", "15"}, {0}};
 *
 *	emit_container(&container, "kill", more);
 *	emit_event(engine, "volume", name, "create", (struct event_attribute[]){{"driver", "local"}, {0}});
 */
#ifndef SKIFF_ENGINE_EMIT_H
#define SKIFF_ENGINE_EMIT_H

#include <stdint.h>

#include "engine/engine.h"
#include "events/event_log.h"

struct container;
struct container_record;
struct network_record;

/* `more` may be NULL: no attributes beside those that every event of the container has. */
void emit_container(const struct container *container, const char *action,
		    const struct event_attribute *more);
void emit_container_record(struct engine *engine, const struct container_record *record,
			   const char *action, const struct event_attribute *more);

/* Of anything else: "image", "network", "volume". */
void emit_event(struct engine *engine, const char *type, const char *id, const char *action,
		const struct event_attribute *more);

/* `container` is an id: of "connect" and "disconnect"; NULL: of the network itself. */
void emit_network(struct engine *engine, const struct network_record *network, const char *action,
		  const char *container);

/* What a prune has freed of this type. */
void emit_prune(struct engine *engine, const char *type, uint64_t bytes);

/* `id` is an image's "sha256:…" or, of what came from or goes to a registry, its name. */
void emit_image(struct engine *engine, const char *id, const char *name, const char *action);

/* What every event of a container says of it: image, name and labels. A JSON object; caller frees. */
char *container_event_attributes(const struct container_record *record);

#endif
