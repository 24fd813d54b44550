/* SPDX-License-Identifier: Apache-2.0 */
/* How the image's defaults and the command line become one command. */
#include "cases.h"

#include "engine/create_internal.h"
#include "image/image_config.h"

struct fixture {
	struct create_request request;
	struct image_config image;
	struct container_config config;
	struct error err;
};

static int set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	create_request_init(&f->request);
	f->image.stop_timeout_s = -1;
	strv_add(&f->image.entrypoint, "/entry");
	strv_add(&f->image.cmd, "serve");
	strv_add(&f->image.env, "PATH=/image/bin");
	strv_add(&f->image.env, "LANG=C");
	strv_add(&f->image.labels, "a=1");
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	create_request_release(&f->request);
	image_config_release(&f->image);
	container_config_release(&f->config);
	error_release(&f->err);
	free(f);
	return 0;
}

static int merge(struct fixture *f)
{
	container_config_release(&f->config);
	return create_process(&f->request, &f->image, &f->config, &f->err);
}

static void assert_command(struct fixture *f, const char *expected)
{
	auto_(strv_release) struct strv all = {0};
	auto_free char *text = NULL;

	assert_parses(merge(f), &f->err);
	strv_add_all(&all, &f->config.entrypoint);
	strv_add_all(&all, &f->config.cmd);
	text = strv_join(&all, " ");
	assert_string_equal(text, expected);
}

static void entry_point_and_command(void **state)
{
	struct fixture *f = *state;

	assert_command(f, "/entry serve");
	strv_add(&f->request.args, "check");
	assert_command(f, "/entry check");
	f->request.entrypoint_set = true;
	f->request.entrypoint = "/other";
	assert_command(f, "/other check");
	f->request.entrypoint = "";
	assert_command(f, "check");
	strv_release(&f->request.args);
	f->request.entrypoint = "/other";
	assert_command(f, "/other"); /* the image's command belongs to the image's entry point */
	f->request.entrypoint = "";
	assert_refuses(merge(f), &f->err, ERR_INVALID, "no command specified");
}

static void environment(void **state)
{
	struct fixture *f = *state;

	strv_add(&f->request.env, "LANG=de");
	strv_add(&f->request.env, "EMPTY=");
	strv_add(&f->request.env, "TWICE=1");
	strv_add(&f->request.env, "TWICE=2");
	strv_add(&f->image.env, "NOVALUE");
	assert_parses(merge(f), &f->err);
	assert_string_equal(strv_env_find(&f->config.env, "LANG"), "de");
	assert_string_equal(strv_env_find(&f->config.env, "EMPTY"), "");
	assert_string_equal(strv_env_find(&f->config.env, "TWICE"), "2");
	assert_string_equal(strv_env_find(&f->config.env, "PATH"), "/image/bin");
	assert_int_equal(f->config.env.count, 4);

	strv_add(&f->request.env, "PATH"); /* a name alone hides the image's */
	assert_parses(merge(f), &f->err);
	assert_null(strv_env_find(&f->config.env, "PATH"));
	strv_add(&f->request.env, "=x");
	assert_refuses(merge(f), &f->err, ERR_INVALID, "invalid environment variable: =x");
}

static void users(void **state)
{
	static const char *const good[] = {"root",   "0",          "1000:1000", "bob:staff",
					   ":audio", "2147483646", "www-data",  "-x"};
	static const char *const bad[] = {"4294967296", "2147483647",  "-1",   "+1",
					  "0:-1",       "1:2:3",       "bob:", "a\nb",
					  "a/b",        "1:4294967295"};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		f->request.user = good[i];
		assert_parses(merge(f), &f->err);
		assert_string_equal(f->config.user, good[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		f->request.user = bad[i];
		assert_refuses(merge(f), &f->err, ERR_INVALID, "invalid user");
	}
	f->request.user = NULL;
	f->image.user = xstrdup("99999999999");
	assert_refuses(merge(f), &f->err, ERR_INVALID, "range");
}

static void directories_labels_signals(void **state)
{
	struct fixture *f = *state;

	f->image.working_dir = xstrdup("/srv//app/.");
	f->image.stop_signal = xstrdup("SIGQUIT");
	strv_add(&f->request.labels, "b");
	strv_add(&f->request.labels, "a=2=3");
	f->request.stop_timeout_s = 0;
	assert_parses(merge(f), &f->err);
	assert_string_equal(f->config.workdir, "/srv/app");
	assert_string_equal(f->config.stop_signal, "SIGQUIT");
	assert_string_equal(strv_env_find(&f->config.labels, "a"), "2=3");
	assert_string_equal(strv_env_find(&f->config.labels, "b"), "");
	assert_true(f->config.stop_timeout_set);

	f->request.workdir = "relative";
	assert_refuses(merge(f), &f->err, ERR_INVALID, "needs to be an absolute path");
	f->request.workdir = NULL;
	f->request.stop_signal = "SIGNOTHING";
	assert_refuses(merge(f), &f->err, ERR_INVALID, "invalid signal: SIGNOTHING");
	f->request.stop_signal = NULL;
	strv_add(&f->request.labels, "=x");
	assert_refuses(merge(f), &f->err, ERR_INVALID, "invalid label");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(entry_point_and_command, set_up, tear_down),
		cmocka_unit_test_setup_teardown(environment, set_up, tear_down),
		cmocka_unit_test_setup_teardown(users, set_up, tear_down),
		cmocka_unit_test_setup_teardown(directories_labels_signals, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
