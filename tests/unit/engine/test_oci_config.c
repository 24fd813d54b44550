/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A record makes a document: golden/NAME.record.json (what the database holds) and
 * golden/NAME.config.json (what the runtime gets). After an intended change:
 *     SKIFF_UPDATE_GOLDEN=1 build/tests/unit/engine/test_engine_oci_config
 * and read the difference.
 */
#include "cases.h"

#include <fcntl.h>

#include "base/fd.h"
#include "base/json.h"
#include "engine/capability_list.h"
#include "engine/oci_config.h"
#include "runtime/spec.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static char *read_golden(const char *name, const char *suffix)
{
	auto_free char *path = xasprintf("%s/%s.%s.json", GOLDEN_DIR, name, suffix);
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text = NULL;

	if (fd < 0 || fd_read_text(fd, 1 << 20, &text, NULL) < 0)
		fail_msg("cannot read %s", path);
	return text;
}

static void write_golden(const char *name, const json_t *value)
{
	auto_free char *path = xasprintf("%s/%s.config.json", GOLDEN_DIR, name);
	auto_free char *text = json_text_pretty(value, 2);
	auto_close int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
	assert_int_equal(fd_write_all(fd, "\n", 1), 0);
}

static json_t *build(const char *name)
{
	auto_(container_config_release) struct container_config config = {0};
	auto_(error_release) struct error err = {0};
	auto_free char *record = read_golden(name, "record");
	struct oci_input input = {
		.config = &config,
		.id = ID,
		.root_path = "/var/lib/skiff",
		.files_path = "/var/lib/skiff/containers/" ID,
		.throttle_cpus = 2,
		.limit_swap = true,
	};
	json_t *document;

	assert_parses(container_config_parse(record, &config, &err), &err);
	assert_parses(capability_compute(&config.cap_add, &config.cap_drop, config.privileged,
					 (UINT64_C(1) << 41) - 1, &input.capabilities, &err),
		      &err);
	if (strncmp(config.network_mode, "container:", 10) == 0)
		input.network_ns = "/proc/7/fd/9";
	assert_parses(oci_config_build(&input, &document, &err), &err);
	return document;
}

static void check(const char *name)
{
	auto_(error_release) struct error err = {0};
	auto_(json_decref) json_t *document = build(name);
	auto_(json_decref) json_t *expected = NULL;
	auto_(spec_release) struct spec spec = {0};
	auto_free char *golden = NULL;
	auto_free char *text = json_text_pretty(document, 2);

	if (getenv("SKIFF_UPDATE_GOLDEN"))
		write_golden(name, document);
	golden = read_golden(name, "config");
	assert_parses(json_parse(golden, strlen(golden), name, &expected, &err), &err);
	if (!json_equal(document, expected))
		fail_msg("%s is now:\n%s", name, text);
	/* What we write, our runtime must understand. */
	assert_parses(spec_parse(document, &spec, &err), &err);
}

static void default_container(void **state)
{
	(void)state;
	check("default");
}

static void every_option(void **state)
{
	(void)state;
	check("options");
}

static void privileged_in_the_hosts_namespaces(void **state)
{
	auto_(json_decref) json_t *document = build("privileged");
	json_t *linux_object = json_object_get(document, "linux");

	(void)state;
	/* The devices of this machine are not those of the golden file. */
	assert_true(json_array_size(json_object_get(linux_object, "devices")) > 0);
	(void)json_object_del(linux_object, "devices");
	if (getenv("SKIFF_UPDATE_GOLDEN"))
		write_golden("privileged", document);
	{
		auto_(error_release) struct error err = {0};
		auto_(json_decref) json_t *expected = NULL;
		auto_free char *golden = read_golden("privileged", "config");
		auto_free char *text = json_text_pretty(document, 2);

		assert_parses(json_parse(golden, strlen(golden), "golden", &expected, &err), &err);
		if (!json_equal(document, expected))
			fail_msg("privileged is now:\n%s", text);
	}
}

static void environment_has_dockers_order(void **state)
{
	auto_(container_config_release) struct container_config config = {0};
	auto_(strv_release) struct strv env = {0};
	auto_free char *text = NULL;

	(void)state;
	config.hostname = xstrdup("box");
	config.tty = true;
	strv_add(&config.env, "A=1");
	strv_add(&config.env, "PATH=/x");
	strv_add(&config.env, "NOVALUE");
	oci_environment(&config, &env);
	text = strv_join(&env, " ");
	assert_string_equal(text, "PATH=/x HOSTNAME=box TERM=xterm A=1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(default_container),
		cmocka_unit_test(every_option),
		cmocka_unit_test(privileged_in_the_hosts_namespaces),
		cmocka_unit_test(environment_has_dockers_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
