/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/credentials.h"

#include <string.h>

#include "base/alloc.h"
#include "trust/auth_file.h"
#include "trust/credential_helper.h"
#include "trust/trust_paths.h"

/* The places where credentials may be, best first. */
struct auth_place {
	char *path;
	enum auth_file_style style;
};

#define MAX_PLACES 4

struct auth_places {
	struct auth_place items[MAX_PLACES];
	size_t count;
	bool chosen; /* the user named the one file */
};

static void auth_places_release(struct auth_places *places)
{
	for (size_t i = 0; i < places->count; i++)
		free(places->items[i].path);
	*places = (struct auth_places){0};
}

DEFINE_CLEANUP_VALUE(struct auth_places, auth_places_release);

static void add_place(struct auth_places *places, const char *directory, const char *name,
		      enum auth_file_style style)
{
	if (!directory)
		return;
	places->items[places->count++] = (struct auth_place){
		.path = name ? xasprintf("%s/%s", directory, name) : xstrdup(directory),
		.style = style,
	};
}

static void list_places(const struct trust_paths *paths, const struct credentials_choice *choice,
			struct auth_places *places)
{
	const char *named = choice && choice->authfile ? choice->authfile : paths->auth_file;

	if (named) {
		places->chosen = true;
		add_place(places, named, NULL, auth_file_style_of(named));
		return;
	}
	add_place(places, paths->docker_config, "config.json", AUTH_FILE_DOCKER);
	add_place(places, paths->runtime_auth, NULL, AUTH_FILE_CONTAINERS);
	add_place(places, paths->config_home, "containers/auth.json", AUTH_FILE_CONTAINERS);
	add_place(places, paths->home, ".dockercfg", AUTH_FILE_LEGACY);
}

bool credentials_is_empty(const struct credentials *credentials)
{
	return !credentials->username && !credentials->password && !credentials->identity_token &&
	       !credentials->registry_token;
}

static void wipe_text(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

void credentials_release(struct credentials *credentials)
{
	wipe_text(credentials->username);
	wipe_text(credentials->password);
	wipe_text(credentials->identity_token);
	wipe_text(credentials->registry_token);
	*credentials = (struct credentials){0};
}

int credentials_parse(const char *text, struct credentials *ret_credentials, struct error *err)
{
	const char *colon = strchr(text, ':');

	/* Never the text itself: it may be a password alone. */
	if (!colon || colon == text)
		return err_set(err, ERR_INVALID, 0, "credentials must be given as USER:PASSWORD");
	if (strlen(text) > CREDENTIALS_MAX_BYTES)
		return err_set(err, ERR_INVALID, 0, "the credentials are too long");
	*ret_credentials = (struct credentials){
		.username = xstrndup(text, (size_t)(colon - text)),
		.password = xstrdup(colon + 1),
	};
	return 0;
}

static int ask_helper(const struct auth_file *file, const char *helper, const char *domain,
		      struct credentials *ret_credentials, struct error *err)
{
	auto_free char *server = auth_file_key(file, domain);

	return credential_helper_get(helper, server, ret_credentials, err);
}

/* 1 found, 0 look in the next file, or an error. */
static int find_in_file(const struct auth_file *file, const char *domain, const char *path,
			struct credentials *ret_credentials, struct error *err)
{
	const char *helper = auth_file_helper(file, domain);
	int r;

	if (helper)
		return ask_helper(file, helper, domain, ret_credentials, err);
	r = auth_file_find(file, domain, path, ret_credentials, err);
	if (r != 0)
		return r;
	helper = auth_file_default_helper(file);
	return helper ? ask_helper(file, helper, domain, ret_credentials, err) : 0;
}

int credentials_find(const struct trust_paths *paths, const struct credentials_choice *choice,
		     const char *domain, const char *path, struct credentials *ret_credentials,
		     struct error *err)
{
	auto_(auth_places_release) struct auth_places places = {0};

	*ret_credentials = (struct credentials){0};
	if (choice && choice->creds)
		return credentials_parse(choice->creds, ret_credentials, err);
	list_places(paths, choice, &places);
	for (size_t i = 0; i < places.count; i++) {
		auto_(auth_file_release) struct auth_file file = {0};
		int r;

		r = auth_file_read(places.items[i].path, places.items[i].style, &file, err);
		if (r > 0)
			r = find_in_file(&file, domain, path, ret_credentials, err);
		if (r != 0)
			return r < 0 ? r : 0;
	}
	return 0;
}

char *credentials_file(const struct trust_paths *paths, const struct credentials_choice *choice)
{
	auto_(auth_places_release) struct auth_places places = {0};

	list_places(paths, choice, &places);
	return places.count > 0 ? TAKE_PTR(places.items[0].path) : xstrdup("auth.json");
}

/* The program that keeps what belongs to the key's registry; borrowed from the file, or NULL. */
static const char *keeper_of(const struct auth_file *file, const char *key)
{
	auto_free char *domain = xstrndup(key, strcspn(key, "/"));
	const char *helper = auth_file_helper(file, domain);

	return helper ? helper : auth_file_default_helper(file);
}

struct store_job {
	const char *key;
	const struct credentials *credentials;
	enum credentials_place place;
};

static int store_edit(struct auth_file *file, void *context, struct error *err)
{
	struct store_job *job = context;
	const char *helper = keeper_of(file, job->key);
	auto_free char *server = auth_file_key(file, job->key);
	int r;

	job->place = CREDENTIALS_IN_FILE;
	if (helper) {
		r = credential_helper_store(helper, server, job->credentials, err);
		if (r < 0)
			return r;
		job->place = CREDENTIALS_IN_HELPER;
	}
	auth_file_set(file, job->key, helper ? NULL : job->credentials);
	return 1;
}

int credentials_store(const struct trust_paths *paths, const struct credentials_choice *choice,
		      const char *key, const struct credentials *credentials,
		      enum credentials_place *ret_place, struct error *err)
{
	auto_(auth_places_release) struct auth_places places = {0};
	struct store_job job = {.key = key, .credentials = credentials};
	int r;

	list_places(paths, choice, &places);
	if (places.count == 0)
		return err_set(err, ERR_UNAVAILABLE, 0,
			       "no place for credentials: HOME is not set");
	r = auth_file_update(places.items[0].path, places.items[0].style, store_edit, &job, err);
	if (r < 0)
		return r;
	*ret_place = job.place;
	return 0;
}

struct erase_job {
	const char *key;
	bool found;
};

static int erase_edit(struct auth_file *file, void *context, struct error *err)
{
	struct erase_job *job = context;
	const char *helper = keeper_of(file, job->key);
	auto_free char *server = auth_file_key(file, job->key);
	bool removed;
	int r;

	if (helper) {
		auto_(credentials_release) struct credentials kept = {0};

		r = credential_helper_get(helper, server, &kept, err);
		if (r > 0) {
			job->found = true;
			r = credential_helper_erase(helper, server, err);
		}
		if (r < 0)
			return r;
	}
	removed = auth_file_unset(file, job->key);
	job->found = job->found || removed;
	return removed;
}

int credentials_erase(const struct trust_paths *paths, const struct credentials_choice *choice,
		      const char *key, bool *ret_found, struct error *err)
{
	auto_(auth_places_release) struct auth_places places = {0};
	struct erase_job job = {.key = key};

	list_places(paths, choice, &places);
	for (size_t i = 0; i < places.count; i++) {
		auto_(auth_file_release) struct auth_file file = {0};
		int r;

		/* What is not there needs no directory made for it. */
		r = auth_file_read(places.items[i].path, places.items[i].style, &file, err);
		if (r > 0)
			r = auth_file_update(places.items[i].path, places.items[i].style,
					     erase_edit, &job, err);
		if (r < 0)
			return r;
	}
	*ret_found = job.found;
	return 0;
}

int credentials_list(const struct trust_paths *paths, const struct credentials_choice *choice,
		     struct strv *ret_keys, struct error *err)
{
	auto_(auth_places_release) struct auth_places places = {0};
	auto_(auth_file_release) struct auth_file file = {0};
	int r;

	list_places(paths, choice, &places);
	if (places.count == 0)
		return 0;
	r = auth_file_read(places.items[0].path, places.items[0].style, &file, err);
	if (r > 0)
		auth_file_list(&file, ret_keys);
	return r < 0 ? r : 0;
}
