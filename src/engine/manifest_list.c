/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/manifest_list.h"

#include <assert.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/atomic_file.h"
#include "base/base64.h"
#include "base/fd.h"
#include "base/lock.h"
#include "base/path.h"
#include "base/sha256.h"
#include "base/strbuf.h"
#include "engine/copy_internal.h"
#include "engine/image_copy.h"
#include "image/manifest.h"
#include "image/reference.h"

#define DIRECTORY "manifests"
#define MAX_MANIFESTS 512

/* ---- names and files ---- */

/* The normalized name, and the file's: '/' and ':' cannot be in both. */
static int list_names(const char *list, char **ret_name, char **ret_file, struct error *err)
{
	auto_(reference_release) struct reference reference = {0};
	auto_free char *name = NULL;
	char digest[DIGEST_TEXT_LEN + 1];
	int r;

	r = reference_parse(list, &reference, err);
	if (r < 0)
		return r;
	if (reference.digest)
		return err_set(err, ERR_INVALID, 0, "a manifest list has a tag, not a digest");
	name = reference_format(&reference);
	sha256_of(name, strlen(name), digest);
	*ret_file = xasprintf("%s.json", digest + strlen("sha256:"));
	*ret_name = TAKE_PTR(name);
	return 0;
}

static int open_directory(struct engine *engine, struct error *err)
{
	auto_free char *path = xasprintf("%s/" DIRECTORY, engine_root_path(engine));
	int fd, r;

	r = path_mkdir_private(path);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "make the directory '%s'", path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_set(err, ERR_SYSTEM, errno, "open the directory '%s'", path) : fd;
}

/* {"name": …, "manifests": [{"ref": …, "descriptor": {…}, "raw": …}]}; ERR_NOT_FOUND. */
static int read_list(struct engine *engine, const char *list, json_t **ret_list, struct error *err)
{
	auto_free char *name = NULL, *file = NULL, *text = NULL;
	auto_close int dir_fd = NO_FD;
	size_t len;
	int r;

	r = list_names(list, &name, &file, err);
	if (r < 0)
		return r;
	dir_fd = open_directory(engine, err);
	if (dir_fd < 0)
		return dir_fd;
	r = fd_read_file_at(dir_fd, file, JSON_MAX_BYTES, &text, &len);
	if (r == -ENOENT)
		return err_set(err, ERR_NOT_FOUND, 0, "No such manifest: %s", name);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "read the list '%s'", name);
	return json_parse(text, len, name, ret_list, err);
}

static int write_list(struct engine *engine, const json_t *list, struct error *err)
{
	auto_free char *name = NULL, *file = NULL, *text = json_text(list);
	auto_close int dir_fd = open_directory(engine, err);
	int r;

	if (dir_fd < 0)
		return dir_fd;
	r = list_names(json_get_string(list, "name", ""), &name, &file, err);
	if (r < 0)
		return r;
	r = lock_fd(dir_fd, /* wait= */ true);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "lock the lists of manifests");
	atomic_file_sweep(dir_fd);
	r = atomic_file_write(dir_fd, file, text, strlen(text), 0600, /* sync= */ true);
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "write the list '%s'", name) : 0;
}

int manifest_remove(struct engine *engine, const char *list, struct error *err)
{
	auto_free char *name = NULL, *file = NULL;
	auto_close int dir_fd = open_directory(engine, err);
	int r;

	if (dir_fd < 0)
		return dir_fd;
	r = list_names(list, &name, &file, err);
	if (r < 0)
		return r;
	assert(file);
	if (unlinkat(dir_fd, file, 0) == 0)
		return 0;
	if (errno == ENOENT)
		return err_set(err, ERR_NOT_FOUND, 0, "No such manifest: %s", list);
	return err_set(err, ERR_SYSTEM, errno, "remove the list '%s'", name);
}

/* ---- looking up ---- */

static char *whole_name(const struct reference *reference)
{
	auto_free char *repository = reference_repository(reference);

	return reference->digest ? xasprintf("%s@%s", repository, reference->digest)
				 : reference_format(reference);
}

static const char *media_type_of(const struct copy_document *document, const json_t *root)
{
	const char *own = json_get_string(root, "mediaType", "");

	if (own[0])
		return own;
	return document->media_type ? document->media_type : MEDIA_OCI_MANIFEST;
}

/* "os", "architecture" and so on from the configuration; an artifact has none of them. */
static int read_platform(struct copy_end *end, const json_t *root, json_t **ret_platform,
			 struct error *err)
{
	static const char *const members[] = {"architecture", "os", "variant", "os.version"};
	const json_t *config = json_object_get(root, "config");
	const struct copy_blob blob = {
		.digest = json_get_string(config, "digest", ""),
		.size_bytes = (uint64_t)json_get_int(config, "size", 0),
	};
	auto_(json_decref) json_t *object = NULL;
	auto_free char *text = NULL;
	auto_close int fd = NO_FD;
	char digest[DIGEST_TEXT_LEN + 1];
	size_t len;
	int r;

	if (!digest_is_valid(blob.digest) || blob.size_bytes > JSON_MAX_BYTES)
		return err_set(err, ERR_INVALID, 0, "the manifest has no valid configuration");
	fd = end->ops->new_file(end, err);
	if (fd < 0)
		return fd;
	r = end->ops->read_blob(end, &blob, fd, err);
	if (r < 0)
		return r;
	if (lseek(fd, 0, SEEK_SET) < 0 || fd_read_text(fd, JSON_MAX_BYTES, &text, &len) < 0)
		return err_set(err, ERR_SYSTEM, EIO, "read the configuration");
	sha256_of(text, len, digest);
	if (strcmp(digest, blob.digest) != 0)
		return err_set(err, ERR_INVALID, EBADMSG, "the configuration is damaged");
	r = json_parse(text, len, "configuration", &object, err);
	if (r < 0)
		return r;
	*ret_platform = json_object();
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		const char *value = json_get_string(object, members[i], "");

		if (value[0])
			json_set_string(*ret_platform, members[i], value);
	}
	return 0;
}

/* One element of a list, from its registry. */
static int look_up(const char *name, const struct registry_options *options, json_t **ret_entry,
		   struct error *err)
{
	auto_(copy_end_free) struct copy_end *end = NULL;
	auto_(copy_document_release) struct copy_document document = {0};
	auto_(reference_release) struct reference reference = {0};
	auto_(json_decref) json_t *root = NULL, *platform = NULL;
	auto_free char *whole = NULL;
	int r;

	r = reference_parse(name, &reference, err);
	if (r >= 0)
		r = copy_registry_open(name, options, /* writing= */ false, NULL, &end, err);
	if (r >= 0)
		r = end->ops->read_document(end, NULL, &document, err);
	if (r >= 0)
		r = json_parse(document.text, document.len, name, &root, err);
	if (r >= 0 && json_object_get(root, "manifests"))
		return err_set(err, ERR_INVALID, 0, "%s is a manifest list", name);
	if (r >= 0)
		r = read_platform(end, root, &platform, err);
	if (r < 0)
		return err_wrap(err, r, "manifest '%s'", name);
	whole = whole_name(&reference);
	*ret_entry = json_pack("{s:s, s:{s:s, s:s, s:I, s:O}, s:s%}", "ref", whole, "descriptor",
			       "mediaType", media_type_of(&document, root), "digest",
			       document.digest, "size", (json_int_t)document.len, "platform",
			       platform, "raw", document.text, document.len);
	return *ret_entry ? 0 : err_set(err, ERR_INVALID, 0, "'%s' is not UTF-8", name);
}

/* ---- create, annotate ---- */

/* Position of the manifest that is called so; -1. */
static long find_entry(const json_t *list, const char *name)
{
	const json_t *entries = json_object_get(list, "manifests");
	auto_(reference_release) struct reference reference = {0};
	auto_(error_release) struct error ignored = {0};
	auto_free char *whole = NULL;

	if (reference_parse(name, &reference, &ignored) < 0)
		return -1;
	whole = whole_name(&reference);
	for (size_t i = 0; i < json_array_size(entries); i++)
		if (strcmp(json_get_string(json_array_get(entries, i), "ref", ""), whole) == 0)
			return (long)i;
	return -1;
}

int manifest_create(struct engine *engine, const char *list, const struct strv *names, bool amend,
		    const struct registry_options *options, char **ret_name, struct error *err)
{
	auto_(json_decref) json_t *object = NULL;
	auto_free char *name = NULL, *file = NULL;
	json_t *entries;
	int r;

	r = list_names(list, &name, &file, err);
	if (r < 0)
		return r;
	r = read_list(engine, list, &object, err);
	if (r >= 0 && !amend)
		return err_set(err, ERR_CONFLICT, 0,
			       "refusing to amend an existing manifest list with no --amend flag");
	if (r < 0 && err->kind != ERR_NOT_FOUND)
		return r;
	if (r < 0) {
		error_release(err);
		object = json_pack("{s:s, s:[]}", "name", name, "manifests");
	}
	entries = json_object_get(object, "manifests");
	for (size_t i = 0; i < names->count; i++) {
		json_t *entry = NULL;
		long position = find_entry(object, names->items[i]);

		r = look_up(names->items[i], options, &entry, err);
		if (r < 0)
			return r;
		if (position >= 0)
			(void)json_array_set_new(entries, (size_t)position, entry);
		else
			(void)json_array_append_new(entries, entry);
	}
	if (json_array_size(entries) > MAX_MANIFESTS)
		return err_set(err, ERR_INVALID, 0, "more than %d manifests", MAX_MANIFESTS);
	r = write_list(engine, object, err);
	if (r < 0)
		return r;
	*ret_name = TAKE_PTR(name);
	return 0;
}

int manifest_annotate(struct engine *engine, const char *list, const char *name,
		      const struct manifest_annotation *annotation, struct error *err)
{
	const struct {
		const char *member, *value;
	} changes[] = {
		{"os", annotation->os},
		{"architecture", annotation->architecture},
		{"variant", annotation->variant},
		{"os.version", annotation->os_version},
	};
	auto_(json_decref) json_t *object = NULL;
	json_t *platform;
	long position;
	int r;

	r = read_list(engine, list, &object, err);
	if (r < 0)
		return r;
	position = find_entry(object, name);
	if (position < 0)
		return err_set(err, ERR_NOT_FOUND, 0, "manifest for image %s does not exist in %s",
			       name, list);
	platform = json_object_get(object, "manifests");
	platform = json_object_get(json_array_get(platform, (size_t)position), "descriptor");
	platform = json_object_get(platform, "platform");
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++)
		if (changes[i].value)
			json_set_string(platform, changes[i].member, changes[i].value);
	if (annotation->os_features->count > 0)
		(void)json_object_set_new(platform, "os.features",
					  json_from_strv(annotation->os_features));
	return write_list(engine, object, err);
}

/* ---- inspect, push ---- */

/* The document that a list stands for: OCI's when all its manifests are. */
static int build_document(const json_t *list, struct copy_document *ret_document, struct error *err)
{
	const json_t *entries = json_object_get(list, "manifests");
	auto_(json_decref) json_t *index = NULL;
	const char *type = MEDIA_OCI_INDEX;
	json_t *items = json_array();

	for (size_t i = 0; i < json_array_size(entries); i++) {
		json_t *descriptor = json_object_get(json_array_get(entries, i), "descriptor");
		const json_t *platform = json_object_get(descriptor, "platform");

		if (strcmp(json_get_string(descriptor, "mediaType", ""), MEDIA_OCI_MANIFEST) != 0)
			type = MEDIA_DOCKER_LIST;
		(void)json_array_append(items, descriptor);
		if (!json_object_get(platform, "os") ||
		    !json_object_get(platform, "architecture")) {
			json_decref(items);
			return err_set(err, ERR_INVALID, 0,
				       "manifest %s must have an OS and Architecture to be pushed "
				       "to a registry",
				       json_get_string(json_array_get(entries, i), "ref", ""));
		}
	}
	index = json_pack("{s:i, s:s, s:o}", "schemaVersion", 2, "mediaType", type, "manifests",
			  items);
	ret_document->text = json_text_pretty(index, 3);
	ret_document->len = strlen(ret_document->text);
	ret_document->media_type = xstrdup(type);
	copy_document_seal(ret_document);
	return 0;
}

/* The manifests that are in another repository than the list come into its own. */
static int bring_manifest(struct engine *engine, const json_t *entry,
			  const struct reference *target, const struct registry_options *options,
			  struct error *err)
{
	auto_(reference_release) struct reference from = {0};
	auto_(image_copy_result_release) struct image_copy_result result = {0};
	auto_free char *source = NULL, *copy = NULL;
	const char *digest = json_get_string(json_object_get(entry, "descriptor"), "digest", "");
	struct image_copy_request request = {
		.all = true, .source_registry = *options, .target_registry = *options};
	int r;

	r = reference_parse(json_get_string(entry, "ref", ""), &from, err);
	if (r < 0)
		return r;
	if (strcmp(from.domain, target->domain) == 0 && strcmp(from.path, target->path) == 0)
		return 0;
	request.source = source = xasprintf("docker://%s/%s@%s", from.domain, from.path, digest);
	request.target = copy =
		xasprintf("docker://%s/%s@%s", target->domain, target->path, digest);
	return image_copy(engine, &request, &result, err);
}

int manifest_push(struct engine *engine, const char *list, bool purge,
		  const struct registry_options *options, char **ret_digest, struct error *err)
{
	auto_(json_decref) json_t *object = NULL;
	auto_(copy_document_release) struct copy_document document = {0};
	auto_(copy_end_free) struct copy_end *end = NULL;
	auto_(reference_release) struct reference target = {0};
	const json_t *entries;
	int r;

	r = read_list(engine, list, &object, err);
	if (r >= 0)
		r = reference_parse(list, &target, err);
	if (r >= 0)
		r = build_document(object, &document, err);
	entries = json_object_get(object, "manifests");
	for (size_t i = 0; r >= 0 && i < json_array_size(entries); i++)
		r = bring_manifest(engine, json_array_get(entries, i), &target, options, err);
	if (r >= 0)
		r = copy_registry_open(list, options, /* writing= */ true, NULL, &end, err);
	if (r >= 0)
		r = end->ops->write_document(end, NULL, &document, err);
	if (r < 0)
		return err_wrap(err, r, "push the list '%s'", list);
	*ret_digest = xstrdup(document.digest);
	return purge ? manifest_remove(engine, list, err) : 0;
}

/* JSON text with a tab for each level; what is between strings' quotes stays as it is. */
static char *indent(const char *text, size_t len)
{
	auto_(strbuf_release) struct strbuf out = {0};
	size_t level = 0;
	bool in_string = false;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		bool opens = c == '{' || c == '[', closes = c == '}' || c == ']';

		if (in_string) {
			strbuf_addc(&out, c);
			if (c == '\\' && i + 1 < len)
				strbuf_addc(&out, text[++i]);
			in_string = c != '"';
			continue;
		}
		if (strchr(" \t\r\n", c))
			continue;
		in_string = c == '"';
		if (closes && level > 0)
			level--;
		if (closes && out.len > 0 && !strchr("{[", out.data[out.len - 1])) {
			strbuf_addc(&out, '\n');
			for (size_t k = 0; k < level; k++)
				strbuf_addc(&out, '\t');
		} else if (out.len > 0 && strchr("{[,", out.data[out.len - 1]) && !closes) {
			strbuf_addc(&out, '\n');
			for (size_t k = 0; k < level; k++)
				strbuf_addc(&out, '\t');
		}
		strbuf_addc(&out, c);
		if (c == ':')
			strbuf_addc(&out, ' ');
		level += opens;
	}
	return strbuf_take(&out);
}

/* docker's object about one manifest. */
static json_t *describe(const json_t *entry)
{
	const char *raw = json_get_string(entry, "raw", "");
	const json_t *descriptor = json_object_get(entry, "descriptor");
	bool oci = strcmp(json_get_string(descriptor, "mediaType", ""), MEDIA_OCI_MANIFEST) == 0;
	auto_free char *encoded = base64_encode(raw, strlen(raw));
	auto_(error_release) struct error ignored = {0};
	auto_(json_decref) json_t *parsed = NULL;

	if (json_parse(raw, strlen(raw), "manifest", &parsed, &ignored) < 0)
		parsed = json_object();
	return json_pack("{s:s, s:O, s:s, s:O}", "Ref", json_get_string(entry, "ref", ""),
			 "Descriptor", descriptor, "Raw", encoded,
			 oci ? "OCIManifest" : "SchemaV2Manifest", parsed);
}

static int inspect_list(const json_t *list, bool verbose, char **ret_text, struct error *err)
{
	auto_(copy_document_release) struct copy_document document = {0};
	auto_(json_decref) json_t *all = json_array();
	const json_t *entries = json_object_get(list, "manifests");
	auto_free char *text = NULL;
	int r;

	if (verbose) {
		for (size_t i = 0; i < json_array_size(entries); i++)
			(void)json_array_append_new(all, describe(json_array_get(entries, i)));
		text = json_text(all);
		*ret_text = indent(text, strlen(text));
		return 0;
	}
	r = build_document(list, &document, err);
	if (r < 0)
		return r;
	*ret_text = indent(document.text, document.len);
	return 0;
}

static int inspect_entry(const json_t *entry, bool verbose, char **ret_text)
{
	const char *raw = json_get_string(entry, "raw", "");
	auto_(json_decref) json_t *object = NULL;
	auto_free char *text = NULL;

	if (verbose) {
		object = describe(entry);
		text = json_text(object);
		*ret_text = indent(text, strlen(text));
	} else {
		*ret_text = indent(raw, strlen(raw));
	}
	return 0;
}

/* All manifests of an index in a registry, as elements of a list. */
static int list_from_index(const char *name, const json_t *index,
			   const struct registry_options *options, json_t **ret_list,
			   struct error *err)
{
	const json_t *items = json_object_get(index, "manifests");
	auto_(reference_release) struct reference reference = {0};
	auto_(json_decref) json_t *entries = json_array();
	auto_free char *repository = NULL;
	int r;

	r = reference_parse(name, &reference, err);
	if (r >= 0 && json_array_size(items) > MAX_MANIFESTS)
		return err_set(err, ERR_INVALID, 0, "more than %d manifests", MAX_MANIFESTS);
	repository = r >= 0 ? reference_repository(&reference) : NULL;
	for (size_t i = 0; r >= 0 && i < json_array_size(items); i++) {
		json_t *item = json_array_get(items, i), *entry = NULL;
		auto_free char *one =
			xasprintf("%s@%s", repository, json_get_string(item, "digest", ""));

		r = look_up(one, options, &entry, err);
		if (r < 0)
			break;
		(void)json_object_set(entry, "descriptor", item);
		(void)json_array_append_new(entries, entry);
	}
	if (r < 0)
		return r;
	*ret_list = json_pack("{s:O}", "manifests", entries);
	return 0;
}

static int inspect_registry(const struct manifest_inspect_request *request, char **ret_text,
			    struct error *err)
{
	auto_(copy_end_free) struct copy_end *end = NULL;
	auto_(copy_document_release) struct copy_document document = {0};
	auto_(json_decref) json_t *root = NULL, *entry = NULL, *list = NULL;
	int r;

	r = copy_registry_open(request->name, &request->registry, /* writing= */ false, NULL, &end,
			       err);
	if (r >= 0)
		r = end->ops->read_document(end, NULL, &document, err);
	if (r >= 0)
		r = json_parse(document.text, document.len, request->name, &root, err);
	if (r < 0)
		return err_wrap(err, r, "manifest '%s'", request->name);
	if (!request->verbose) {
		*ret_text = indent(document.text, document.len);
		return 0;
	}
	if (json_object_get(root, "manifests")) {
		r = list_from_index(request->name, root, &request->registry, &list, err);
		return r < 0 ? r : inspect_list(list, /* verbose= */ true, ret_text, err);
	}
	r = look_up(request->name, &request->registry, &entry, err);
	return r < 0 ? r : inspect_entry(entry, /* verbose= */ true, ret_text);
}

int manifest_inspect(struct engine *engine, const struct manifest_inspect_request *request,
		     char **ret_text, struct error *err)
{
	auto_(json_decref) json_t *list = NULL;
	long position;
	int r;

	/* Lists here have no digests. */
	if (!request->list && strchr(request->name, '@'))
		return inspect_registry(request, ret_text, err);
	r = read_list(engine, request->list ? request->list : request->name, &list, err);
	if (r < 0 && (request->list || err->kind != ERR_NOT_FOUND))
		return r;
	if (r < 0) {
		error_release(err);
		return inspect_registry(request, ret_text, err);
	}
	if (!request->list)
		return inspect_list(list, request->verbose, ret_text, err);
	position = find_entry(list, request->name);
	if (position < 0)
		return err_set(err, ERR_NOT_FOUND, 0, "No such manifest: %s", request->name);
	return inspect_entry(json_array_get(json_object_get(list, "manifests"), (size_t)position),
			     request->verbose, ret_text);
}
