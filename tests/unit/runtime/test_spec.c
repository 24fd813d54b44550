/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <linux/mount.h>
#include <string.h>
#include <sys/resource.h>

#include "runtime/spec.h"

#define PROCESS                                                                                    \
	"\"process\": {\"args\": [\"sh\"], \"cwd\": \"/\", \"user\": {\"uid\": 1, \"gid\": 2}"
#define ROOT "\"root\": {\"path\": \"/r\"}"
#define LINUX "\"linux\": {\"namespaces\": [{\"type\": \"mount\"}, {\"type\": \"pid\"}]"

static int parse(const char *text, struct spec *spec, struct error *err)
{
	auto_(json_decref) json_t *config = NULL;
	int r = json_parse(text, strlen(text), "test", &config, err);

	if (r < 0)
		fail_msg("%s", err_message(err));
	return spec_parse(config, spec, err);
}

static void the_least_document(void **state)
{
	auto_(spec_release) struct spec spec = {0};
	auto_(error_release) struct error err = {0};

	(void)state;
	assert_int_equal(parse("{" PROCESS "}, " ROOT ", " LINUX "}}", &spec, &err), 0);
	assert_int_equal(spec.uid, 1);
	assert_int_equal(spec.gid, 2);
	assert_int_equal(spec.umask, 022);
	assert_int_equal(spec.namespaces[SPEC_NS_PID], SPEC_NS_NEW);
	assert_int_equal(spec.namespaces[SPEC_NS_NETWORK], SPEC_NS_HOST);
	assert_true(spec.limits.memory_bytes == CGROUP_UNSET);
	assert_null(spec.cgroups_path);
}

static void mount_options_become_attributes(void **state)
{
	auto_(spec_release) struct spec spec = {0};
	auto_(error_release) struct error err = {0};

	(void)state;
	assert_int_equal(
		parse("{" PROCESS "}, " ROOT ", " LINUX "}, \"mounts\": ["
		      "{\"destination\": \"/a\", \"type\": \"tmpfs\", \"source\": \"t\", "
		      "\"options\":"
		      " [\"nosuid\", \"ro\", \"rw\", \"strictatime\", \"size=1m\", \"mode=755\"]},"
		      "{\"destination\": \"/b\", \"type\": \"bind\", \"source\": \"/src\","
		      " \"options\": [\"rbind\", \"rro\", \"rslave\"]}]}",
		      &spec, &err),
		0);
	assert_int_equal(spec.mount_count, 2);
	assert_true(spec.mounts[0].attr_set == (MOUNT_ATTR_NOSUID | MOUNT_ATTR_STRICTATIME));
	assert_true(spec.mounts[0].attr_clear & MOUNT_ATTR_RDONLY);
	assert_int_equal(spec.mounts[0].data.count, 2);
	assert_true(spec.mounts[1].bind && spec.mounts[1].bind_recursive);
	assert_true(spec.mounts[1].recursive_set == MOUNT_ATTR_RDONLY);
	assert_true(spec.mounts[1].propagation != 0);
}

#define USERS "\"linux\": {\"namespaces\": [{\"type\": \"mount\"}, {\"type\": \"user\"}]"
#define RANGE(inside, outside) "{\"containerID\": " inside ", \"hostID\": " outside ", \"size\": 5}"
#define MAPS(ranges) ", \"uidMappings\": [" ranges "], \"gidMappings\": [" ranges "]"

static void reads_user_namespaces(void **state)
{
	auto_(spec_release) struct spec spec = {0};
	auto_(error_release) struct error err = {0};
	uint32_t id;

	(void)state;
	assert_int_equal(
		parse("{" PROCESS "}, " ROOT ", " USERS MAPS(RANGE("0", "7") ", " RANGE(
			      "9", "70")) "}, \"mounts\": [{\"destination\": \"/x\", \"type\": "
					  "\"bind\", "
					  "\"source\": \"/x\", \"options\": [\"ridmap\"]}]}",
		      &spec, &err),
		0);
	assert_int_equal(spec.namespaces[SPEC_NS_USER], SPEC_NS_NEW);
	assert_true(id_map_outside(&spec.uids, 13, &id) && id == 74);
	assert_true(id_map_outside(&spec.gids, 4, &id) && id == 11);
	assert_true(spec.mounts[0].map_owners && spec.mounts[0].map_owners_below);
}

static void bad_documents_name_the_property(void **state)
{
	static const struct {
		const char *text, *word;
	} cases[] = {
		{"[]", "object"},
		{"{" ROOT ", " LINUX "}}", "process"},
		{"{\"process\": {\"args\": [], \"cwd\": \"/\"}, " ROOT "}", "process.args"},
		{"{\"process\": {\"args\": [1], \"cwd\": \"/\"}, " ROOT "}", "process.args"},
		{"{\"process\": {\"args\": [\"a\"], \"cwd\": \"x\"}, " ROOT "}", "process.cwd"},
		{"{\"process\": {\"args\": [\"a\"], \"cwd\": \"/\", \"user\": {\"uid\": -1}}, " ROOT
		 "}",
		 "process.user.uid"},
		{"{\"process\": {\"args\": [\"a\"], \"cwd\": \"/\", \"user\": {\"uid\": "
		 "4294967296}}, " ROOT "}",
		 "process.user.uid"},
		{"{" PROCESS ", \"capabilities\": {\"bounding\": [\"CAP_FLY\"]}}, " ROOT "}",
		 "CAP_FLY"},
		{"{" PROCESS
		 ", \"rlimits\": [{\"type\": \"RLIMIT_X\", \"soft\": 1, \"hard\": 1}]}, " ROOT "}",
		 "rlimits"},
		{"{" PROCESS "}, " ROOT ", \"linux\": {}}", "mount namespace"},
		{"{" PROCESS "}, " ROOT
		 ", \"linux\": {\"namespaces\": [{\"type\": \"mount\"}, {\"type\": \"mount\"}]}}",
		 "twice"},
		{"{" PROCESS "}, " ROOT ", \"linux\": {\"namespaces\": [{\"type\": \"moon\"}]}}",
		 "moon"},
		{"{" PROCESS "}, " ROOT ", " LINUX "}, \"mounts\": [{\"destination\": \"x\"}]}",
		 "destination"},
		{"{" PROCESS "}, " ROOT ", " LINUX "}, \"mounts\": [{\"destination\": \"/x\"}]}",
		 "type"},
		{"{" PROCESS "}, " ROOT ", " LINUX "}, \"mounts\": [{\"destination\": \"/x\", "
		 "\"type\": \"bind\", \"source\": \"rel\"}]}",
		 "source"},
		{"{" PROCESS "}, " ROOT ", " LINUX ", \"sysctl\": {\"../x\": \"1\"}}}", "sysctl"},
		{"{" PROCESS "}, " ROOT ", " LINUX
		 ", \"resources\": {\"memory\": {\"limit\": \"1\"}}}}",
		 "memory.limit"},
		{"{" PROCESS "}, " ROOT ", " LINUX
		 ", \"resources\": {\"unified\": {\"x\": \"1\"}}}}",
		 "unified"},
		{"{" PROCESS "}, " ROOT ", " LINUX
		 ", \"resources\": {\"blockIO\": {\"weightDevice\": {}}}}}",
		 "weightDevice"},
		{"{" PROCESS "}, " ROOT ", " LINUX
		 ", \"resources\": {\"blockIO\": {\"throttleReadBpsDevice\": [{\"major\": 1}]}}}}",
		 "throttleReadBpsDevice"},
		{"{" PROCESS "}, " ROOT ", " LINUX
		 "}, \"hooks\": {\"prestart\": [{\"path\": \"x\"}]}}",
		 "hooks.prestart"},
		{"{" PROCESS "}, " ROOT ", " USERS "}}", "uidMappings"},
		{"{" PROCESS "}, " ROOT ", " USERS ", \"uidMappings\": [" RANGE("0", "1") "]}}",
		 "not both"},
		{"{" PROCESS "}, " ROOT ", " USERS MAPS(RANGE("1", "1")) "}}", "id 0"},
		{"{" PROCESS "}, " ROOT ", " USERS MAPS(RANGE("0", "1") ", " RANGE("0", "9")) "}}",
		 "overlaps"},
		{"{" PROCESS "}, " ROOT ", " USERS MAPS(RANGE("0", "-1")) "}}", "hostID"},
		{"{" PROCESS "}, " ROOT ", " USERS MAPS("{\"hostID\": 1, \"size\": 1}") "}}",
		 "containerID"},
		{"{" PROCESS "}, " ROOT ", " LINUX MAPS(RANGE("0", "1")) "}}", "lists none"},
		{"{" PROCESS "}, " ROOT ", " LINUX "}, \"mounts\": [{\"destination\": \"/x\", "
		 "\"type\": \"tmpfs\", \"options\": [\"idmap\"]}]}",
		 "only binds"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		auto_(spec_release) struct spec spec = {0};
		auto_(error_release) struct error err = {0};

		print_message("%s\n", cases[i].text);
		assert_true(parse(cases[i].text, &spec, &err) < 0);
		print_message("  %s\n", err_message(&err));
		assert_non_null(strstr(err_message(&err), cases[i].word));
	}
}

static void default_devices_are_added_once(void **state)
{
	auto_(spec_release) struct spec spec = {0};
	auto_(error_release) struct error err = {0};
	size_t nulls = 0;

	(void)state;
	assert_int_equal(parse("{" PROCESS "}, " ROOT ", " LINUX ", \"resources\": {\"devices\": ["
			       "{\"allow\": false, \"access\": \"rwm\"},"
			       "{\"allow\": true, \"type\": \"c\", \"major\": 1, \"minor\": 3,"
			       " \"access\": \"rwm\"}]}}}",
			       &spec, &err),
			 0);
	assert_false(spec.limits.devices[0].allow);
	assert_int_equal(spec.limits.devices[0].type, 'a');
	for (size_t i = 0; i < spec.limits.device_count; i++)
		nulls += spec.limits.devices[i].major == 1 && spec.limits.devices[i].minor == 3;
	assert_int_equal(nulls, 1);
	assert_int_equal(spec.limits.device_count, 11);
}

static void limits_of_block_devices(void **state)
{
	auto_(spec_release) struct spec spec = {0};
	auto_(error_release) struct error err = {0};
	auto_(json_decref) json_t *resources = json_loads(
		"{\"blockIO\": {\"weight\": 20, \"weightDevice\": [{\"major\": 8, \"minor\": 1,"
		" \"weight\": 300}], \"throttleWriteIOPSDevice\": [{\"major\": 7, \"minor\": 2,"
		" \"rate\": 9}]}, \"cpu\": {\"realtimeRuntime\": 5}}",
		0, NULL);

	(void)state;
	assert_int_equal(spec_parse_limits(resources, &spec, &err), 0);
	assert_int_equal(spec.limits.blkio_weight, 20);
	assert_int_equal(spec.limits.cpu_rt_runtime_us, 5);
	assert_true(spec.limits.cpu_rt_period_us == CGROUP_UNSET);
	assert_int_equal(spec.limits.io_limit_count, 2);
	assert_int_equal(spec.limits.io_limits[0].kind, CGROUP_IO_WEIGHT);
	assert_int_equal(spec.limits.io_limits[0].value, 300);
	assert_int_equal(spec.limits.io_limits[1].kind, CGROUP_IO_WRITE_IOPS);
	assert_int_equal(spec.limits.io_limits[1].major, 7);
	assert_int_equal(spec.limits.io_limits[1].minor, 2);
	assert_int_equal(spec.limits.io_limits[1].value, 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_least_document),
		cmocka_unit_test(mount_options_become_attributes),
		cmocka_unit_test(reads_user_namespaces),
		cmocka_unit_test(bad_documents_name_the_property),
		cmocka_unit_test(default_devices_are_added_once),
		cmocka_unit_test(limits_of_block_devices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
