/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"
#include "trust/registries_conf.h"
#include "trust/short_name_alias.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define MAIN_FILE "etc/containers/registries.conf"

static struct registries_conf *load(const struct places *places)
{
	auto_(error_release) struct error err = {0};
	struct registries_conf *conf = NULL;

	if (registries_conf_load(&places->paths, &conf, &err) < 0)
		fail_msg("%s", err_message(&err));
	return conf;
}

static struct registries_conf *load_text(const struct places *places, const char *text)
{
	places_write(places, MAIN_FILE, text, 0644);
	return load(places);
}

/* "name name*": an asterisk where plain HTTP will do, '~' before a mirror; or "kind: message". */
static char *endpoints_of(const struct registries_conf *conf, const char *text)
{
	auto_(registry_endpoints_release) struct registry_endpoints endpoints = {0};
	auto_(reference_release) struct reference reference = {0};
	auto_(error_release) struct error err = {0};
	auto_(strv_release) struct strv words = {0};

	if (reference_parse(text, &reference, &err) < 0)
		fail_msg("%s", err_message(&err));
	if (registries_conf_endpoints(conf, &reference, &endpoints, &err) < 0)
		return xasprintf("%s: %s", error_kind_name(err.kind), err_message(&err));
	for (size_t i = 0; i < endpoints.count; i++) {
		auto_free char *name = reference_format(&endpoints.items[i].reference);

		strv_addf(&words, "%s%s%s", endpoints.items[i].mirror ? "~" : "", name,
			  endpoints.items[i].insecure ? "*" : "");
	}
	return strv_join(&words, " ");
}

static void assert_endpoints(const struct registries_conf *conf, const char *text,
			     const char *expected)
{
	auto_free char *found = endpoints_of(conf, text);

	assert_string_equal(found, expected);
}

static void assert_complete_if(const struct registries_conf *conf, const char *text, bool can_ask,
			       const char *expected)
{
	auto_(error_release) struct error err = {0};
	auto_(strv_release) struct strv names = {0};
	auto_free char *found = NULL;

	if (registries_conf_complete(conf, text, can_ask, &names, &err) < 0)
		found = xasprintf("%s: %s", error_kind_name(err.kind), err_message(&err));
	else
		found = strv_join(&names, " ");
	assert_string_equal(found, expected);
}

static void assert_complete(const struct registries_conf *conf, const char *text,
			    const char *expected)
{
	assert_complete_if(conf, text, /* can_ask= */ false, expected);
}

/* Without any file: docker's rules. */
static void defaults(void **state)
{
	auto_(registries_conf_free) struct registries_conf *conf = load(*state);

	assert_complete(conf, "alpine", "docker.io/library/alpine:latest");
	assert_complete(conf, "user/app:1", "docker.io/user/app:1");
	assert_complete(conf, "ghcr.io/o/a", "ghcr.io/o/a:latest");
	assert_complete(conf, "a:1@sha256:" HEX64, "docker.io/library/a:1@sha256:" HEX64);
	assert_endpoints(conf, "alpine", "docker.io/library/alpine:latest");
	assert_endpoints(conf, "localhost:5000/x", "localhost:5000/x:latest*");
	assert_endpoints(conf, "127.9.9.9/x", "127.9.9.9/x:latest*");
	assert_endpoints(conf, "[::1]:5000/x", "[::1]:5000/x:latest*");
	assert_endpoints(conf, "localhost.evil.org/x", "localhost.evil.org/x:latest");
	assert_endpoints(conf, "127.0.0.1.evil.org/x", "127.0.0.1.evil.org/x:latest");
}

static void prefixes_and_rewrites(void **state)
{
	auto_(registries_conf_free) struct registries_conf *conf = load_text(
		*state,
		"[[registry]]\nprefix = 'example.com/foo'\nlocation = 'internal.net/bar'\n"
		"[[registry]]\nprefix = 'example.com/foo/deep'\nlocation = 'deep.net:5000'\n"
		"insecure = true\n"
		"[[registry]]\nlocation = 'evil.com'\nblocked = true\n"
		"[[registry]]\nprefix = '*.wild.com'\ninsecure = true\n"
		"[[registry]]\nprefix = '*.b.wild.com'\nlocation = 'tame.com/w'\n"
		"[[registry]]\nprefix = 'example.com/one:tag'\nlocation = 'two.com/one:other'\n");

	assert_endpoints(conf, "example.com/foo/a:1", "internal.net/bar/a:1");
	assert_endpoints(conf, "example.com/foo:1", "internal.net/bar:1");
	assert_endpoints(conf, "example.com/foobar", "example.com/foobar:latest");
	assert_endpoints(conf, "example.com/foo/deep/x", "deep.net:5000/x:latest*");
	assert_endpoints(conf, "example.com/foo/x@sha256:" HEX64,
			 "internal.net/bar/x@sha256:" HEX64);
	assert_endpoints(conf, "evil.com/x",
			 "denied: 'evil.com/x:latest' is blocked by registries.conf ('evil.com')");
	assert_endpoints(conf, "evil.com.au/x", "evil.com.au/x:latest");
	assert_endpoints(conf, "a.wild.com/x", "a.wild.com/x:latest*");
	assert_endpoints(conf, "wild.com/x", "wild.com/x:latest");
	assert_endpoints(conf, "a.b.wild.com/x", "tame.com/w/x:latest");
	assert_endpoints(conf, "example.com/one:tag", "two.com/one:other");
	assert_endpoints(conf, "example.com/one:tag2", "example.com/one:tag2");
}

static void mirrors(void **state)
{
	auto_(registries_conf_free) struct registries_conf *conf = load_text(
		*state,
		"[[registry]]\nlocation = 'a.com'\n"
		"[[registry.mirror]]\nlocation = 'm1.com/a'\ninsecure = true\n"
		"[[registry.mirror]]\nlocation = 'm2.com'\npull-from-mirror = 'digest-only'\n"
		"[[registry.mirror]]\nlocation = 'm3.com'\npull-from-mirror = 'tag-only'\n"
		"[[registry]]\nlocation = 'b.com'\nmirror-by-digest-only = true\n"
		"[[registry.mirror]]\nlocation = 'm4.com'\n"
		"[[registry]]\nlocation = 'docker.io'\n"
		"[[registry.mirror]]\nlocation = 'hub.local'\n");

	assert_endpoints(conf, "a.com/x:1", "~m1.com/a/x:1* ~m3.com/x:1 a.com/x:1");
	assert_endpoints(conf, "a.com/x@sha256:" HEX64,
			 "~m1.com/a/x@sha256:" HEX64 "* ~m2.com/x@sha256:" HEX64
			 " a.com/x@sha256:" HEX64);
	assert_endpoints(conf, "b.com/x:1", "b.com/x:1");
	assert_endpoints(conf, "b.com/x@sha256:" HEX64,
			 "~m4.com/x@sha256:" HEX64 " b.com/x@sha256:" HEX64);
	assert_endpoints(conf, "alpine",
			 "~hub.local/library/alpine:latest "
			 "docker.io/library/alpine:latest");
}

static void short_names(void **state)
{
	const struct places *places = *state;
	auto_(registries_conf_free) struct registries_conf *conf = NULL;

	places_write(places, "etc/containers/registries.conf.d/10-a.conf",
		     "[aliases]\n'centos' = 'quay.io/centos/centos'\n'hub' = 'docker.io/alpine'\n"
		     "'gone' = 'a.com/gone'\n",
		     0644);
	places_write(places, "etc/containers/registries.conf.d/20-b.conf",
		     "[aliases]\n'gone' = ''\n'team/app' = 'b.com:5000/x'\n", 0644);
	places_write(places, "etc/containers/registries.conf.d/ignored.txt", "nonsense", 0644);
	places_write(places, "cache/containers/short-name-aliases.conf",
		     "[aliases]\n'recorded' = 'c.com/recorded'\n", 0644);
	conf = load_text(places, "unqualified-search-registries = ['one.com', 'docker.io']\n");
	assert_complete(conf, "centos:8", "quay.io/centos/centos:8");
	assert_complete(conf, "centos@sha256:" HEX64, "quay.io/centos/centos@sha256:" HEX64);
	assert_complete(conf, "hub", "docker.io/library/alpine:latest");
	assert_complete(conf, "team/app", "b.com:5000/x:latest");
	assert_complete(conf, "recorded", "c.com/recorded:latest");
	assert_complete(conf, "gone:1", "one.com/gone:1 docker.io/library/gone:1");
	assert_complete(conf, "localhost/x", "localhost/x:latest");
}

static void short_name_modes(void **state)
{
	auto_(registries_conf_free) struct registries_conf *one = NULL, *many = NULL, *none = NULL,
							   *disabled = NULL;

	one = load_text(*state, "short-name-mode = 'enforcing'\n"
				"unqualified-search-registries = ['one.com']\n");
	assert_complete(one, "x", "one.com/x:latest");
	many = load_text(*state, "short-name-mode = 'enforcing'\n"
				 "unqualified-search-registries = ['one.com', 'two.com']\n");
	assert_complete(many, "x",
			"invalid: 'x' names no registry, it could be any of one.com, two.com "
			"(short-name-mode is \"enforcing\")");
	assert_complete_if(many, "x", true, "one.com/x:latest two.com/x:latest");
	assert_true(registries_conf_asks(many));
	none = load_text(*state, "unqualified-search-registries = []\n");
	assert_complete(none, "x",
			"invalid: 'x' names no registry, and registries.conf allows none "
			"to be assumed");
	assert_complete(none, "a.com/x", "a.com/x:latest");
	disabled = load_text(*state, "short-name-mode = 'disabled'\n"
				     "unqualified-search-registries = ['one.com', 'two.com']\n");
	assert_complete(disabled, "x", "one.com/x:latest two.com/x:latest");
	assert_false(registries_conf_asks(disabled));
}

static void record(const struct places *places, const char *text, const char *chosen)
{
	auto_(error_release) struct error err = {0};

	if (short_name_alias_record(&places->paths, text, chosen, &err) < 0)
		fail_msg("%s", err_message(&err));
}

static void choices_are_remembered(void **state)
{
	const struct places *places = *state;
	auto_(registries_conf_free) struct registries_conf *conf = NULL;

	places_write(places, "cache/containers/short-name-aliases.conf",
		     "[aliases]\n'before' = 'c.com/before'\n'changed' = 'c.com/old'\n", 0644);
	record(places, "app:1", "one.com:5000/app:1");
	record(places, "team/app@sha256:" HEX64, "two.com/team/app@sha256:" HEX64);
	record(places, "changed", "docker.io/library/changed:latest");
	conf = load_text(places, "");
	assert_complete(conf, "app:2", "one.com:5000/app:2");
	assert_complete(conf, "team/app", "two.com/team/app:latest");
	assert_complete(conf, "before", "c.com/before:latest");
	assert_complete(conf, "changed:3", "docker.io/library/changed:3");
}

static void later_files_win(void **state)
{
	const struct places *places = *state;
	auto_(registries_conf_free) struct registries_conf *conf = NULL, *user = NULL;

	places_write(places, MAIN_FILE,
		     "[[registry]]\nlocation = 'a.com'\nblocked = true\n"
		     "[[registry]]\nlocation = 'b.com'\ninsecure = true\n",
		     0644);
	places_write(places, "etc/containers/registries.conf.d/x.conf",
		     "[[registry]]\nlocation = 'a.com'\n", 0644);
	places_write(places, "home/.config/containers/registries.conf.d/y.conf",
		     "[[registry]]\nprefix = 'b.com'\nlocation = 'c.com'\n", 0644);
	conf = load(places);
	assert_endpoints(conf, "a.com/x", "a.com/x:latest");
	assert_endpoints(conf, "b.com/x", "c.com/x:latest");

	/* The user's main file stands for the host's and its drop-ins. */
	places_write(places, "home/.config/containers/registries.conf",
		     "[[registry]]\nlocation = 'd.com'\ninsecure = true\n", 0644);
	user = load(places);
	assert_endpoints(user, "a.com/x", "a.com/x:latest");
	assert_endpoints(user, "b.com/x", "c.com/x:latest");
	assert_endpoints(user, "d.com/x", "d.com/x:latest*");
}

static void insecure_for_pushing(void **state)
{
	auto_(registries_conf_free) struct registries_conf *conf =
		load_text(*state, "[[registry]]\nlocation = 'a.com/team'\ninsecure = true\n"
				  "[[registry]]\nlocation = 'b.com'\ninsecure = true\n"
				  "[[registry]]\nlocation = 'c.com'\nblocked = true\n");
	auto_(error_release) struct error err = {0};

	assert_int_equal(registries_conf_is_insecure(conf, "a.com", &err), 0);
	assert_int_equal(registries_conf_is_insecure(conf, "a.com/team", &err), 1);
	assert_int_equal(registries_conf_is_insecure(conf, "a.com/team/x", &err), 1);
	assert_int_equal(registries_conf_is_insecure(conf, "a.com/teamwork", &err), 0);
	assert_int_equal(registries_conf_is_insecure(conf, "b.com", &err), 1);
	assert_int_equal(registries_conf_is_insecure(conf, "localhost:5000", &err), 1);
	assert_true(registries_conf_is_insecure(conf, "c.com/x", &err) < 0);
	assert_int_equal(err.kind, ERR_DENIED);
}

static void refused(void **state)
{
	static const char *const bad[] = {
		"[[registry]]\n",
		"[[registry]]\nprefix = 'a.com'\n",
		"[[registry]]\nlocation = 'https://a.com'\n",
		"[[registry]]\nlocation = 'a b'\n",
		"[[registry]]\nprefix = '*.a.com/x'\nlocation = 'b.com'\n",
		"[[registry]]\nprefix = 'a.*.com'\nlocation = 'b.com'\n",
		"[[registry]]\nlocation = '*.a.com'\n",
		"[[registry]]\nlocation = 'a.com'\ninsecure = 'yes'\n",
		"[[registry]]\nlocation = 'a.com'\n[[registry]]\nlocation = 'a.com'\n",
		"[[registry]]\nlocation = 'a.com'\n[[registry.mirror]]\n",
		"[[registry]]\nlocation = 'a.com'\n[[registry.mirror]]\nlocation = 'b.com'\n"
		"pull-from-mirror = 'sometimes'\n",
		"[[registry]]\nlocation = 'a.com'\nmirror-by-digest-only = true\n"
		"[[registry.mirror]]\nlocation = 'b.com'\npull-from-mirror = 'all'\n",
		"registry = 1\n",
		"short-name-mode = 'loose'\n",
		"unqualified-search-registries = 'a.com'\n",
		"unqualified-search-registries = [1]\n",
		"[aliases]\n'a.com/x' = 'b.com/x'\n",
		"[aliases]\n'x:1' = 'b.com/x'\n",
		"[aliases]\n'x' = 'b.com/x:1'\n",
		"[aliases]\n'x' = 'y'\n",
		"[aliases]\n'x' = 1\n",
		"[registries.search]\nregistries = ['a.com']\n",
		"not toml",
	};
	const struct places *places = *state;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		auto_(error_release) struct error err = {0};
		struct registries_conf *conf = NULL;

		places_write(places, MAIN_FILE, bad[i], 0644);
		if (registries_conf_load(&places->paths, &conf, &err) >= 0)
			fail_msg("<%s> was taken", bad[i]);
		assert_non_null(strstr(err_message(&err), MAIN_FILE));
	}
}

int main(void)
{
#define WITH_PLACES(f) cmocka_unit_test_setup_teardown(f, places_setup, places_teardown)
	const struct CMUnitTest tests[] = {
		WITH_PLACES(defaults),
		WITH_PLACES(prefixes_and_rewrites),
		WITH_PLACES(mirrors),
		WITH_PLACES(short_names),
		WITH_PLACES(short_name_modes),
		WITH_PLACES(choices_are_remembered),
		WITH_PLACES(later_files_win),
		WITH_PLACES(refused),
		WITH_PLACES(insecure_for_pushing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
