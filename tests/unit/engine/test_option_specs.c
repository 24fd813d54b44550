/* SPDX-License-Identifier: Apache-2.0 */
/* Devices, limits of resources, capabilities, signals, names: one value each. */
#include "cases.h"

#include <signal.h>
#include <sys/capability.h>

#include "base/cleanup.h"
#include "base/signal_name.h"
#include "engine/block_io.h"
#include "engine/capability_list.h"
#include "engine/container_name.h"
#include "engine/device_spec.h"
#include "engine/limit_option.h"
#include "engine/stats.h"
#include "engine/ulimit_spec.h"

#define BIT(n) (UINT64_C(1) << (n))
#define ALL_41 ((UINT64_C(1) << 41) - 1)

static void device_texts(void **state)
{
	static const struct {
		const char *text, *host, *container, *permissions;
	} good[] = {
		{"/dev/fuse", "/dev/fuse", "/dev/fuse", "rwm"},
		{"/dev/sda:/dev/xvda", "/dev/sda", "/dev/xvda", "rwm"},
		{"/dev/sda:r", "/dev/sda", "/dev/sda", "r"},
		{"/dev/sda:/dev/xvda:mr", "/dev/sda", "/dev/xvda", "mr"},
	};
	static const char *const bad[] = {"",
					  "sda",
					  "/dev/sda:rx",
					  "/dev/sda:/x:rr",
					  "/dev/sda:/x:",
					  "/dev/sda:x:rw",
					  "/a:/b:rw:x",
					  "vendor.com/gpu=0"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		auto_(device_spec_release) struct device_spec spec = {0};
		auto_(error_release) struct error err = {0};

		assert_parses(device_spec_parse(good[i].text, &spec, &err), &err);
		assert_string_equal(spec.host_path, good[i].host);
		assert_string_equal(spec.container_path, good[i].container);
		assert_string_equal(spec.permissions, good[i].permissions);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		auto_(error_release) struct error err = {0};
		struct device_spec spec;

		assert_refuses(device_spec_parse(bad[i], &spec, &err), &err, ERR_INVALID,
			       "invalid device");
	}
}

static void block_io_texts(void **state)
{
	auto_(error_release) struct error err = {0};
	auto_(block_io_release) struct block_io_spec spec = {0};
	auto_(strv_release) struct strv list = {0};
	auto_(strv_release) struct strv more = {0};

	(void)state;
	assert_parses(block_io_parse(BLOCK_IO_READ_BPS, "/dev/sda:1mb", &spec, &err), &err);
	assert_string_equal(spec.path, "/dev/sda");
	assert_int_equal(spec.value, 1 << 20);
	assert_refuses(block_io_parse(BLOCK_IO_READ_BPS, "/dev/sda", &spec, &err), &err,
		       ERR_INVALID, "bad format: /dev/sda");
	assert_refuses(block_io_parse(BLOCK_IO_READ_BPS, "/dev/sda:", &spec, &err), &err,
		       ERR_INVALID, "bad format");
	assert_refuses(block_io_parse(BLOCK_IO_READ_IOPS, "sda:1", &spec, &err), &err, ERR_INVALID,
		       "bad format for device path");
	assert_refuses(block_io_parse(BLOCK_IO_WEIGHT, "/dev/sda:1001", &spec, &err), &err,
		       ERR_INVALID, "invalid weight");

	strv_split(&list, "/dev/sda:1,/dev/sdb:2", ',');
	strv_split(&more, "/dev/sda:3,/dev/sd:4", ',');
	block_io_merge(&list, &more);
	assert_int_equal(list.count, 3);
	assert_string_equal(list.items[0], "/dev/sdb:2");
	assert_string_equal(list.items[1], "/dev/sda:3");
	assert_string_equal(list.items[2], "/dev/sd:4");
}

static void network_counters(void **state)
{
	uint64_t received, sent;

	(void)state;
	stats_sum_network("Inter-|   Receive  | Transmit\n face |bytes packets|bytes packets\n"
			  "    lo:  500 1 0 0 0 0 0 0  500 1 0 0 0 0 0 0\n"
			  "  eth0: 1000 2 0 0 0 0 0 0  300 4 0 0 0 0 0 0\n"
			  "wlan0:7 2 0 0 0 0 0 0 8 4 0 0 0 0 0 0\n",
			  &received, &sent);
	assert_int_equal(received, 1007);
	assert_int_equal(sent, 308);
	stats_sum_network("", &received, &sent);
	assert_int_equal(received + sent, 0);
}

static void ulimit_texts(void **state)
{
	auto_(error_release) struct error err = {0};
	struct ulimit_spec spec;

	(void)state;
	assert_parses(ulimit_spec_parse("nofile=1024:2048", &spec, &err), &err);
	assert_string_equal(spec.oci, "RLIMIT_NOFILE");
	assert_int_equal(spec.soft, 1024);
	assert_int_equal(spec.hard, 2048);
	assert_parses(ulimit_spec_parse("core=-1", &spec, &err), &err);
	assert_true(spec.soft == RLIM_INFINITY && spec.hard == RLIM_INFINITY);
	assert_parses(ulimit_spec_parse("nproc=10:unlimited", &spec, &err), &err);
	assert_int_equal(spec.soft, 10);
	assert_true(spec.hard == RLIM_INFINITY);
	assert_refuses(ulimit_spec_parse("nofile", &spec, &err), &err, ERR_INVALID,
		       "invalid ulimit argument");
	assert_refuses(ulimit_spec_parse("files=1", &spec, &err), &err, ERR_INVALID,
		       "invalid ulimit type: files");
	assert_refuses(ulimit_spec_parse("nofile=2:1", &spec, &err), &err, ERR_INVALID,
		       "soft limit must be less than or equal to hard limit");
	assert_refuses(ulimit_spec_parse("nofile=", &spec, &err), &err, ERR_INVALID, "value");
	assert_refuses(ulimit_spec_parse("nofile=1:", &spec, &err), &err, ERR_INVALID, "value");
	assert_refuses(ulimit_spec_parse("nofile=0x10", &spec, &err), &err, ERR_INVALID, "value");
}

static uint64_t compute(const char *add, const char *drop, uint64_t bounding)
{
	auto_(error_release) struct error err = {0};
	auto_(strv_release) struct strv adds = {0};
	auto_(strv_release) struct strv drops = {0};
	uint64_t set = 0;

	strv_split(&adds, add, ' ');
	strv_split(&drops, drop, ' ');
	assert_parses(capability_compute(&adds, &drops, false, bounding, &set, &err), &err);
	return set;
}

static void capability_sets(void **state)
{
	uint64_t usual = capability_default_set();

	(void)state;
	assert_int_equal(__builtin_popcountll(usual), 14);
	assert_true(compute("", "", ALL_41) == usual);
	assert_true(compute("net_admin", "", ALL_41) == (usual | BIT(CAP_NET_ADMIN)));
	assert_true(compute("CAP_NET_ADMIN", "cap_chown", ALL_41) ==
		    ((usual | BIT(CAP_NET_ADMIN)) & ~BIT(CAP_CHOWN)));
	assert_true(compute("ALL", "", ALL_41) == ALL_41);
	assert_true(compute("all", "SYS_ADMIN", ALL_41) == (ALL_41 & ~BIT(CAP_SYS_ADMIN)));
	assert_true(compute("", "ALL", ALL_41) == 0);
	assert_true(compute("KILL", "ALL", ALL_41) == BIT(CAP_KILL));
	assert_true(compute("", "", BIT(CAP_KILL) | BIT(CAP_SYS_ADMIN)) == BIT(CAP_KILL));
}

static void capabilities_that_do_not_exist(void **state)
{
	auto_(error_release) struct error err = {0};
	auto_(strv_release) struct strv none = {0};
	auto_(strv_release) struct strv unknown = LIST("NOT_A_CAP");
	auto_(strv_release) struct strv number = LIST("21");
	auto_(strv_release) struct strv admin = LIST("SYS_ADMIN");
	auto_(strv_release) struct strv names = LIST("net_raw", "Cap_Kill", "all");
	auto_(strv_release) struct strv normal = {0};
	uint64_t set;

	(void)state;
	assert_refuses(capability_compute(&unknown, &none, false, ALL_41, &set, &err), &err,
		       ERR_INVALID, "unknown capability: \"NOT_A_CAP\"");
	assert_refuses(capability_compute(&none, &number, false, ALL_41, &set, &err), &err,
		       ERR_INVALID, "unknown capability: \"21\"");
	assert_refuses(capability_compute(&admin, &none, false, BIT(CAP_KILL), &set, &err), &err,
		       ERR_INVALID, "not available in the current environment");
	assert_parses(capability_normalize(&names, "CapAdd", &normal, &err), &err);
	assert_string_equal(normal.items[0], "CAP_NET_RAW");
	assert_string_equal(normal.items[1], "CAP_KILL");
	assert_string_equal(normal.items[2], "ALL");
}

static void signal_texts(void **state)
{
	static const struct {
		const char *text;
		int number;
	} good[] = {
		{"TERM", SIGTERM}, {"SIGTERM", SIGTERM}, {"sigkill", SIGKILL}, {"9", 9},
		{"USR1", SIGUSR1}, {"CHLD", SIGCHLD},    {"IOT", SIGABRT},     {"64", 64},
		{"RTMIN", 34},     {"RTMIN+3", 37},      {"SIGRTMAX-1", 63},   {"WINCH", SIGWINCH},
	};
	static const char *const bad[] = {"",      "0",        "65",      "-9",       "9 ",
					  "TERMS", "RTMIN+31", "RTMIN-1", "RTMAX-31", "SIG"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		auto_(error_release) struct error err = {0};

		assert_int_equal(signal_name_parse(good[i].text, &err), good[i].number);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		auto_(error_release) struct error err = {0};

		assert_refuses(signal_name_parse(bad[i], &err), &err, ERR_INVALID,
			       "invalid signal");
	}
}

static void container_names(void **state)
{
	static const char *const bad[] = {"", "a", "/", "-a", ".a", "a b", "a/b", "_a", "a\n"};
	auto_(error_release) struct error err = {0};
	const char *name;

	(void)state;
	assert_parses(container_name_check("/web-1.a_b", &name, &err), &err);
	assert_string_equal(name, "web-1.a_b");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_refuses(container_name_check(bad[i], &name, &err), &err, ERR_INVALID,
			       "Invalid container name");
	for (unsigned int i = 0; i < 100; i++) {
		auto_free char *generated = container_name_generate(i % 5);

		assert_parses(container_name_check(generated, &name, &err), &err);
		assert_non_null(strchr(generated, '_'));
	}
}

static void cpu_lists(void **state)
{
	(void)state;
	assert_int_equal(cpu_list_check("0", "0-3"), 0);
	assert_int_equal(cpu_list_check("0-1,3", "0-3"), 0);
	assert_int_equal(cpu_list_check("4", "0-3"), -ENXIO);
	assert_int_equal(cpu_list_check("0-8191", "0-3"), -ENXIO);
	assert_int_equal(cpu_list_check("", "0-3"), -EINVAL);
	assert_int_equal(cpu_list_check("1-0", "0-3"), -EINVAL);
	assert_int_equal(cpu_list_check("0,", "0-3"), -EINVAL);
	assert_int_equal(cpu_list_check("99999", "0-3"), -EINVAL);
	assert_int_equal(cpu_list_check("a", "0-3"), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(block_io_texts),  cmocka_unit_test(network_counters),
		cmocka_unit_test(device_texts),    cmocka_unit_test(ulimit_texts),
		cmocka_unit_test(capability_sets), cmocka_unit_test(capabilities_that_do_not_exist),
		cmocka_unit_test(signal_texts),    cmocka_unit_test(container_names),
		cmocka_unit_test(cpu_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
