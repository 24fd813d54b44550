/* SPDX-License-Identifier: Apache-2.0 */
/* cdi_spec.c - names of devices, and the files that describe them */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/parse.h"
#include "base/strbuf.h"
#include "engine/cdi.h"
#include "engine/settings.h"
#include "trust/host_file.h"
#include "trust/yaml_json.h"

#define SPEC_MAX_BYTES ((size_t)1 << 20)
#define NAMES_MAX 256
#define GPU_KIND "nvidia.com/gpu"
#define GPUS_MAX 128

/* ---- names ---- */

static bool is_word(const char *text, size_t len, const char *others)
{
	if (len == 0 || !isalnum((unsigned char)text[0]) || !isalnum((unsigned char)text[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)text[i]) && !strchr(others, text[i]))
			return false;
	return true;
}

bool cdi_is_name(const char *text)
{
	const char *slash = strchr(text, '/');
	const char *equals = slash ? strchr(slash, '=') : NULL;

	return equals && is_word(text, (size_t)(slash - text), "_.-") &&
	       is_word(slash + 1, (size_t)(equals - slash) - 1, "_.-") &&
	       is_word(equals + 1, strlen(equals + 1), "_.-:");
}

/* ---- --gpus ---- */

static int add_gpu_count(const char *text, struct strv *names, struct error *err)
{
	uint32_t count;

	if (strcmp(text, "all") == 0 || strcmp(text, "-1") == 0) {
		strv_add(names, GPU_KIND "=all");
		return 0;
	}
	if (parse_u32(text, &count) < 0 || count > GPUS_MAX)
		return err_set(
			err, ERR_INVALID, 0,
			"invalid argument \"%s\" for \"--gpus\" flag: count must be an integer",
			text);
	for (uint32_t i = 0; i < count; i++)
		strv_addf(names, GPU_KIND "=%u", i);
	return 0;
}

/* A word of docker's list. Words without '=' go on with the list of the key before. */
static int parse_gpu_word(const char *word, const char **key, struct strv *names, struct error *err)
{
	static const char *const known[] = {"capabilities", "count", "device", "driver"};
	const char *equals = strchr(word, '=');
	const char *value = equals ? equals + 1 : word;

	if (equals) {
		*key = NULL;
		for (size_t i = 0; i < ARRAY_SIZE(known); i++)
			if (strncmp(known[i], word, (size_t)(equals - word)) == 0 &&
			    known[i][equals - word] == '\0')
				*key = known[i];
	}
	if (!*key)
		return equals ? err_set(err, ERR_INVALID, 0,
					"invalid argument for \"--gpus\" flag: unexpected key in "
					"'%s'",
					word)
			      : add_gpu_count(word, names, err);
	if (strcmp(*key, "count") == 0)
		return add_gpu_count(value, names, err);
	if (strcmp(*key, "device") == 0) {
		strv_addf(names, GPU_KIND "=%s", value);
		return 0;
	}
	if (strcmp(*key, "driver") == 0 && strcmp(value, "nvidia") != 0 &&
	    strcmp(value, "cdi") != 0)
		return err_set(err, ERR_INVALID, 0, "could not select device driver \"%s\"", value);
	return 0; /* what a GPU can do, its CDI specification says */
}

int cdi_gpus_parse(const char *text, struct strv *names, struct error *err)
{
	auto_(strv_release) struct strv words = {0};
	auto_free char *plain = xstrdup(text);
	const char *key = NULL;
	size_t before = names->count, out = 0;
	int r;

	/* Docker's value is a line of CSV: quotes hold "device=0,1" together, which we do anyway. */
	for (size_t i = 0; plain[i]; i++)
		if (plain[i] != '"')
			plain[out++] = plain[i];
	plain[out] = '\0';
	strv_split(&words, plain, ',');
	for (size_t i = 0; i < words.count; i++) {
		r = parse_gpu_word(words.items[i], &key, names, err);
		if (r < 0)
			return r;
	}
	if (names->count == before)
		strv_add(names, GPU_KIND "=all");
	for (size_t i = before; i < names->count; i++)
		if (!cdi_is_name(names->items[i]))
			return err_set(err, ERR_INVALID, 0,
				       "invalid argument \"%s\" for \"--gpus\" flag", text);
	return 0;
}

/* ---- one file ---- */

int cdi_spec_parse(const char *text, size_t len, const char *path, json_t **ret_spec,
		   struct error *err)
{
	auto_(json_decref) json_t *spec = NULL;
	const char *version;
	size_t name_len = strlen(path);
	int r;

	if (name_len > 5 && strcmp(path + name_len - 5, ".json") == 0)
		r = json_parse(text, len, path, &spec, err);
	else
		r = yaml_json_parse(text, len, path, &spec, err);
	if (r < 0)
		return r;
	version = json_get_string(spec, "cdiVersion", "");
	if (strncmp(version, "0.", 2) != 0 && strncmp(version, "1.", 2) != 0)
		return err_set(err, ERR_INVALID, 0, "%s: cdiVersion '%s' is not known", path,
			       version);
	if (!json_is_array(json_object_get(spec, "devices")) || !*json_get_string(spec, "kind", ""))
		return err_set(err, ERR_INVALID, 0, "%s: it has no kind or no devices", path);
	*ret_spec = TAKE_PTR(spec);
	return 0;
}

int cdi_spec_find(const json_t *spec, const char *name, const json_t **ret_device,
		  struct error *err)
{
	const char *kind = json_get_string(spec, "kind", "");
	const char *equals = strchr(name, '=');
	const json_t *device, *found = NULL;
	size_t i;

	if (strlen(kind) != (size_t)(equals - name) ||
	    memcmp(kind, name, (size_t)(equals - name)) != 0)
		return 0;
	json_array_foreach (json_object_get(spec, "devices"), i, device) {
		if (strcmp(json_get_string(device, "name", ""), equals + 1) != 0)
			continue;
		if (found)
			return err_set(err, ERR_INVALID, 0, "device '%s' is described twice", name);
		found = device;
	}
	*ret_device = found;
	return found != NULL;
}

/* ---- the directories ---- */

struct spec_file {
	char *path;
	json_t *spec;
	size_t directory;
	bool is_used;
};

struct registry {
	struct spec_file *files;
	size_t count;
	struct strbuf complaints; /* of files that cannot be used */
};

static void registry_release(struct registry *registry)
{
	for (size_t i = 0; i < registry->count; i++) {
		free(registry->files[i].path);
		json_decref(registry->files[i].spec);
	}
	free(registry->files);
	strbuf_release(&registry->complaints);
	*registry = (struct registry){0};
}

DEFINE_CLEANUP_VALUE(struct registry, registry_release);

static int read_spec(const char *path, json_t **ret_spec, struct error *err)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	auto_free char *text = NULL;
	struct stat st;
	size_t len;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, ERR_SYSTEM, errno, "%s", path);
	if (!S_ISREG(st.st_mode) || (st.st_uid != 0 && st.st_uid != geteuid()) ||
	    (st.st_mode & 022))
		return err_set(err, ERR_DENIED, 0, "%s: it is not root's alone", path);
	r = fd_read_text(fd, SPEC_MAX_BYTES, &text, &len);
	if (r < 0)
		return err_set(err, ERR_SYSTEM, -r, "%s", path);
	return cdi_spec_parse(text, len, path, ret_spec, err);
}

static void add_file(struct registry *registry, size_t directory, char *path)
{
	auto_(error_release) struct error err = {0};
	struct spec_file file = {.path = path, .directory = directory};

	if (read_spec(path, &file.spec, &err) < 0) {
		strbuf_addf(&registry->complaints, "; %s", err_message(&err));
		free(path);
		return;
	}
	registry->files =
		xreallocarray(registry->files, registry->count + 1, sizeof(*registry->files));
	registry->files[registry->count++] = file;
}

static int read_directory(struct registry *registry, size_t index, const char *path,
			  struct error *err)
{
	static const char *const suffixes[] = {".json", ".yaml"};

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		auto_(strv_release) struct strv names = {0};
		int r = host_directory_list(path, suffixes[i], &names, err);

		if (r < 0)
			return r;
		for (size_t n = 0; n < names.count; n++)
			add_file(registry, index, xasprintf("%s/%s", path, names.items[n]));
	}
	return 0;
}

static int read_registry(struct registry *registry, struct error *err)
{
	auto_(strv_release) struct strv directories = {0};
	const struct settings *settings;
	int r;

	r = settings_get(&settings, err);
	if (r < 0)
		return r;
	strv_copy(&directories, &settings->cdi_dirs);
	if (directories.count == 0) {
		strv_add(&directories, "/etc/cdi");
		strv_add(&directories, "/var/run/cdi");
	}
	for (size_t i = 0; r == 0 && i < directories.count; i++)
		r = read_directory(registry, i, directories.items[i], err);
	return r;
}

/* The file in the last directory that has the device; NULL: none. */
static int find_device(struct registry *registry, const char *name, struct spec_file **ret_file,
		       const json_t **ret_device, struct error *err)
{
	*ret_file = NULL;
	for (size_t i = 0; i < registry->count; i++) {
		struct spec_file *file = &registry->files[i];
		const json_t *device;
		int r = cdi_spec_find(file->spec, name, &device, err);

		if (r < 0)
			return err_wrap(err, r, "%s", file->path);
		if (r == 0)
			continue;
		if (*ret_file && (*ret_file)->directory == file->directory)
			return err_set(err, ERR_CONFLICT, 0,
				       "CDI device '%s' is described by both %s and %s", name,
				       (*ret_file)->path, file->path);
		*ret_file = file;
		*ret_device = device;
	}
	return 0;
}

/* ---- what to do ---- */

/* A file's own edits come once, before those of its first device. */
static void add_edits(struct spec_file *file, const json_t *device, json_t *list)
{
	json_t *common = json_object_get(file->spec, "containerEdits");
	json_t *own = json_object_get(device, "containerEdits");

	if (common && !file->is_used)
		(void)json_array_append(list, common);
	file->is_used = true;
	if (own)
		(void)json_array_append(list, own);
}

static int collect(struct registry *registry, const struct strv *names, json_t *list,
		   struct error *err)
{
	auto_(strv_release) struct strv missing = {0};
	auto_free char *text = NULL;

	for (size_t i = 0; i < names->count; i++) {
		struct spec_file *file;
		const json_t *device = NULL;
		int r = find_device(registry, names->items[i], &file, &device, err);

		if (r < 0)
			return r;
		if (file)
			add_edits(file, device, list);
		else
			strv_add(&missing, names->items[i]);
	}
	if (missing.count == 0)
		return 0;
	text = strv_join(&missing, ", ");
	return err_set(err, ERR_NOT_FOUND, 0,
		       "CDI device injection failed: unresolvable CDI devices %s%s", text,
		       strbuf_text(&registry->complaints));
}

int cdi_edits_collect(const struct strv *names, struct cdi_edits *ret_edits, struct error *err)
{
	auto_(registry_release) struct registry registry = {0};
	auto_(json_decref) json_t *list = NULL;
	int r;

	*ret_edits = (struct cdi_edits){0};
	if (names->count == 0)
		return 0;
	if (names->count > NAMES_MAX)
		return err_set(err, ERR_INVALID, E2BIG, "more than %d CDI devices", NAMES_MAX);
	list = json_array();
	r = read_registry(&registry, err);
	if (r == 0)
		r = collect(&registry, names, list, err);
	if (r < 0)
		return r;
	ret_edits->list = TAKE_PTR(list);
	return 0;
}

void cdi_edits_release(struct cdi_edits *edits)
{
	json_decref(edits->list);
	*edits = (struct cdi_edits){0};
}
