/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "network/port_spec.h"

static void what_it_means(void **state)
{
	static const struct {
		const char *text, *whole;
		int protocol, family;
		uint16_t host_first, host_last, container_first, container_last;
	} cases[] = {
		{"80", "80/tcp", IPPROTO_TCP, 0, 0, 0, 80, 80},
		{"80/UDP", "80/udp", IPPROTO_UDP, 0, 0, 0, 80, 80},
		{"8080:80", "8080:80/tcp", IPPROTO_TCP, 0, 8080, 8080, 80, 80},
		{"0:80/sctp", "80/sctp", IPPROTO_SCTP, 0, 0, 0, 80, 80},
		{":80", "80/tcp", IPPROTO_TCP, 0, 0, 0, 80, 80},
		{"9000-9010:80", "9000-9010:80/tcp", IPPROTO_TCP, 0, 9000, 9010, 80, 80},
		{"1-65535:1-65535", "1-65535:1-65535/tcp", IPPROTO_TCP, 0, 1, 65535, 1, 65535},
		{"80-82", "80-82/tcp", IPPROTO_TCP, 0, 0, 0, 80, 82},
		{"127.0.0.1::80", "127.0.0.1::80/tcp", IPPROTO_TCP, AF_INET, 0, 0, 80, 80},
		{"127.0.0.1:8080:80", "127.0.0.1:8080:80/tcp", IPPROTO_TCP, AF_INET, 8080, 8080, 80,
		 80},
		{"[::1]:8080:80/udp", "[::1]:8080:80/udp", IPPROTO_UDP, AF_INET6, 8080, 8080, 80,
		 80},
		{"[2001:db8::1]::80", "[2001:db8::1]::80/tcp", IPPROTO_TCP, AF_INET6, 0, 0, 80, 80},
		{"0.0.0.0:8080:80", "0.0.0.0:8080:80/tcp", IPPROTO_TCP, AF_INET, 8080, 8080, 80,
		 80},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_(error_release) struct error err = {0};
		auto_free char *text = NULL;
		struct port_spec spec;

		if (port_spec_parse(cases[i].text, &spec, &err) < 0)
			fail_msg("%s: %s", cases[i].text, err_message(&err));
		assert_int_equal(spec.protocol, cases[i].protocol);
		assert_int_equal(spec.host.family, cases[i].family);
		assert_int_equal(spec.host_first, cases[i].host_first);
		assert_int_equal(spec.host_last, cases[i].host_last);
		assert_int_equal(spec.container_first, cases[i].container_first);
		assert_int_equal(spec.container_last, cases[i].container_last);
		text = port_spec_format(&spec);
		assert_string_equal(text, cases[i].whole);
	}
}

static void what_is_refused_and_why(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{"", "no port specified"},
		{"8080:", "no port specified"},
		{"/tcp", "no port specified"},
		{"0", "invalid containerPort: 0"},
		{"65536", "invalid containerPort: 65536"},
		{"-1", "invalid containerPort"},
		{"80-", "invalid containerPort"},
		{"-80", "invalid containerPort"},
		{"82-80", "invalid containerPort: 82-80"},
		{"80-81-82", "invalid containerPort"},
		{"+80", "invalid containerPort"},
		{" 80", "invalid containerPort"},
		{"0x50", "invalid containerPort"},
		{"http", "invalid containerPort: http"},
		{"80/icmp", "invalid proto: icmp"},
		{"80/", "invalid proto"},
		{"80/tcp/udp", "invalid containerPort"},
		{"99999:80", "invalid hostPort: 99999"},
		{"0-1:80", "invalid hostPort"},
		{"x:80", "invalid hostPort: x"},
		{"1.2.3:8080:80", "invalid IP address: 1.2.3"},
		{"localhost:8080:80", "invalid IP address: localhost"},
		{"::1:8080:80", "invalid IP address"},
		{"[::1:8080:80", "invalid IP address"},
		{"[]:8080:80", "invalid IP address"},
		{"[::1%lo]:8080:80", "invalid IP address"},
		{"8000-8002:80-81", "invalid ranges specified"},
		{"8000:80-81", "invalid ranges specified"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_(error_release) struct error err = {0};
		struct port_spec spec;

		if (port_spec_parse(cases[i].text, &spec, &err) >= 0)
			fail_msg("%s: was accepted", cases[i].text);
		assert_int_equal(err.kind, ERR_INVALID);
		if (!strstr(err_message(&err), cases[i].words))
			fail_msg("%s: no '%s' in '%s'", cases[i].text, cases[i].words,
				 err_message(&err));
	}
}

/* The rest of it must not be read as if it was not there. */
static void what_is_too_long_is_refused(void **state)
{
	auto_(error_release) struct error err = {0};
	struct port_spec spec;
	char text[512];

	(void)state;
	memset(text, '0', sizeof(text));
	memcpy(text, "127.0.0.1:8080:", 15);
	memcpy(text + sizeof(text) - 4, "x/y", 4);
	assert_true(port_spec_parse(text, &spec, &err) < 0);
	error_release(&err);
	memset(text, '0', 252);
	memcpy(text + 252, "80/tcpudp", 10);
	assert_true(port_spec_parse(text, &spec, &err) < 0);
	error_release(&err);
	assert_true(port_expose_parse(text, &spec, &err) < 0);
}

static void expose_names_no_port_of_the_host(void **state)
{
	static const char *const bad[] = {"8080:80", "", "0", "80/x", "90-80", "80-90-91"};
	auto_(error_release) struct error err = {0};
	struct port_spec spec;

	(void)state;
	assert_int_equal(port_expose_parse("80-90/udp", &spec, &err), 0);
	assert_int_equal(spec.container_first, 80);
	assert_int_equal(spec.container_last, 90);
	assert_int_equal(spec.protocol, IPPROTO_UDP);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (port_expose_parse(bad[i], &spec, &err) >= 0)
			fail_msg("%s: was accepted", bad[i]);
		assert_non_null(strstr(err_message(&err), "--expose"));
		error_release(&err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_it_means),
		cmocka_unit_test(what_is_refused_and_why),
		cmocka_unit_test(what_is_too_long_is_refused),
		cmocka_unit_test(expose_names_no_port_of_the_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
