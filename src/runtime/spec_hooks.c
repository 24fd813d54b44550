/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "runtime/spec_internal.h"

#define HOOKS_MAX 256

static const char *const point_names[] = {
	[SPEC_HOOK_PRESTART] = "prestart",
	[SPEC_HOOK_CREATE_RUNTIME] = "createRuntime",
	[SPEC_HOOK_CREATE_CONTAINER] = "createContainer",
	[SPEC_HOOK_START_CONTAINER] = "startContainer",
	[SPEC_HOOK_POSTSTART] = "poststart",
	[SPEC_HOOK_POSTSTOP] = "poststop",
};
static_assert(ARRAY_SIZE(point_names) == SPEC_HOOK_POINT_COUNT, "every point has a name");

const char *spec_hook_point_name(enum spec_hook_point point)
{
	return point_names[point];
}

static int parse_hook(const json_t *item, const char *where, struct spec_hook *hook,
		      struct error *err)
{
	int64_t timeout = 0;
	int r;

	r = spec_member_string(item, "path", where, &hook->path, err);
	if (r == 0)
		r = spec_member_strv(item, "args", where, &hook->args, err);
	if (r == 0)
		r = spec_member_strv(item, "env", where, &hook->env, err);
	if (r == 0)
		r = spec_member_int(item, "timeout", where, 1, INT32_MAX / 1000, &timeout, err);
	if (r < 0)
		return r;
	if (!hook->path || hook->path[0] != '/')
		return err_set(err, ERR_INVALID, EINVAL,
			       "config.json: %s[].path must be an absolute path", where);
	hook->timeout_s = (int)timeout;
	return 0;
}

static int parse_point(const json_t *array, const char *name, struct spec_hooks *hooks,
		       struct error *err)
{
	auto_free char *where = xasprintf("hooks.%s", name);
	const json_t *item;
	size_t i;

	if (!array || json_is_null(array))
		return 0;
	if (!json_is_array(array) || json_array_size(array) > HOOKS_MAX)
		return err_set(err, ERR_INVALID, EINVAL,
			       "config.json: %s must be an array of at most %d", where, HOOKS_MAX);
	hooks->items = xcalloc(json_array_size(array), sizeof(*hooks->items));
	json_array_foreach (array, i, item) {
		int r = parse_hook(item, where, &hooks->items[hooks->count++], err);

		if (r < 0)
			return r;
	}
	return 0;
}

int spec_parse_hooks(const json_t *hooks, struct spec *spec, struct error *err)
{
	if (hooks && !json_is_object(hooks))
		return err_set(err, ERR_INVALID, EINVAL, "config.json: hooks must be an object");
	for (size_t i = 0; i < SPEC_HOOK_POINT_COUNT; i++) {
		int r = parse_point(json_object_get(hooks, point_names[i]), point_names[i],
				    &spec->hooks[i], err);

		if (r < 0)
			return r;
	}
	return 0;
}

void spec_hooks_release(struct spec *spec)
{
	for (size_t i = 0; i < SPEC_HOOK_POINT_COUNT; i++) {
		struct spec_hooks *hooks = &spec->hooks[i];

		for (size_t n = 0; n < hooks->count; n++) {
			free(hooks->items[n].path);
			strv_release(&hooks->items[n].args);
			strv_release(&hooks->items[n].env);
		}
		free(hooks->items);
		*hooks = (struct spec_hooks){0};
	}
}
