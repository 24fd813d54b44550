/* SPDX-License-Identifier: Apache-2.0 */
#include "cases.h"

#include "engine/container_config.h"
#include "engine/log_option.h"
#include "engine/security_option.h"
#include "runtime/launch.h"

static void fill(struct container_config *c)
{
	auto_(error_release) struct error err = {0};
	auto_(mount_spec_release) struct mount_spec spec = {0};

	strv_add(&c->labels, "a=1");
	strv_add(&c->labels, "quote=\"\\\n");
	strv_add(&c->entrypoint, "/entry");
	strv_add(&c->cmd, "");
	strv_add(&c->env, "X=\xe4\xbd\xa0\xe5\xa5\xbd");
	c->user = xstrdup("bob");
	c->network_mode = xstrdup("none");
	c->tty = true;
	c->stop_timeout_set = true;
	c->memory_swap_bytes = -1;
	c->pids_limit = 100;
	assert_parses(mount_spec_parse_volume("/a:/b:ro", &spec, &err), &err);
	mount_list_add(&c->mounts, &spec);
}

static void text_gives_back_what_it_was_given(void **state)
{
	auto_(container_config_release) struct container_config config = {0};
	auto_(container_config_release) struct container_config again = {0};
	auto_(error_release) struct error err = {0};
	auto_free char *text = NULL;
	auto_free char *second = NULL;

	(void)state;
	fill(&config);
	text = container_config_format(&config);
	assert_parses(container_config_parse(text, &again, &err), &err);
	second = container_config_format(&again);
	assert_string_equal(text, second);
	assert_string_equal(again.user, "bob");
	assert_null(again.workdir);
	assert_int_equal(again.mounts.count, 1);
	assert_int_equal(again.memory_swap_bytes, -1);
	assert_string_equal(again.cmd.items[0], "");
}

static void labels_are_found_without_the_rest(void **state)
{
	auto_(container_config_release) struct container_config config = {0};
	auto_(strv_release) struct strv labels = {0};
	auto_(strv_release) struct strv none = {0};
	auto_free char *text = NULL;

	(void)state;
	fill(&config);
	text = container_config_format(&config);
	container_config_labels(text, &labels);
	assert_int_equal(labels.count, 2);
	assert_string_equal(labels.items[0], "a=1");
	container_config_labels("{\"env\":[\"x\"]}", &none);
	container_config_labels("{\"version\":1,\"labels\":", &none);
	container_config_labels("{\"version\":1,\"labels\":{\"a\":1}}", &none);
	assert_int_equal(none.count, 0);
}

static void other_peoples_records_are_refused(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{"{}", "a version this program does not know"},
		{"{\"version\":2}", "a version this program does not know"},
		{"{\"version\":1}", "no command"},
		{"{\"version\":1,\"cmd\":[\"x\"]}", "no network mode"},
		{"{\"version\":1,\"cmd\":\"x\"}", "'cmd' of the wrong type"},
		{"{\"version\":1,\"cmd\":[1]}", "'cmd' of the wrong type"},
		{"{\"version\":1,\"cmd\":[\"x\"],\"tty\":1}", "'tty' of the wrong type"},
		{"{\"version\":1,\"cmd\":[\"x\"],\"network\":\"none\",\"mounts\":[{}]}",
		 "a mount of no known kind"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_(error_release) struct error err = {0};
		struct container_config config;

		assert_refuses(container_config_parse(cases[i].text, &config, &err), &err,
			       ERR_INTERNAL, cases[i].words);
	}
}

static void text_that_is_not_utf8_cannot_be_recorded(void **state)
{
	auto_(container_config_release) struct container_config config = {0};
	auto_free char *text = NULL;

	(void)state;
	fill(&config);
	strv_add(&config.env, "BAD=\xff");
	text = container_config_format(&config);
	assert_string_equal(text, "null");
}

static void security_options(void **state)
{
	auto_(container_config_release) struct container_config c = {0};
	auto_(error_release) struct error err = {0};

	(void)state;
	assert_parses(security_option_apply("no-new-privileges", &c, &err), &err);
	assert_true(c.no_new_privileges);
	assert_parses(security_option_apply("no-new-privileges:false", &c, &err), &err);
	assert_false(c.no_new_privileges);
	assert_parses(security_option_apply("seccomp=unconfined", &c, &err), &err);
	assert_true(c.seccomp_unconfined);
	assert_parses(security_option_apply("seccomp=builtin", &c, &err), &err);
	assert_false(c.seccomp_unconfined);
	assert_parses(security_option_apply("systempaths=unconfined", &c, &err), &err);
	assert_true(c.systempaths_unconfined);
	assert_parses(security_option_apply("apparmor=unconfined", &c, &err), &err);
	assert_parses(security_option_apply("label=disable", &c, &err), &err);
	assert_refuses(security_option_apply("apparmor=mine", &c, &err), &err, ERR_UNAVAILABLE,
		       "AppArmor is not supported");
	assert_refuses(security_option_apply("label=type:x", &c, &err), &err, ERR_UNAVAILABLE,
		       "SELinux is not supported");
	assert_refuses(security_option_apply("seccomp=/no/such/file", &c, &err), &err, ERR_INVALID,
		       "opening seccomp profile");
	assert_refuses(security_option_apply("seccomp=/dev/zero", &c, &err), &err, ERR_INVALID,
		       "reading seccomp profile");
	assert_refuses(security_option_apply("magic", &c, &err), &err, ERR_INVALID,
		       "invalid --security-opt");
	assert_refuses(security_option_apply("", &c, &err), &err, ERR_INVALID,
		       "invalid --security-opt");
}

static void log_options(void **state)
{
	auto_(error_release) struct error err = {0};
	auto_(launch_release) struct launch launch = {0};
	auto_(strv_release) struct strv none = {0};
	auto_(strv_release) struct strv some = LIST("max-size=1m", "max-file=7", "compress=false");
	auto_(strv_release) struct strv never = LIST("max-size=-1");
	auto_(strv_release) struct strv unknown = LIST("syslog-format=rfc3164");
	auto_(strv_release) struct strv zero = LIST("max-file=0");

	(void)state;
	assert_parses(log_options_apply(NULL, &none, &launch, &err), &err);
	assert_int_equal(launch.log_max_bytes, 10 << 20);
	assert_int_equal(launch.log_max_files, 3);
	assert_true(launch.log_compress);
	assert_parses(log_options_apply("json-file", &some, &launch, &err), &err);
	assert_int_equal(launch.log_max_bytes, 1 << 20);
	assert_int_equal(launch.log_max_files, 7);
	assert_false(launch.log_compress);
	assert_parses(log_options_apply("json-file", &never, &launch, &err), &err);
	assert_int_equal(launch.log_max_bytes, 0);
	assert_parses(log_options_apply("none", &none, &launch, &err), &err);
	assert_int_equal(launch.log_driver, LOG_DRIVER_NONE);
	assert_refuses(log_options_apply("splunk", &none, &launch, &err), &err, ERR_INVALID,
		       "no log driver named 'splunk'");
	assert_refuses(log_options_apply("json-file", &unknown, &launch, &err), &err, ERR_INVALID,
		       "unknown log opt 'syslog-format'");
	assert_refuses(log_options_apply("json-file", &zero, &launch, &err), &err, ERR_INVALID,
		       "invalid value for log opt 'max-file'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_gives_back_what_it_was_given),
		cmocka_unit_test(labels_are_found_without_the_rest),
		cmocka_unit_test(other_peoples_records_are_refused),
		cmocka_unit_test(text_that_is_not_utf8_cannot_be_recorded),
		cmocka_unit_test(security_options),
		cmocka_unit_test(log_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
