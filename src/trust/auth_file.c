/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/auth_file.h"

#include <string.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "base/path.h"
#include "trust/credentials.h"
#include "trust/host_file.h"

#define HUB "docker.io"

enum auth_file_style auth_file_style_of(const char *path)
{
	return strcmp(path_basename(path), "config.json") == 0 ? AUTH_FILE_DOCKER
							       : AUTH_FILE_CONTAINERS;
}

void auth_file_release(struct auth_file *file)
{
	json_decref(file->root);
	*file = (struct auth_file){0};
}

static bool is_blank(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!text[i] || !strchr(" \t\r\n", text[i]))
			return false;
	return true;
}

int auth_file_parse(const char *text, size_t len, const char *path, enum auth_file_style style,
		    struct auth_file *ret_file, struct error *err)
{
	auto_(error_release) struct error detail = {0};
	auto_(json_decref) json_t *root = NULL;

	if (is_blank(text, len)) {
		root = json_object();
	} else if (json_parse(text, len, path, &root, &detail) < 0) {
		/* The parser's own message quotes what is near the mistake: it may be a secret. */
		return err_set(err, ERR_INVALID, 0, "'%s' is not valid JSON", path);
	}
	if (!json_is_object(root))
		return err_set(err, ERR_INVALID, 0, "'%s' is not a JSON object", path);
	*ret_file = (struct auth_file){.style = style, .path = path, .root = TAKE_PTR(root)};
	return 0;
}

int auth_file_read(const char *path, enum auth_file_style style, struct auth_file *ret_file,
		   struct error *err)
{
	auto_free char *text = NULL;
	size_t len;
	int r;

	r = host_file_read(path, AUTH_FILE_MAX_BYTES, &text, &len, err);
	if (r <= 0)
		return r;
	r = auth_file_parse(text, len, path, style, ret_file, err);
	explicit_bzero(text, len);
	return r < 0 ? r : 1;
}

/* "docker.io" for all that Docker Hub has been called. */
static const char *plain_domain(const char *domain)
{
	static const char *const names[] = {"index.docker.io", "registry-1.docker.io"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(domain, names[i]) == 0)
			return HUB;
	return domain;
}

/* A key as "domain" or "domain/path": URLs lose scheme and path, Docker Hub has one name. */
static char *plain_key(const char *key)
{
	auto_free char *domain = NULL;
	const char *rest = strstr(key, "://");
	bool url = rest && (size_t)(rest - key) <= strlen("https");

	rest = url ? rest + 3 : key;
	domain = xstrndup(rest, strcspn(rest, "/"));
	rest += strlen(domain);
	/* "host/" is the host. */
	return xasprintf("%s%s", plain_domain(domain), url || !rest[strspn(rest, "/")] ? "" : rest);
}

char *auth_file_key(const struct auth_file *file, const char *key)
{
	auto_free char *plain = plain_key(key);

	if (file->style != AUTH_FILE_CONTAINERS && strcmp(plain, HUB) == 0)
		return xstrdup(DOCKER_HUB_KEY);
	return TAKE_PTR(plain);
}

/* Where the entries are; NULL when the file has none. */
static json_t *entries_of(const struct auth_file *file)
{
	return file->style == AUTH_FILE_LEGACY ? file->root : json_object_get(file->root, "auths");
}

/* The value of a key in whichever spelling; the file's own spelling is the first choice. */
static json_t *find_spelled(const struct auth_file *file, json_t *object, const char *key)
{
	auto_free char *own = auth_file_key(file, key);
	auto_free char *plain = plain_key(key);
	json_t *value = json_object_get(object, own);
	const char *name;

	if (value)
		return value;
	json_object_foreach (object, name, value) {
		auto_free char *other = plain_key(name);

		if (strcmp(other, plain) == 0)
			return value;
	}
	return NULL;
}

/* It becomes part of a program's name: "docker-credential-<suffix>". */
static const char *helper_suffix(const json_t *value)
{
	const char *suffix = json_string_value(value);

	return suffix && suffix[0] ? suffix : NULL;
}

const char *auth_file_helper(const struct auth_file *file, const char *domain)
{
	json_t *helpers = json_object_get(file->root, "credHelpers");

	if (file->style == AUTH_FILE_LEGACY)
		return NULL;
	return helper_suffix(find_spelled(file, helpers, domain));
}

const char *auth_file_default_helper(const struct auth_file *file)
{
	if (file->style == AUTH_FILE_LEGACY)
		return NULL;
	return helper_suffix(json_object_get(file->root, "credsStore"));
}

/* base64("user:password"); docker once padded the password with NULs. */
static int take_auth(const char *text, struct credentials *credentials)
{
	auto_free char *pair = NULL;
	char *colon;
	size_t len;

	if (base64_decode(text, strlen(text), &pair, &len) < 0)
		return -EINVAL;
	colon = memchr(pair, ':', len);
	if (!colon || colon == pair) {
		explicit_bzero(pair, len);
		return -EINVAL;
	}
	credentials->username = xstrndup(pair, (size_t)(colon - pair));
	credentials->password = xstrndup(colon + 1, len - (size_t)(colon + 1 - pair));
	explicit_bzero(pair, len);
	return 0;
}

static char *take_text(const json_t *entry, const char *key)
{
	const char *text = json_get_string(entry, key, "");

	return text[0] && strlen(text) <= CREDENTIALS_MAX_BYTES ? xstrdup(text) : NULL;
}

static int read_entry(const struct auth_file *file, const char *key, const json_t *entry,
		      struct credentials *ret_credentials, struct error *err)
{
	auto_(credentials_release) struct credentials credentials = {0};
	const char *auth = json_get_string(entry, "auth", "");

	if (!json_is_object(entry))
		return err_set(err, ERR_INVALID, 0, "'%s': the entry of '%s' is not an object",
			       file->path, key);
	credentials.identity_token = take_text(entry, "identitytoken");
	credentials.registry_token = take_text(entry, "registrytoken");
	if (auth[0]) {
		if (strlen(auth) > CREDENTIALS_MAX_BYTES || take_auth(auth, &credentials) < 0)
			return err_set(err, ERR_INVALID, 0,
				       "'%s': \"auth\" of '%s' is not base64 of user:password",
				       file->path, key);
	} else {
		credentials.username = take_text(entry, "username");
		credentials.password = take_text(entry, "password");
		if (!credentials.username || !credentials.password) {
			free(credentials.username);
			free(credentials.password);
			credentials.username = credentials.password = NULL;
		}
	}
	if (credentials_is_empty(&credentials))
		return 0;
	*ret_credentials = credentials;
	credentials = (struct credentials){0};
	return 1;
}

int auth_file_find(const struct auth_file *file, const char *domain, const char *path,
		   struct credentials *ret_credentials, struct error *err)
{
	auto_free char *key = path ? xasprintf("%s/%s", domain, path) : xstrdup(domain);
	json_t *entries = entries_of(file);

	for (;;) {
		const json_t *entry = find_spelled(file, entries, key);
		char *slash;
		int r;

		/* An empty entry only says that a program has the credentials. */
		r = entry ? read_entry(file, key, entry, ret_credentials, err) : 0;
		if (r != 0)
			return r;
		slash = strrchr(key, '/');
		if (!slash)
			return 0;
		*slash = '\0';
	}
}

void auth_file_list(const struct auth_file *file, struct strv *ret_keys)
{
	const char *name;
	json_t *entry;

	json_object_foreach (entries_of(file), name, entry) {
		auto_free char *plain = plain_key(name);

		if (!strv_has(ret_keys, plain))
			strv_add(ret_keys, plain);
	}
}

static char *encode_auth(const struct credentials *credentials)
{
	auto_free char *pair = xasprintf("%s:%s", credentials->username, credentials->password);
	char *text = base64_encode(pair, strlen(pair));

	explicit_bzero(pair, strlen(pair));
	return text;
}

void auth_file_set(struct auth_file *file, const char *key, const struct credentials *credentials)
{
	auto_free char *own = auth_file_key(file, key);
	json_t *entries = entries_of(file), *entry = json_object();

	(void)auth_file_unset(file, key);
	if (!json_is_object(entries)) {
		entries = json_object();
		(void)json_object_set_new(file->root, "auths", entries);
	}
	if (credentials && credentials->username && credentials->password) {
		auto_free char *auth = encode_auth(credentials);

		(void)json_object_set_new(entry, "auth", json_string(auth));
		explicit_bzero(auth, strlen(auth));
	}
	if (credentials && credentials->identity_token)
		json_set_string(entry, "identitytoken", credentials->identity_token);
	(void)json_object_set_new(entries, own, entry);
}

bool auth_file_unset(struct auth_file *file, const char *key)
{
	auto_free char *plain = plain_key(key);
	json_t *entries = entries_of(file);
	auto_(strv_release) struct strv spellings = {0};
	const char *name;
	json_t *entry;

	json_object_foreach (entries, name, entry) {
		auto_free char *other = plain_key(name);

		if (strcmp(other, plain) == 0)
			strv_add(&spellings, name);
	}
	for (size_t i = 0; i < spellings.count; i++)
		(void)json_object_del(entries, spellings.items[i]);
	return spellings.count > 0;
}
