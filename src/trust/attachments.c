/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attachments.c - registries.d: for which repositories signatures are stored beside the images
 *
 * Of what these files may say only use-sigstore-attachments concerns us:
 *
 *	default-docker:
 *	  use-sigstore-attachments: true
 *	docker:
 *	  registry.example.com/team:
 *	    use-sigstore-attachments: false
 *
 * The section of the most precise scope counts, alone: what it does not say is not looked for in others.
 */
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/parse.h"
#include "image/reference.h"
#include "trust/host_file.h"
#include "trust/policy.h"
#include "trust/trust_paths.h"
#include "trust/yaml_json.h"

/* The sections of all files together: they may not contradict each other. */
struct sections {
	json_t *by_scope; /* "docker" of all files */
	json_t *otherwise;
};

static void sections_release(struct sections *sections)
{
	json_decref(sections->by_scope);
	json_decref(sections->otherwise);
	*sections = (struct sections){0};
}

DEFINE_CLEANUP_VALUE(struct sections, sections_release);

static int merge_scopes(struct sections *sections, json_t *scopes, const char *file,
			struct error *err)
{
	const char *scope;
	json_t *section;

	if (scopes && !json_is_object(scopes))
		return err_set(err, ERR_INVALID, 0, "'%s': 'docker' is not a mapping", file);
	json_object_foreach (scopes, scope, section) {
		if (json_object_get(sections->by_scope, scope))
			return err_set(err, ERR_INVALID, 0,
				       "'%s': '%s' is configured in another file too", file, scope);
		(void)json_object_set(sections->by_scope, scope, section);
	}
	return 0;
}

static int merge_file(struct sections *sections, const char *file, struct error *err)
{
	auto_(json_decref) json_t *root = NULL;
	auto_free char *text = NULL;
	json_t *otherwise;
	size_t len;
	int r;

	r = host_file_read(file, YAML_MAX_BYTES, &text, &len, err);
	if (r <= 0)
		return r;
	r = yaml_json_parse(text, len, file, &root, err);
	if (r < 0)
		return r;
	otherwise = json_object_get(root, "default-docker");
	if (otherwise && sections->otherwise)
		return err_set(err, ERR_INVALID, 0, "'%s': 'default-docker' is in another file too",
			       file);
	if (otherwise)
		sections->otherwise = json_incref(otherwise);
	return merge_scopes(sections, json_object_get(root, "docker"), file, err);
}

/* The user's directory when there is one, else the host's. */
static char *find_directory(const struct trust_paths *paths)
{
	if (paths->config_home) {
		auto_free char *user = xasprintf("%s/containers/registries.d", paths->config_home);

		if (access(user, F_OK) == 0)
			return TAKE_PTR(user);
	}
	return xasprintf("%s/containers/registries.d", paths->etc);
}

static int read_sections(const struct trust_paths *paths, struct sections *sections,
			 struct error *err)
{
	auto_(strv_release) struct strv names = {0};
	auto_free char *directory = find_directory(paths);
	int r;

	sections->by_scope = json_object();
	r = host_directory_list(directory, ".yaml", &names, err);
	for (size_t i = 0; r >= 0 && i < names.count; i++) {
		auto_free char *file = xasprintf("%s/%s", directory, names.items[i]);

		r = merge_file(sections, file, err);
	}
	return r;
}

/* The name itself, then its repository and the repository's parents. */
static const json_t *find_section(const struct sections *sections,
				  const struct reference *reference)
{
	auto_free char *scope = reference_repository(reference);
	auto_free char *name = reference_format(reference);
	const json_t *section = json_object_get(sections->by_scope, name);

	while (!section) {
		char *slash;

		section = json_object_get(sections->by_scope, scope);
		slash = strrchr(scope, '/');
		if (!slash)
			break;
		*slash = '\0';
	}
	return section ? section : sections->otherwise;
}

int policy_use_attachments(const struct trust_paths *paths, const struct reference *reference,
			   struct error *err)
{
	auto_(sections_release) struct sections sections = {0};
	const char *value;
	bool use;
	int r;

	r = read_sections(paths, &sections, err);
	if (r < 0)
		return r;
	value = json_get_string(find_section(&sections, reference), "use-sigstore-attachments",
				"true");
	if (parse_bool(value, &use) < 0)
		return err_set(
			err, ERR_INVALID, 0,
			"registries.d: use-sigstore-attachments is '%s', and must be true or "
			"false",
			value);
	return use;
}
