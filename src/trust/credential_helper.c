/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/credential_helper.h"

#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/strbuf.h"
#include "trust/ask_program.h"
#include "trust/credentials.h"

#define PREFIX "docker-credential-"
#define NAME_MAX_LEN 128

/* What docker's helpers answer as user name when the secret is an identity token. */
#define TOKEN_USER "<token>"

/* Their way to say that there is nothing; a fixed sentence of the protocol. */
#define NOT_FOUND "credentials not found"

static void wipe(struct strbuf *text)
{
	if (text->data)
		explicit_bzero(text->data, text->capacity);
	strbuf_release(text);
}

DEFINE_CLEANUP_VALUE(struct strbuf, wipe);

void credential_helper_environment(char *const *environment, struct strv *ret_environment)
{
	/* A name, or the beginning of names when it ends in '_'. */
	static const char *const kept[] = {
		"PATH",   "HOME",      "USER",    "LOGNAME",   "TERM",       "TZ",
		"LANG",   "LC_",       "DISPLAY", "WAYLAND_",  "XAUTHORITY", "DBUS_SESSION_BUS_",
		"XDG_",   "GNUPGHOME", "GPG_",    "SSH_AUTH_", "PASSWORD_",  "AWS_",
		"AZURE_", "GOOGLE_",   "GCLOUD_", "CLOUDSDK_", "HTTP_",      "HTTPS_",
		"NO_",    "http_",     "https_",  "no_",
	};

	for (; *environment; environment++) {
		size_t len = strcspn(*environment, "=");

		for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
			size_t kept_len = strlen(kept[i]);
			bool prefix = kept[i][kept_len - 1] == '_';

			if (strncmp(*environment, kept[i], kept_len) == 0 &&
			    (prefix ? len > kept_len : len == kept_len)) {
				strv_add(ret_environment, *environment);
				break;
			}
		}
	}
}

/* Letters, digits, '-', '_' and '.': no path, and nothing that a message would have to quote. */
static bool name_is_valid(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= NAME_MAX_LEN &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
		       len;
}

/* NULL when it is nowhere in $PATH. */
static char *find_program(const char *name)
{
	const char *search = getenv("PATH");
	auto_(strv_release) struct strv directories = {0};

	strv_split(&directories, search ? search : "/usr/local/bin:/usr/bin:/bin", ':');
	for (size_t i = 0; i < directories.count; i++) {
		auto_free char *path = NULL;

		/* Not what happens to lie in the current directory. */
		if (directories.items[i][0] != '/')
			continue;
		path = xasprintf("%s/" PREFIX "%s", directories.items[i], name);
		if (access(path, X_OK) == 0)
			return TAKE_PTR(path);
	}
	return NULL;
}

/* The first line of what a failed helper said, without anything a terminal would obey. */
static char *complaint_of(const struct strbuf *answer)
{
	char *line = xstrndup(strbuf_text(answer), strcspn(strbuf_text(answer), "\r\n"));

	for (char *p = line; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	return line;
}

/* 1, 0 when it says that it has nothing, or an error with what it said. */
static int run(const char *name, const char *verb, const char *input, struct strbuf *answer,
	       struct error *err)
{
	auto_(strv_release) struct strv environment = {0};
	auto_free char *program = NULL, *full_name = NULL, *complaint = NULL;
	struct question question = {
		.argument = verb,
		.input = input,
		.input_len = strlen(input),
		.max_answer_bytes = CREDENTIALS_MAX_BYTES,
		.timeout_ms = CREDENTIAL_HELPER_TIMEOUT_MS,
	};
	int r;

	if (!name_is_valid(name))
		return err_set(err, ERR_INVALID, 0,
			       "the name of a credential helper is not valid: '%.200s'", name);
	question.program = program = find_program(name);
	if (!program)
		return err_set(err, ERR_UNAVAILABLE, ENOENT,
			       "the credential helper '" PREFIX "%s' is not in $PATH", name);
	question.name = full_name = xasprintf(PREFIX "%s", name);
	credential_helper_environment(environ, &environment);
	question.environment = environment.items;
	r = ask_program(&question, answer, err);
	if (r < 0)
		return r;
	if (r == 0)
		return 1;
	complaint = complaint_of(answer);
	if (strncmp(complaint, NOT_FOUND, strlen(NOT_FOUND)) == 0)
		return 0;
	return err_set(err, ERR_UNAVAILABLE, EIO, "'%s %s' failed: %.500s", full_name, verb,
		       complaint[0] ? complaint : "it said nothing");
}

static int read_answer(const char *name, const struct strbuf *answer,
		       struct credentials *ret_credentials, struct error *err)
{
	auto_(json_decref) json_t *object = NULL;
	auto_(error_release) struct error detail = {0};
	const char *user, *secret;

	/* The parser's message would quote the answer. */
	if (json_parse(strbuf_text(answer), answer->len, name, &object, &detail) < 0 ||
	    !json_is_object(object))
		return err_set(err, ERR_INVALID, EINVAL,
			       "the answer of '" PREFIX "%s' is not a JSON object", name);
	user = json_get_string(object, "Username", "");
	secret = json_get_string(object, "Secret", "");
	if (!user[0] && !secret[0])
		return 0;
	if (strcmp(user, TOKEN_USER) == 0) {
		ret_credentials->identity_token = xstrdup(secret);
	} else {
		ret_credentials->username = xstrdup(user);
		ret_credentials->password = xstrdup(secret);
	}
	return 1;
}

int credential_helper_get(const char *name, const char *server, struct credentials *ret_credentials,
			  struct error *err)
{
	auto_(wipe) struct strbuf answer = {0};
	int r;

	r = run(name, "get", server, &answer, err);
	if (r <= 0)
		return r;
	return read_answer(name, &answer, ret_credentials, err);
}

int credential_helper_store(const char *name, const char *server,
			    const struct credentials *credentials, struct error *err)
{
	const char *token = credentials->identity_token;
	auto_(wipe) struct strbuf answer = {0};
	auto_(json_decref) json_t *object = json_object();
	auto_free char *text = NULL;
	int r;

	json_set_string(object, "ServerURL", server);
	json_set_string(object, "Username", token ? TOKEN_USER : credentials->username);
	json_set_string(object, "Secret", token ? token : credentials->password);
	text = json_text(object);
	r = run(name, "store", text, &answer, err);
	explicit_bzero(text, strlen(text));
	if (r == 0)
		return err_set(err, ERR_UNAVAILABLE, EIO,
			       "'" PREFIX "%s store' did not keep the credentials", name);
	return r < 0 ? r : 0;
}

int credential_helper_erase(const char *name, const char *server, struct error *err)
{
	auto_(wipe) struct strbuf answer = {0};
	int r = run(name, "erase", server, &answer, err);

	return r < 0 ? r : 0;
}
