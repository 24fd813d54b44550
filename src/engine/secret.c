/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/secret.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/strbuf.h"
#include "base/utf8.h"
#include "engine/filter.h"
#include "storage/secret_record.h"
#include "storage/store.h"

#define NAME_MAX_LEN 253

/* ---- create ---- */

/* It becomes the name of a file inside. */
static int check_name(const char *name, struct error *err)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
	size_t len = strlen(name);

	if (len > 0 && len <= NAME_MAX_LEN && strspn(name, allowed) == len && name[0] != '.' &&
	    name[0] != '-')
		return 0;
	return err_set(err, ERR_INVALID, 0,
		       "secret name '%s' is not valid: only [a-zA-Z0-9_][a-zA-Z0-9_.-] are "
		       "allowed, at most %d of them",
		       name, NAME_MAX_LEN);
}

static int read_path(const char *path, char **ret_data, size_t *ret_len, struct error *err)
{
	bool is_stdin = strcmp(path, "-") == 0;
	auto_close int opened = NO_FD;
	int r;

	if (!is_stdin) {
		opened = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (opened < 0)
			return err_set(err, ERR_INVALID, errno, "open secret file '%s'", path);
	}
	r = fd_read_text(is_stdin ? STDIN_FILENO : opened, SECRET_MAX_BYTES, ret_data, ret_len);
	if (r < 0 && r != -EFBIG)
		return err_set(err, ERR_INVALID, -r, "read secret file '%s'", path);
	*ret_len = r == -EFBIG ? SECRET_MAX_BYTES : *ret_len;
	return 0;
}

static int read_data(const struct secret_create_request *request, char **ret_data, size_t *ret_len,
		     struct error *err)
{
	const char *value;
	int r;

	if (request->variable) {
		value = getenv(request->variable);
		if (!value)
			return err_set(err, ERR_INVALID, 0,
				       "cannot create store secret data: environment variable %s "
				       "is not set",
				       request->variable);
		*ret_data = xstrdup(value);
		*ret_len = strlen(value);
	} else {
		r = read_path(request->path, ret_data, ret_len, err);
		if (r < 0)
			return r;
	}
	if (*ret_len > 0 && *ret_len < SECRET_MAX_BYTES)
		return 0;
	return err_set(err, ERR_INVALID, 0,
		       "secret data must be larger than 0 and less than %zu bytes",
		       SECRET_MAX_BYTES);
}

static int check_labels(const struct strv *labels, struct strv *ret_labels, struct error *err)
{
	for (size_t i = 0; i < labels->count; i++) {
		const char *text = labels->items[i];

		if (!*text || *text == '=')
			return err_set(err, ERR_INVALID, 0, "invalid label '%s': empty name", text);
		strv_addf(ret_labels, "%s%s", text, strchr(text, '=') ? "" : "=");
	}
	return 0;
}

/* With --ignore: 1 when there is one of that name, whose id is the answer. */
static int find_present(struct store *store, const char *name, char **ret_id, struct error *err)
{
	auto_(secret_record_release) struct secret_record record = {0};
	int r = secret_record_find(store, name, &record, err);

	if (r < 0 && err->kind == ERR_NOT_FOUND) {
		error_release(err);
		return 0;
	}
	if (r < 0 || strcmp(record.name, name) != 0)
		return r < 0 ? r : 0;
	*ret_id = TAKE_PTR(record.id);
	return 1;
}

int secret_create(struct engine *engine, const struct secret_create_request *request, char **ret_id,
		  struct error *err)
{
	auto_(strv_release) struct strv labels = {0};
	struct secret_content content = {
		.name = request->name, .labels = &labels, .replace = request->replace};
	auto_free char *data = NULL;
	struct store *store;
	int r;

	r = check_name(request->name, err);
	if (r >= 0)
		r = check_labels(&request->labels, &labels, err);
	if (r >= 0)
		r = engine_store(engine, &store, err);
	if (r >= 0 && request->ignore)
		r = find_present(store, request->name, ret_id, err);
	if (r != 0)
		return r < 0 ? r : 0;
	r = read_data(request, &data, &content.len, err);
	if (r < 0)
		return r;
	content.data = data;
	return secret_record_insert(store, &content, ret_id, err);
}

/* ---- looking ---- */

void secret_summary_release(struct secret_summary *summary)
{
	free(summary->id);
	free(summary->name);
	strv_release(&summary->labels);
	*summary = (struct secret_summary){0};
}

void secret_list_release(struct secret_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		secret_summary_release(&list->items[i]);
	free(list->items);
	*list = (struct secret_list){0};
}

static struct secret_summary summary_of(struct secret_record *record)
{
	struct secret_summary summary = {.created_ns = record->created_ns,
					 .updated_ns = record->updated_ns};

	summary.id = TAKE_PTR(record->id);
	summary.name = TAKE_PTR(record->name);
	strv_copy(&summary.labels, &record->labels);
	return summary;
}

int secret_list(struct engine *engine, const struct strv *texts, struct secret_list *ret_list,
		struct error *err)
{
	static const char *const keys[] = {"id", "label", "name", NULL};
	auto_(secret_records_release) struct secret_records records = {0};
	auto_(filters_release) struct filters filters = {0};
	struct secret_list list = {0};
	struct store *store;
	int r;

	r = filters_parse(texts, keys, &filters, err);
	if (r >= 0)
		r = engine_store(engine, &store, err);
	if (r >= 0)
		r = secret_record_list(store, &records, err);
	if (r < 0)
		return r;
	list.items = xcalloc(records.count + 1, sizeof(*list.items));
	for (size_t i = 0; i < records.count; i++) {
		struct secret_record *record = &records.items[i];

		if (filters_match_prefix(&filters, "id", record->id) &&
		    filters_match_pattern(&filters, "name", record->name) &&
		    filters_match_labels(&filters, "label", &record->labels))
			list.items[list.count++] = summary_of(record);
	}
	*ret_list = list;
	return 0;
}

int secret_get(struct engine *engine, const char *selector, struct secret_summary *ret_secret,
	       struct error *err)
{
	auto_(secret_record_release) struct secret_record record = {0};
	struct store *store;
	int r;

	r = engine_store(engine, &store, err);
	if (r >= 0)
		r = secret_record_find(store, selector, &record, err);
	if (r >= 0)
		*ret_secret = summary_of(&record);
	return r;
}

static json_t *object_of(const struct secret_record *record)
{
	json_t *labels = json_object();
	char created[CLOCK_TEXT_SIZE], updated[CLOCK_TEXT_SIZE];

	clock_format(record->created_ns, created);
	clock_format(record->updated_ns, updated);
	for (size_t i = 0; i < record->labels.count; i++) {
		size_t len = strcspn(record->labels.items[i], "=");
		auto_free char *key = xstrndup(record->labels.items[i], len);

		json_set_string(labels, key, record->labels.items[i] + len + 1);
	}
	return json_pack("{s:s, s:s, s:s, s:{s:s, s:{s:s, s:{}}, s:o}}", "ID", record->id,
			 "CreatedAt", created, "UpdatedAt", updated, "Spec", "Name", record->name,
			 "Driver", "Name", "file", "Options", "Labels", labels);
}

static int inspect(struct engine *engine, const char *selector, bool with_data, json_t **ret_object,
		   struct error *err)
{
	auto_(secret_record_release) struct secret_record record = {0};
	auto_(strbuf_release) struct strbuf text = {0};
	auto_free char *data = NULL;
	struct store *store;
	size_t len;
	int r;

	r = engine_store(engine, &store, err);
	if (r >= 0)
		r = secret_record_find(store, selector, &record, err);
	if (r >= 0 && with_data)
		r = secret_record_read(store, &record, &data, &len, err);
	if (r < 0)
		return r;
	*ret_object = object_of(&record);
	if (with_data) {
		utf8_add_valid(&text, data, len);
		(void)json_object_set_new(*ret_object, "SecretData",
					  json_stringn(strbuf_text(&text), text.len));
	}
	return 0;
}

int secret_inspect(struct engine *engine, const char *selector, json_t **ret_object,
		   struct error *err)
{
	return inspect(engine, selector, /* with_data= */ false, ret_object, err);
}

int secret_inspect_data(struct engine *engine, const char *selector, json_t **ret_object,
			struct error *err)
{
	return inspect(engine, selector, /* with_data= */ true, ret_object, err);
}

int secret_remove(struct engine *engine, const char *selector, struct error *err)
{
	struct store *store;
	int r = engine_store(engine, &store, err);

	return r < 0 ? r : secret_record_remove(store, selector, err);
}
