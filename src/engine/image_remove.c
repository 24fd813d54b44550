/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rmi, by docker's rules. A name is taken off; with its last name the image goes, unless a
 * container was made from it. An id stands for all names in one repository. Force takes off all
 * names and removes what only stopped containers use; such a container keeps working, and the
 * files go with it.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/lock.h"
#include "engine/emit.h"
#include "engine/image_internal.h"
#include "image/reference.h"
#include "runtime/state.h"

#define SHORT_ID_LEN 12
#define DIGEST_PREFIX_LEN 7

struct removal {
	struct engine *engine;
	struct store *store;
	const char *selector;
	bool force;
	const char *platform;
	struct image_record record;
	char *name; /* the one of its names that the selector is; NULL: it is an id */
	struct strv lines;
};

static void removal_release(struct removal *removal)
{
	image_record_release(&removal->record);
	free(removal->name);
	strv_release(&removal->lines);
}

DEFINE_CLEANUP_VALUE(struct removal, removal_release);

/* An image is for one platform here; docker, which keeps several in one, leaves the others. */
static int check_platform(const struct removal *removal, struct error *err)
{
	auto_(image_config_release) struct image_config config = {0};
	const char *text = removal->record.config;
	int r;

	if (!removal->platform)
		return 0;
	r = image_config_parse(text, strlen(text), &config, err);
	if (r < 0)
		return r;
	return image_require_platform(removal->selector, &config, removal->platform, err);
}

static int start_removal(struct removal *removal, struct error *err)
{
	auto_(reference_release) struct reference reference = {0};
	auto_(error_release) struct error ignored = {0};
	auto_free char *name = NULL;
	int r;

	r = image_find(removal->engine, removal->selector, &removal->record, err);
	if (r >= 0)
		r = check_platform(removal, err);
	if (r < 0)
		return r;
	if (reference_parse(removal->selector, &reference, &ignored) < 0 || reference.digest)
		return 0;
	name = reference_format(&reference);
	if (strv_has(&removal->record.names, name))
		removal->name = TAKE_PTR(name);
	return 0;
}

bool image_user_is_running(struct engine *engine, const char *id)
{
	auto_(error_release) struct error ignored = {0};
	auto_free char *path = xasprintf("containers/%s/" STATE_LOCK_NAME, id);
	int state_fd = engine_state_fd(engine, &ignored);

	return state_fd >= 0 && lock_is_held(state_fd, path) > 0;
}

/* Refuses when containers stand in the way; *ret_used tells that some exist. */
static int check_users(struct removal *removal, bool *ret_used, struct error *err)
{
	auto_(strv_release) struct strv users = {0};
	const char *id = removal->record.id + DIGEST_PREFIX_LEN;
	int r;

	r = image_record_users(removal->store, removal->record.id, &users, err);
	if (r < 0)
		return r;
	*ret_used = users.count > 0;
	for (size_t i = 0; i < users.count; i++) {
		bool running = image_user_is_running(removal->engine, users.items[i]);

		if (running)
			return err_set(err, ERR_CONFLICT, 0,
				       "conflict: unable to delete %.*s (cannot be forced) - image "
				       "is being used by running container %.*s",
				       SHORT_ID_LEN, id, SHORT_ID_LEN, users.items[i]);
		if (removal->force)
			continue;
		if (removal->name)
			return err_set(err, ERR_CONFLICT, 0,
				       "conflict: unable to remove repository reference \"%s\" "
				       "(must force) - container %.*s is using its referenced "
				       "image %.*s",
				       removal->selector, SHORT_ID_LEN, users.items[i],
				       SHORT_ID_LEN, id);
		return err_set(err, ERR_CONFLICT, 0,
			       "conflict: unable to delete %.*s (must be forced) - image is being "
			       "used by stopped container %.*s",
			       SHORT_ID_LEN, id, SHORT_ID_LEN, users.items[i]);
	}
	return 0;
}

static bool same_repository(const char *a, const char *b)
{
	auto_(reference_release) struct reference x = {0}, y = {0};
	auto_(error_release) struct error ignored = {0};

	return reference_parse(a, &x, &ignored) >= 0 && reference_parse(b, &y, &ignored) >= 0 &&
	       strcmp(x.domain, y.domain) == 0 && strcmp(x.path, y.path) == 0;
}

static int check_repositories(const struct removal *removal, struct error *err)
{
	const struct strv *names = &removal->record.names;

	for (size_t i = 1; i < names->count; i++)
		if (!same_repository(names->items[0], names->items[i]))
			return err_set(err, ERR_CONFLICT, 0,
				       "conflict: unable to delete %.*s (must be forced) - image "
				       "is referenced in multiple repositories",
				       SHORT_ID_LEN, removal->record.id + DIGEST_PREFIX_LEN);
	return 0;
}

static void add_untagged(struct removal *removal, const char *name)
{
	auto_free char *familiar = image_familiar_name(name);

	strv_addf(&removal->lines, "Untagged: %s", familiar);
}

static int remove_whole(struct removal *removal, bool used, struct error *err)
{
	auto_(image_removal_release) struct image_removal gone = {0};
	int r;

	r = image_record_remove(removal->store, removal->record.id, used, &gone, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < removal->record.names.count; i++)
		add_untagged(removal, removal->record.names.items[i]);
	strv_addf(&removal->lines, "Deleted: %s", removal->record.id);
	for (size_t i = 0; i < gone.chain_ids.count; i++)
		strv_addf(&removal->lines, "Deleted: %s", gone.chain_ids.items[i]);
	return 0;
}

static int run_removal(struct removal *removal, struct error *err)
{
	bool used = false;
	int r;

	r = start_removal(removal, err);
	if (r < 0)
		return r;
	if (removal->name && removal->record.names.count > 1) {
		r = image_record_untag(removal->store, removal->name, err);
		if (r >= 0)
			add_untagged(removal, removal->name);
		return r;
	}
	r = check_users(removal, &used, err);
	if (r >= 0 && !removal->force && !removal->name)
		r = check_repositories(removal, err);
	if (r < 0)
		return r;
	return remove_whole(removal, used, err);
}

/* "Untagged: name" and "Deleted: sha256:…": what was said is what has happened. */
static void emit_lines(const struct removal *removal)
{
	const char *id = removal->record.id;

	for (size_t i = 0; i < removal->lines.count; i++) {
		const char *line = removal->lines.items[i];

		if (strncmp(line, "Untagged: ", 10) == 0)
			emit_image(removal->engine, id, id, "untag");
		else if (strcmp(line + strcspn(line, " ") + 1, id) == 0)
			emit_image(removal->engine, id, id, "delete");
	}
}

int image_remove(struct engine *engine, const struct image_remove_request *request,
		 struct strv *ret_lines, struct error *err)
{
	auto_(removal_release) struct removal removal = {
		.engine = engine,
		.selector = request->selector,
		.force = request->force,
		.platform = request->platform,
	};
	int r;

	r = engine_store(engine, &removal.store, err);
	if (r >= 0)
		r = run_removal(&removal, err);
	if (r < 0)
		return r;
	strv_add_all(ret_lines, &removal.lines);
	emit_lines(&removal);
	return 0;
}
