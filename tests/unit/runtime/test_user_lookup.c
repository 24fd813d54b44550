/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "runtime/user_lookup.h"

static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
			     "\n"
			     "broken line\n"
			     "big:x:4294967296:0::/big:/bin/sh\n"
			     "minus:x:-1:0::/minus:/bin/sh\n"
			     "0:x:1234:1234:named zero:/zero:/bin/sh\n"
			     "web:x:1000:1001:The Web:/srv/web:/bin/sh\n"
			     "nohome:x:1002:1002\n";
static const char group[] = "root:x:0:\n"
			    "web:x:1001:\n"
			    "audio:x:29:web,other\n"
			    "video:x:44:other,web\n"
			    "webby:x:45:webby\n"
			    "huge:x:4294967297:web\n";

static int look_up(const char *text, struct user_identity *identity, struct error *err)
{
	return user_lookup_in(passwd, group, text, NULL, identity, err);
}

static void assert_identity(const char *text, uid_t uid, gid_t gid, const char *home, size_t groups)
{
	auto_(user_identity_release) struct user_identity identity = {0};
	auto_(error_release) struct error err = {0};

	print_message("'%s'\n", text ? text : "(null)");
	assert_int_equal(look_up(text, &identity, &err), 0);
	assert_int_equal(identity.uid, uid);
	assert_int_equal(identity.gid, gid);
	assert_string_equal(identity.home, home);
	assert_int_equal(identity.group_count, groups);
	/* The primary group is always first, and once. */
	assert_int_equal(identity.groups[0], gid);
}

static void names_and_numbers(void **state)
{
	(void)state;
	assert_identity(NULL, 0, 0, "/root", 1);
	assert_identity("", 0, 0, "/root", 1);
	assert_identity("root", 0, 0, "/root", 1);
	assert_identity("web", 1000, 1001, "/srv/web", 3);
	assert_identity("1000", 1000, 1001, "/srv/web", 3);
	assert_identity("nohome", 1002, 1002, "/", 1);
	assert_identity("777", 777, 0, "/", 1);
	assert_identity("web:video", 1000, 44, "/srv/web", 1);
	assert_identity("web:99", 1000, 99, "/srv/web", 1);
	assert_identity("5:6", 5, 6, "/", 1);
	assert_identity("2147483646", 2147483646, 0, "/", 1);
}

/* CVE-2024-40635: a number that overflows, or a name that looks like one, must not become root. */
static void digits_are_numbers_and_bounded(void **state)
{
	static const char *const bad[] = {
		"4294967296",
		"2147483647",
		"99999999999999999999",
		"-1",
		"+1",
		"0x0",
		"1000 ",
		"web:4294967296",
		"web:-1",
		"nobody",
		"web:nogroup",
		"minus",
		"big",
		":9999999999",
	};
	auto_(error_release) struct error err = {0};

	(void)state;
	assert_identity("0", 0, 0, "/root", 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		auto_(user_identity_release) struct user_identity identity = {0};

		print_message("'%s'\n", bad[i]);
		assert_true(look_up(bad[i], &identity, &err) < 0);
		assert_int_equal(err.kind, ERR_INVALID);
	}
}

static void extra_groups_come_once(void **state)
{
	auto_(user_identity_release) struct user_identity identity = {0};
	auto_(strv_release) struct strv extra = {0};
	auto_(error_release) struct error err = {0};

	(void)state;
	strv_add(&extra, "audio");
	strv_add(&extra, "29");
	strv_add(&extra, "7");
	assert_int_equal(user_lookup_in(passwd, group, "web", &extra, &identity, &err), 0);
	assert_int_equal(identity.group_count, 4);
	assert_int_equal(identity.groups[3], 7);
	strv_add(&extra, "huge");
	assert_true(user_lookup_in(passwd, group, "web", &extra, &identity, &err) < 0);
}

static void names_of_ids(void **state)
{
	auto_free char *name = user_name_in_passwd(passwd, 1000);

	(void)state;
	assert_string_equal(name, "web");
	assert_null(user_name_in_passwd(passwd, 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_numbers),
		cmocka_unit_test(digits_are_numbers_and_bounded),
		cmocka_unit_test(extra_groups_come_once),
		cmocka_unit_test(names_of_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
