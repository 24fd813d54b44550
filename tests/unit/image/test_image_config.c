/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "image/image_config.h"

#define ABOUT "\"architecture\":\"amd64\",\"os\":\"linux\""
#define ROOTFS "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}"
#define WITH(process) "{" ABOUT "," ROOTFS ",\"config\":{" process "}}"

#define DIFF_1 "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define DIFF_2 "sha256:2222222222222222222222222222222222222222222222222222222222222222"
#define CHAIN_2 "sha256:9932074217c35353d2e03a3f5a86549f7c67bfeb0ba53e23d69f4d4c8f7958f5"

static void parse(const char *text, struct image_config *ret_config)
{
	auto_(error_release) struct error err = {0};

	if (image_config_parse(text, strlen(text), ret_config, &err) < 0)
		fail_msg("%s: %s", text, err_message(&err));
}

static void reads_everything(void **state)
{
	static const char text[] =
		"{" ABOUT ",\"variant\":\"v1\",\"author\":\"me\","
		"\"created\":\"2023-01-02T03:04:05.5Z\",\"rootfs\":{\"type\":\"layers\","
		"\"diff_ids\":[\"" DIFF_1 "\",\"" DIFF_2 "\"]},"
		"\"history\":[{\"created_by\":\"x\"}],\"unknown\":[{}],"
		"\"config\":{\"User\":\"1000:1000\",\"Env\":[\"A=b\",\"C=\"],"
		"\"Entrypoint\":[\"/e\"],\"Cmd\":[\"c\",\"d\"],\"WorkingDir\":\"/w\","
		"\"Volumes\":{\"/v\":{}},\"Labels\":{\"k\":\"v=w\"},\"StopSignal\":\"SIGQUIT\","
		"\"StopTimeout\":7,\"ExposedPorts\":{\"80/tcp\":{}},"
		"\"Healthcheck\":{\"Test\":[\"NONE\"]},\"Shell\":[\"/bin/sh\"],"
		"\"OnBuild\":[\"RUN x\"]}}";
	auto_(image_config_release) struct image_config config = {0};

	(void)state;
	parse(text, &config);
	assert_string_equal(config.architecture, "amd64");
	assert_string_equal(config.variant, "v1");
	assert_true(config.created_ns == 1672628645500000000);
	assert_int_equal(config.env.count, 2);
	assert_string_equal(config.entrypoint.items[0], "/e");
	assert_int_equal(config.cmd.count, 2);
	assert_string_equal(config.user, "1000:1000");
	assert_string_equal(config.working_dir, "/w");
	assert_string_equal(config.volumes.items[0], "/v");
	assert_string_equal(config.labels.items[0], "k=v=w");
	assert_string_equal(config.exposed_ports.items[0], "80/tcp");
	assert_string_equal(config.stop_signal, "SIGQUIT");
	assert_int_equal(config.stop_timeout_s, 7);
	assert_non_null(config.healthcheck);
	assert_int_equal(json_array_size(config.history), 1);
	assert_int_equal(config.diff_ids.count, 2);
}

static void nulls_are_absent(void **state)
{
	auto_(image_config_release) struct image_config config = {0};

	(void)state;
	parse(WITH("\"Env\":null,\"Cmd\":null,\"Volumes\":null,\"Labels\":null,\"User\":null,"
		   "\"Healthcheck\":null,\"ExposedPorts\":null,\"StopTimeout\":null"),
	      &config);
	assert_int_equal(config.env.count, 0);
	assert_int_equal(config.stop_timeout_s, -1);
	assert_null(config.user);
}

/* CVE-2026-57231: a bare key in an image must not bring in the host's value. */
static void drops_environment_without_a_value(void **state)
{
	auto_(image_config_release) struct image_config config = {0};

	(void)state;
	parse(WITH("\"Env\":[\"PATH\",\"=x\",\"*\",\"\",\"A=1\"]"), &config);
	assert_int_equal(config.env.count, 1);
	assert_string_equal(config.env.items[0], "A=1");
}

static void refuses(void **state)
{
	static const char *const bad[] = {
		"",
		"[]",
		"{}",
		"{" ABOUT "}",
		"{" ROOTFS "}",
		"{\"os\":\"linux\"," ROOTFS "}",
		"{" ABOUT ",\"rootfs\":{\"type\":\"other\",\"diff_ids\":[]}}",
		"{" ABOUT ",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"x\"]}}",
		"{" ABOUT ",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[7]}}",
		"{" ABOUT "," ROOTFS ",\"layers\":[]}",
		"{" ABOUT "," ROOTFS ",\"manifests\":[]}",
		"{" ABOUT "," ROOTFS ",\"config\":[]}",
		WITH("\"Env\":\"A=b\""),
		WITH("\"Env\":[1]"),
		WITH("\"Env\":[\"A=\\u0000\"]"),
		WITH("\"User\":0"),
		WITH("\"Cmd\":{}"),
		WITH("\"Volumes\":[]"),
		WITH("\"Volumes\":{\"v\":{}}"),
		WITH("\"Labels\":{\"a\":1}"),
		WITH("\"StopTimeout\":-1"),
		WITH("\"StopTimeout\":\"x\""),
		WITH("\"Healthcheck\":[]"),
		WITH("\"User\":\"\xff\""),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		auto_(error_release) struct error err = {0};
		struct image_config config = {0};

		if (image_config_parse(bad[i], strlen(bad[i]), &config, &err) >= 0)
			fail_msg("accepted: %s", bad[i]);
	}
}

/* Worked out with sha256sum. */
static void chain_ids(void **state)
{
	auto_(image_config_release) struct image_config config = {0};
	auto_(strv_release) struct strv ids = {0};

	(void)state;
	parse("{" ABOUT ",\"rootfs\":{\"diff_ids\":[\"" DIFF_1 "\",\"" DIFF_2 "\"]}}", &config);
	image_config_chain_ids(&config, &ids);
	assert_int_equal(ids.count, 2);
	assert_string_equal(ids.items[0], DIFF_1);
	assert_string_equal(ids.items[1], CHAIN_2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_everything),
		cmocka_unit_test(nulls_are_absent),
		cmocka_unit_test(drops_environment_without_a_value),
		cmocka_unit_test(refuses),
		cmocka_unit_test(chain_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
