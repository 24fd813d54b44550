/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "monitor/protocol.h"
#include "runtime/restart_policy.h"

static int parse(const void *bytes, size_t len)
{
	struct monitor_packet packet;

	return monitor_packet_parse(bytes, len, &packet);
}

static void test_data_messages(void **state)
{
	struct monitor_packet packet;

	(void)state;
	assert_int_equal(monitor_packet_parse("\x05hello", 6, &packet), 0);
	assert_int_equal(packet.type, MONITOR_STDIN);
	assert_int_equal(packet.len, 5);
	assert_memory_equal(packet.data, "hello", 5);

	assert_int_equal(monitor_packet_parse("\x09", 1, &packet), 0);
	assert_int_equal(packet.type, MONITOR_STDOUT);
	assert_int_equal(packet.len, 0);

	assert_int_equal(monitor_packet_parse("\x06", 1, &packet), 0);
	assert_int_equal(packet.type, MONITOR_STDIN_EOF);
	assert_int_equal(parse("\x06x", 2), -EBADMSG); /* it carries nothing */
}

static void test_unknown_and_empty(void **state)
{
	static uint8_t large[MONITOR_MESSAGE_MAX + 1] = {MONITOR_STDOUT};

	(void)state;
	assert_int_equal(parse("", 0), -EBADMSG);
	assert_int_equal(parse("\0", 1), -EBADMSG);
	assert_int_equal(parse("\xff", 1), -EBADMSG);
	assert_int_equal(parse("\x11", 1), -EBADMSG);
	assert_int_equal(parse(large, MONITOR_MESSAGE_MAX), 0);
	assert_int_equal(parse(large, MONITOR_MESSAGE_MAX + 1), -EBADMSG);
}

static void test_values(void **state)
{
	struct monitor_exit exit = {.type = MONITOR_EXIT, .exit_code = 255};
	struct monitor_signal signal = {.type = MONITOR_SIGNAL, .signal = 64};
	struct monitor_stdin_taken taken = {.type = MONITOR_STDIN_TAKEN,
					    .bytes = MONITOR_STDIN_WINDOW};
	struct monitor_restart_policy restart = {
		.type = MONITOR_RESTART_POLICY, .kind = RESTART_ON_FAILURE, .max_retries = 3};
	struct monitor_health_result health = {
		.type = MONITOR_HEALTH_RESULT, .status = 3, .exit_code = -1};
	struct monitor_attach attach = {
		.type = MONITOR_ATTACH, .version = MONITOR_PROTOCOL_VERSION, .attach_flags = 63};

	(void)state;
	assert_int_equal(parse(&exit, sizeof(exit)), 0);
	assert_int_equal(parse(&exit, sizeof(exit) - 1), -EBADMSG);
	exit.exit_code = 256;
	assert_int_equal(parse(&exit, sizeof(exit)), -EBADMSG);
	exit.exit_code = -1;
	assert_int_equal(parse(&exit, sizeof(exit)), -EBADMSG);

	assert_int_equal(parse(&signal, sizeof(signal)), 0);
	signal.signal = 65;
	assert_int_equal(parse(&signal, sizeof(signal)), -EBADMSG);
	signal.signal = 0; /* would only ask whether it is alive */
	assert_int_equal(parse(&signal, sizeof(signal)), -EBADMSG);

	assert_int_equal(parse(&taken, sizeof(taken)), 0);
	taken.bytes++;
	assert_int_equal(parse(&taken, sizeof(taken)), -EBADMSG);

	assert_int_equal(parse(&restart, sizeof(restart)), 0);
	restart.kind = RESTART_KIND_COUNT;
	assert_int_equal(parse(&restart, sizeof(restart)), -EBADMSG);

	assert_int_equal(parse(&health, sizeof(health)), 0);
	health.exit_code = -2;
	assert_int_equal(parse(&health, sizeof(health)), -EBADMSG);
	health = (struct monitor_health_result){.type = MONITOR_HEALTH_RESULT, .status = 4};
	assert_int_equal(parse(&health, sizeof(health)), -EBADMSG);

	assert_int_equal(parse(&attach, sizeof(attach)), 0);
	attach.attach_flags = 64;
	assert_int_equal(parse(&attach, sizeof(attach)), -EBADMSG);
	attach.version++;
	assert_int_equal(parse(&attach, sizeof(attach)), -EPROTONOSUPPORT);
}

static void test_failed(void **state)
{
	struct {
		struct monitor_failed head;
		char text[4];
	} message = {.head = {.type = MONITOR_FAILED, .kind = ERR_CONFLICT, .errnum = EBUSY},
		     .text = "busy"};
	struct monitor_packet packet;

	(void)state;
	assert_int_equal(monitor_packet_parse(&message, sizeof(message), &packet), 0);
	assert_int_equal(packet.failed.kind, ERR_CONFLICT);
	assert_int_equal(packet.len, 4);
	assert_memory_equal(packet.data, "busy", 4);
	message.head.kind = ERR_NONE;
	assert_int_equal(parse(&message, sizeof(message)), -EBADMSG);
	message.head.kind = ERROR_KIND_COUNT;
	assert_int_equal(parse(&message, sizeof(message)), -EBADMSG);
	message.head.kind = ERR_CONFLICT;
	message.head.errnum = 0;
	assert_int_equal(parse(&message, sizeof(message)), -EBADMSG);
}

static void test_launch(void **state)
{
	struct monitor_launch launch = {.type = MONITOR_LAUNCH,
					.version = MONITOR_PROTOCOL_VERSION,
					.root = "/r",
					.state = "/s"};
	struct monitor_launch parsed;

	(void)state;
	memset(launch.id, 'a', 64);
	assert_int_equal(monitor_launch_parse(&launch, sizeof(launch), &parsed), 0);
	assert_string_equal(parsed.root, "/r");
	assert_int_equal(monitor_launch_parse(&launch, sizeof(launch) - 1, &parsed), -EBADMSG);
	launch.id[64] = 'a';
	assert_int_equal(monitor_launch_parse(&launch, sizeof(launch), &parsed), -EBADMSG);
	launch.id[64] = '\0';
	launch.id[5] = '/';
	assert_int_equal(monitor_launch_parse(&launch, sizeof(launch), &parsed), -EBADMSG);
	launch.id[5] = 'b';
	memset(launch.state, '/', sizeof(launch.state));
	assert_int_equal(monitor_launch_parse(&launch, sizeof(launch), &parsed), -EBADMSG);
	/* LAUNCH is not for those who read ordinary messages. */
	assert_int_equal(parse(&launch, sizeof(launch)), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_data_messages), cmocka_unit_test(test_unknown_and_empty),
		cmocka_unit_test(test_values),        cmocka_unit_test(test_failed),
		cmocka_unit_test(test_launch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
