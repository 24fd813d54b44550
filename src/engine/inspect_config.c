/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "engine/inspect_internal.h"

void inspect_set(json_t *object, const char *key, json_t *value)
{
	(void)json_object_set_new_nocheck(object, key, value);
}

void inspect_set_int(json_t *object, const char *key, int64_t value)
{
	inspect_set(object, key, json_integer(value));
}

void inspect_set_bool(json_t *object, const char *key, bool value)
{
	inspect_set(object, key, json_boolean(value));
}

void inspect_set_text(json_t *object, const char *key, const char *value)
{
	json_set_string(object, key, value ? value : "");
}

json_t *inspect_map(const struct strv *pairs)
{
	json_t *object = json_object();

	for (size_t i = 0; i < pairs->count; i++) {
		size_t len = strcspn(pairs->items[i], "=");
		auto_free char *key = xstrndup(pairs->items[i], len);

		json_set_string(object, key, pairs->items[i][len] ? pairs->items[i] + len + 1 : "");
	}
	return object;
}

json_t *inspect_list_or_null(const struct strv *list)
{
	return list->count ? json_from_strv(list) : json_null();
}

/* {"80/tcp": {}, …} */
static json_t *set_of(const struct strv *names)
{
	json_t *object = json_object();

	for (size_t i = 0; i < names->count; i++)
		inspect_set(object, names->items[i], json_object());
	return object;
}

json_t *inspect_config(const struct container *container)
{
	const struct container_config *c = &container->config;
	json_t *o = json_object();

	inspect_set_text(o, "Hostname", c->hostname);
	inspect_set_text(o, "Domainname", c->domainname);
	inspect_set_text(o, "User", c->user);
	inspect_set_bool(o, "AttachStdin", c->attach_stdin);
	inspect_set_bool(o, "AttachStdout", c->attach_stdout);
	inspect_set_bool(o, "AttachStderr", c->attach_stderr);
	if (c->exposed_ports.count)
		inspect_set(o, "ExposedPorts", set_of(&c->exposed_ports));
	inspect_set_bool(o, "Tty", c->tty);
	inspect_set_bool(o, "OpenStdin", c->open_stdin);
	inspect_set_bool(o, "StdinOnce", c->stdin_once);
	inspect_set(o, "Env", json_from_strv(&c->env));
	inspect_set(o, "Cmd", inspect_list_or_null(&c->cmd));
	if (c->healthcheck)
		inspect_set(o, "Healthcheck", json_loads(c->healthcheck, 0, NULL));
	inspect_set_text(o, "Image", container->record.image_ref);
	inspect_set(o, "Volumes", c->image_volumes.count ? set_of(&c->image_volumes) : json_null());
	inspect_set_text(o, "WorkingDir", c->workdir);
	inspect_set(o, "Entrypoint", inspect_list_or_null(&c->entrypoint));
	inspect_set(o, "OnBuild", json_null());
	inspect_set(o, "Labels", inspect_map(&c->labels));
	if (c->stop_signal)
		inspect_set_text(o, "StopSignal", c->stop_signal);
	if (c->stop_timeout_set)
		inspect_set_int(o, "StopTimeout", c->stop_timeout_s);
	return o;
}
