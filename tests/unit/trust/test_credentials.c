/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"
#include "trust/auth_file.h"
#include "trust/credential_helper.h"
#include "trust/credentials.h"

#define DOCKER_FILE "home/.docker/config.json"
#define RUNTIME_FILE "run/containers/auth.json"
#define USER_FILE "home/.config/containers/auth.json"

/* "user:password", "token:…", "bearer:…", "" for none, or "kind: message". */
static char *find_with(const struct places *places, const struct credentials_choice *choice,
		       const char *domain, const char *path)
{
	auto_(credentials_release) struct credentials found = {0};
	auto_(error_release) struct error err = {0};

	if (credentials_find(&places->paths, choice, domain, path, &found, &err) < 0)
		return xasprintf("%s: %s", error_kind_name(err.kind), err_message(&err));
	if (found.identity_token)
		return xasprintf("token:%s", found.identity_token);
	if (found.registry_token)
		return xasprintf("bearer:%s", found.registry_token);
	if (found.username)
		return xasprintf("%s:%s", found.username, found.password);
	return xstrdup("");
}

static void assert_found(const struct places *places, const char *domain, const char *path,
			 const char *expected)
{
	auto_free char *found = find_with(places, NULL, domain, path);

	assert_string_equal(found, expected);
}

static void nothing_anywhere(void **state)
{
	assert_found(*state, "a.com", "x", "");
}

/* dTpw is u:p, cTpy is q:r, YTpi is a:b. */
static void keys(void **state)
{
	places_write(*state, RUNTIME_FILE,
		     "{\"auths\": {\"a.com/team/app\": {\"auth\": \"dTpw\"},"
		     " \"a.com/team\": {\"auth\": \"cTpy\"}, \"a.com\": {\"auth\": \"YTpi\"},"
		     " \"https://b.com/v1/\": {\"auth\": \"YTpi\"}, \"c.com:5000\": {\"auth\": "
		     "\"dTpw\"},"
		     " \"docker.io\": {\"auth\": \"cTpy\"}}}",
		     0600);
	assert_found(*state, "a.com", "team/app", "u:p");
	assert_found(*state, "a.com", "team/app/sub", "u:p");
	assert_found(*state, "a.com", "team/application", "q:r");
	assert_found(*state, "a.com", "other", "a:b");
	assert_found(*state, "a.com", NULL, "a:b");
	assert_found(*state, "a.com.evil.org", "team/app", "");
	assert_found(*state, "b.com", "x", "a:b");
	assert_found(*state, "c.com:5000", "x", "u:p");
	assert_found(*state, "c.com", "x", "");
	assert_found(*state, "docker.io", "library/alpine", "q:r");
}

static void docker_hub_in_dockers_words(void **state)
{
	places_write(*state, DOCKER_FILE,
		     "{\"auths\": {\"https://index.docker.io/v1/\": {\"auth\": \"dTpw\"}}}", 0600);
	assert_found(*state, "docker.io", "library/alpine", "u:p");
	assert_found(*state, "index.docker.io", NULL, "u:p");
}

static void kinds_of_entries(void **state)
{
	places_write(*state, DOCKER_FILE,
		     "{\"auths\": {\"a.com\": {\"auth\": \"PHRva2VuPjo=\", \"identitytoken\": "
		     "\"secret\"},"
		     " \"b.com\": {\"username\": \"u\", \"password\": \"p:q\"},"
		     " \"c.com\": {\"registrytoken\": \"t\"}, \"d.com\": {},"
		     " \"e.com\": {\"auth\": \"dTpwOnE6\"},"
		     " \"f.com\": {\"auth\": \"dXNlcg==\"}, \"g.com\": {\"auth\": \"###\"},"
		     " \"h.com\": 1, \"i.com\": {\"auth\": \"dTpwAAAA\"}}}",
		     0600);
	assert_found(*state, "a.com", NULL, "token:secret");
	assert_found(*state, "b.com", NULL, "u:p:q");
	assert_found(*state, "c.com", NULL, "bearer:t");
	assert_found(*state, "d.com", NULL, "");
	assert_found(*state, "e.com", NULL, "u:p:q:");
	assert_found(*state, "i.com", NULL, "u:p");
	for (const char *domain = "fgh"; *domain; domain++) {
		auto_free char *name = xasprintf("%c.com", *domain);
		auto_free char *found = find_with(*state, NULL, name, NULL);

		assert_int_equal(strncmp(found, "invalid: ", 9), 0);
		assert_null(strstr(found, "dXNlcg"));
	}
}

static void files_in_order(void **state)
{
	const struct places *places = *state;
	auto_free char *named = places_path(places, "other.json");
	struct credentials_choice choice = {.authfile = named};
	auto_free char *found = NULL;

	places_write(places, "home/.dockercfg", "{\"https://a.com\": {\"auth\": \"ZDpk\"}}", 0600);
	assert_found(places, "a.com", NULL, "d:d");
	places_write(places, USER_FILE, "{\"auths\": {\"a.com\": {\"auth\": \"Yzpj\"}}}", 0600);
	assert_found(places, "a.com", NULL, "c:c");
	places_write(places, RUNTIME_FILE, "{\"auths\": {\"a.com\": {\"auth\": \"Yjpi\"}}}", 0600);
	assert_found(places, "a.com", NULL, "b:b");
	places_write(places, DOCKER_FILE, "{\"auths\": {\"a.com\": {\"auth\": \"YTph\"}}}", 0600);
	assert_found(places, "a.com", NULL, "a:a");
	/* A file that is named is the only one. */
	places_write(places, "other.json", "{\"auths\": {\"b.com\": {\"auth\": \"YTph\"}}}", 0600);
	found = find_with(places, &choice, "a.com", NULL);
	assert_string_equal(found, "");
}

static void creds_option(void **state)
{
	struct credentials_choice good = {.creds = "me:se:cret"}, bad = {.creds = "hunter2"};
	auto_free char *found = find_with(*state, &good, "a.com", NULL);
	auto_free char *refused = find_with(*state, &bad, "a.com", NULL);

	assert_string_equal(found, "me:se:cret");
	assert_int_equal(strncmp(refused, "invalid: ", 9), 0);
	assert_null(strstr(refused, "hunter2"));
}

static void malformed_files_show_nothing(void **state)
{
	static const char *const texts[] = {
		"{\"auths\": {\"a.com\": {\"auth\": \"hunter2\"}}",
		"hunter2",
		"[\"hunter2\"]",
		"{\"auths\": {\"a.com\": hunter2}}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		auto_free char *found = NULL;

		places_write(*state, DOCKER_FILE, texts[i], 0600);
		found = find_with(*state, NULL, "a.com", NULL);
		assert_int_equal(strncmp(found, "invalid: ", 9), 0);
		assert_null(strstr(found, "hunter2"));
	}
	places_write(*state, DOCKER_FILE, "", 0600);
	assert_found(*state, "a.com", NULL, "");
}

/* The text need not end in a NUL. */
static void nothing_behind_the_text_is_read(void **state)
{
	auto_(error_release) struct error err = {0};
	auto_(auth_file_release) struct auth_file file = {0};
	auto_free char *text = xmemdup("  x", 3);

	(void)state;
	assert_int_equal(auth_file_parse(text, 2, "f", AUTH_FILE_DOCKER, &file, &err), 0);
	assert_int_equal(json_object_size(file.root), 0);
}

static char *contents(const struct places *places, const char *name)
{
	auto_free char *path = places_path(places, name);
	char *text = NULL;

	if (fd_read_file_at(AT_FDCWD, path, 1 << 20, &text, NULL) < 0)
		return xstrdup("(missing)");
	return text;
}

static void store(const struct places *places, const struct credentials_choice *choice,
		  const char *key, const char *pair, enum credentials_place expected)
{
	auto_(credentials_release) struct credentials credentials = {0};
	auto_(error_release) struct error err = {0};
	enum credentials_place place;

	if (credentials_parse(pair, &credentials, &err) < 0)
		fail_msg("%s", err_message(&err));
	if (credentials_store(&places->paths, choice, key, &credentials, &place, &err) < 0)
		fail_msg("%s", err_message(&err));
	assert_int_equal(place, expected);
}

static bool erase(const struct places *places, const char *key)
{
	auto_(error_release) struct error err = {0};
	bool found;

	if (credentials_erase(&places->paths, NULL, key, &found, &err) < 0)
		fail_msg("%s", err_message(&err));
	return found;
}

static void stored_and_erased(void **state)
{
	const struct places *places = *state;
	auto_free char *path = places_path(places, DOCKER_FILE);
	auto_free char *text = NULL, *after = NULL;
	struct stat st;

	places_write(places, DOCKER_FILE,
		     "{\"HttpHeaders\": {\"X\": \"y\"}, \"auths\": {\"index.docker.io\": {}}}",
		     0644);
	store(places, NULL, "docker.io", "u:p", CREDENTIALS_IN_FILE);
	store(places, NULL, "a.com:5000", "a:b", CREDENTIALS_IN_FILE);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_found(places, "docker.io", "library/x", "u:p");
	assert_found(places, "a.com:5000", "x", "a:b");
	text = contents(places, DOCKER_FILE);
	assert_non_null(strstr(text, "HttpHeaders"));
	assert_non_null(strstr(text, "\"https://index.docker.io/v1/\""));
	assert_null(strstr(text, "\"index.docker.io\""));
	assert_true(erase(places, "docker.io"));
	assert_false(erase(places, "docker.io"));
	assert_found(places, "docker.io", NULL, "");
	assert_found(places, "a.com:5000", NULL, "a:b");
	after = contents(places, DOCKER_FILE);
	assert_non_null(strstr(after, "HttpHeaders"));
}

static void first_login_makes_the_file(void **state)
{
	const struct places *places = *state;
	auto_free char *directory = places_path(places, "home/.docker");
	auto_free char *named = places_path(places, "new/auth.json");
	struct credentials_choice choice = {.authfile = named};
	auto_free char *text = NULL;
	struct stat st;

	store(places, NULL, "a.com", "a:b", CREDENTIALS_IN_FILE);
	assert_int_equal(stat(directory, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	store(places, &choice, "docker.io/team", "a:b", CREDENTIALS_IN_FILE);
	text = contents(places, "new/auth.json");
	assert_non_null(strstr(text, "\"docker.io/team\""));
}

static void a_link_stays_one(void **state)
{
	const struct places *places = *state;
	auto_free char *link = places_path(places, DOCKER_FILE);
	auto_free char *target = places_path(places, "dotfiles/docker.json");
	auto_free char *text = NULL;
	struct stat st;

	places_write(places, "home/.docker/x", "", 0600);
	places_write(places, "dotfiles/docker.json", "{}", 0600);
	assert_int_equal(symlink(target, link), 0);
	store(places, NULL, "a.com", "a:b", CREDENTIALS_IN_FILE);
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	text = contents(places, "dotfiles/docker.json");
	assert_non_null(strstr(text, "a.com"));
}

static void what_a_killed_login_left_is_removed(void **state)
{
	static const char *const names[] = {
		"home/.docker/.tmp-0123456789abcdef",
		"home/.docker/.tmp-mine",
		"home/.docker/.tmp-0123456789abcdeg",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		places_write(*state, names[i], "secret", 0600);
	store(*state, NULL, "a.com", "a:b", CREDENTIALS_IN_FILE);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		auto_free char *path = places_path(*state, names[i]);

		assert_int_equal(access(path, F_OK) == 0, i > 0);
	}
}

/* A program that keeps what it is told in a file, one for each server. */
static void install_keeper(const struct places *places, const char *name)
{
	auto_free char *file = xasprintf("bin/docker-credential-%s", name);
	auto_free char *path = xasprintf("%s/bin:/usr/bin:/bin", places->top);
	auto_free char *script =
		xasprintf("#!/bin/sh\n"
			  "env >%s/environment\n"
			  "store=%s/kept-%s\n"
			  "case $1 in\n"
			  "store) cat >$store ;;\n"
			  "get) read server; [ \"$server\" ] || read server\n"
			  "  if [ -e $store ] && grep -qF \"\\\"ServerURL\\\":\\\"$server\\\"\" "
			  "$store; then cat $store\n"
			  "  else echo credentials not found in native keychain; exit 1; fi ;;\n"
			  "erase) rm -f $store ;;\n"
			  "esac\n",
			  places->top, places->top, name);

	places_write(places, file, script, 0755);
	(void)setenv("PATH", path, 1);
}

static void helpers(void **state)
{
	const struct places *places = *state;
	auto_free char *text = NULL, *seen = NULL;

	install_keeper(places, "one");
	install_keeper(places, "two");
	(void)setenv("MY_SECRET", "hunter2", 1);
	places_write(places, DOCKER_FILE,
		     "{\"credsStore\": \"one\", \"credHelpers\": {\"b.com\": \"two\"},"
		     " \"auths\": {\"b.com\": {\"auth\": \"dTpw\"}}}",
		     0600);
	assert_found(places, "a.com", NULL, "");
	assert_found(places, "b.com", NULL, "");
	store(places, NULL, "docker.io", "h:i", CREDENTIALS_IN_HELPER);
	assert_found(places, "docker.io", "library/x", "h:i");
	text = contents(places, "kept-one");
	assert_non_null(strstr(text, "https://index.docker.io/v1/"));
	store(places, NULL, "b.com", "j:k", CREDENTIALS_IN_HELPER);
	assert_found(places, "b.com", "x", "j:k");
	assert_true(erase(places, "b.com"));
	assert_found(places, "b.com", "x", "");
	seen = contents(places, "environment");
	assert_null(strstr(seen, "hunter2"));
	assert_non_null(strstr(seen, "PATH="));
	(void)unsetenv("MY_SECRET");
}

static void assert_helper_fails(const struct places *places, const char *script,
				const char *expected)
{
	auto_free char *path = xasprintf("%s/bin:/usr/bin:/bin", places->top);
	auto_free char *found = NULL;

	places_write(places, "bin/docker-credential-bad", script, 0755);
	(void)setenv("PATH", path, 1);
	found = find_with(places, NULL, "a.com", NULL);
	if (!strstr(found, expected))
		fail_msg("%s", found);
	assert_null(strstr(found, "hunter2"));
}

static void bad_helpers(void **state)
{
	const struct places *places = *state;

	places_write(places, DOCKER_FILE, "{\"credHelpers\": {\"a.com\": \"bad\"}}", 0600);
	assert_helper_fails(places, "#!/bin/sh\necho 'no \033[31mbus'; exit 3\n",
			    "'docker-credential-bad get' failed: no ?[31mbus");
	assert_helper_fails(places, "#!/bin/sh\necho hunter2\n", "not a JSON object");
	assert_helper_fails(places, "#!/bin/sh\nexec cat /dev/zero\n", "is longer than");
	assert_helper_fails(places, "#!/bin/sh\nexit 1\n", "it said nothing");
	assert_helper_fails(places, "#!/bin/sh\nkill -9 $$\n", "it said nothing");
	places_write(places, DOCKER_FILE, "{\"credHelpers\": {\"a.com\": \"../x\"}}", 0600);
	assert_helper_fails(places, "", "is not valid");
	places_write(places, DOCKER_FILE, "{\"credHelpers\": {\"a.com\": \"absent\"}}", 0600);
	assert_helper_fails(places, "", "is not in $PATH");
}

static void identity_tokens_of_helpers(void **state)
{
	const struct places *places = *state;
	auto_free char *path = xasprintf("%s/bin:/usr/bin:/bin", places->top);

	(void)setenv("PATH", path, 1);
	places_write(places, DOCKER_FILE, "{\"credsStore\": \"tok\"}", 0600);
	places_write(places, "bin/docker-credential-tok",
		     "#!/bin/sh\necho '{\"Username\": \"<token>\", \"Secret\": \"s\"}'\n", 0755);
	assert_found(places, "a.com", NULL, "token:s");
}

int main(void)
{
#define WITH_PLACES(f) cmocka_unit_test_setup_teardown(f, places_setup, places_teardown)
	const struct CMUnitTest tests[] = {
		WITH_PLACES(nothing_anywhere),
		WITH_PLACES(keys),
		WITH_PLACES(docker_hub_in_dockers_words),
		WITH_PLACES(kinds_of_entries),
		WITH_PLACES(files_in_order),
		WITH_PLACES(creds_option),
		WITH_PLACES(malformed_files_show_nothing),
		cmocka_unit_test(nothing_behind_the_text_is_read),
		WITH_PLACES(stored_and_erased),
		WITH_PLACES(first_login_makes_the_file),
		WITH_PLACES(a_link_stays_one),
		WITH_PLACES(what_a_killed_login_left_is_removed),
		WITH_PLACES(helpers),
		WITH_PLACES(bad_helpers),
		WITH_PLACES(identity_tokens_of_helpers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
