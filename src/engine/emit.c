/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/emit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "engine/container_internal.h"
#include "storage/network_record.h"

char *container_event_attributes(const struct container_record *record)
{
	auto_(json_decref) json_t *attributes = json_object();
	auto_(strv_release) struct strv labels = {0};

	container_config_labels(record->config, &labels);
	for (size_t i = 0; i < labels.count; i++) {
		const char *equals = strchrnul(labels.items[i], '=');
		auto_free char *key = xstrndup(labels.items[i], (size_t)(equals - labels.items[i]));

		json_set_string(attributes, key, *equals ? equals + 1 : "");
	}
	json_set_string(attributes, "image", record->image_ref ? record->image_ref : "");
	json_set_string(attributes, "name", record->name);
	return json_text(attributes);
}

void emit_event(struct engine *engine, const char *type, const char *id, const char *action,
		const struct event_attribute *more)
{
	const struct event event = {type, action, id, NULL, more};
	auto_(error_release) struct error ignored = {0};

	if (engine_state_fd(engine, &ignored) >= 0) /* makes the directory */
		event_emit(engine_state_path(engine), &event);
}

void emit_network(struct engine *engine, const struct network_record *network, const char *action,
		  const char *container)
{
	const struct event_attribute more[] = {
		{"name", network->name},
		{"type", network->driver},
		{container ? "container" : NULL, container},
		{0},
	};

	emit_event(engine, "network", network->id, action, more);
}

void emit_prune(struct engine *engine, const char *type, uint64_t bytes)
{
	char text[24];
	const struct event_attribute more[] = {{"reclaimed", text}, {0}};

	(void)snprintf(text, sizeof(text), "%" PRIu64, bytes);
	emit_event(engine, type, "", "prune", more);
}

void emit_image(struct engine *engine, const char *id, const char *name, const char *action)
{
	const struct event_attribute more[] = {{"name", name}, {0}};

	emit_event(engine, "image", id, action, more);
}

void emit_container_record(struct engine *engine, const struct container_record *record,
			   const char *action, const struct event_attribute *more)
{
	auto_free char *attributes = container_event_attributes(record);
	const struct event event = {"container", action, record->id, attributes, more};
	auto_(error_release) struct error ignored = {0};

	if (engine_state_fd(engine, &ignored) >= 0)
		event_emit(engine_state_path(engine), &event);
}

void emit_container(const struct container *container, const char *action,
		    const struct event_attribute *more)
{
	emit_container_record(container->engine, &container->record, action, more);
}
