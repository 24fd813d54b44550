/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/protocol.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/error.h"
#include "base/hex.h"
#include "runtime/health_check.h"
#include "runtime/restart_policy.h"

#define ATTACH_FLAGS_KNOWN                                                                         \
	(MONITOR_WANT_STDIN | MONITOR_WANT_STDOUT | MONITOR_WANT_STDERR | MONITOR_WANT_EXIT |      \
	 MONITOR_CLIENT_REMOVES | MONITOR_WANT_END)
#define SIGNAL_MAX 64

/* The fixed part of each message; 0: there is no such message, or it is not for this function. */
static size_t fixed_size(enum monitor_message type)
{
	switch (type) {
	case MONITOR_LAUNCH:
		return 0;
	case MONITOR_ATTACH:
		return sizeof(struct monitor_attach);
	case MONITOR_STARTED:
		return sizeof(struct monitor_started);
	case MONITOR_FAILED:
		return sizeof(struct monitor_failed);
	case MONITOR_RESIZE:
		return sizeof(struct monitor_resize);
	case MONITOR_SIGNAL:
		return sizeof(struct monitor_signal);
	case MONITOR_RESTART_POLICY:
		return sizeof(struct monitor_restart_policy);
	case MONITOR_HEALTH_RESULT:
		return sizeof(struct monitor_health_result);
	case MONITOR_EXIT:
		return sizeof(struct monitor_exit);
	case MONITOR_STDIN_TAKEN:
		return sizeof(struct monitor_stdin_taken);
	case MONITOR_STDIN:
	case MONITOR_STDIN_EOF:
	case MONITOR_HEALTH_RUN:
	case MONITOR_STDOUT:
	case MONITOR_STDERR:
		return 1;
	}
	return 0;
}

static bool carries_data(enum monitor_message type)
{
	return type == MONITOR_STDIN || type == MONITOR_STDOUT || type == MONITOR_STDERR ||
	       type == MONITOR_FAILED;
}

static int check_values(const struct monitor_packet *packet)
{
	bool good = true;

	if (packet->type == MONITOR_ATTACH) {
		if (packet->attach.version != MONITOR_PROTOCOL_VERSION)
			return -EPROTONOSUPPORT;
		good = (packet->attach.attach_flags & ~ATTACH_FLAGS_KNOWN) == 0;
	} else if (packet->type == MONITOR_FAILED) {
		good = packet->failed.kind > ERR_NONE && packet->failed.kind < ERROR_KIND_COUNT &&
		       packet->failed.errnum > 0 && packet->failed.errnum < 4096;
	} else if (packet->type == MONITOR_SIGNAL) {
		good = packet->signal.signal > 0 && packet->signal.signal <= SIGNAL_MAX;
	} else if (packet->type == MONITOR_RESTART_POLICY) {
		good = packet->restart.kind < RESTART_KIND_COUNT &&
		       packet->restart.max_retries <= INT32_MAX;
	} else if (packet->type == MONITOR_HEALTH_RESULT) {
		good = packet->health.status < HEALTH_STATUS_COUNT &&
		       packet->health.exit_code >= -1 && packet->health.exit_code <= 255;
	} else if (packet->type == MONITOR_EXIT) {
		good = packet->exit.exit_code >= 0 && packet->exit.exit_code <= 255;
	} else if (packet->type == MONITOR_STDIN_TAKEN) {
		good = packet->taken.bytes <= MONITOR_STDIN_WINDOW;
	}
	return good ? 0 : -EBADMSG;
}

int monitor_packet_parse(const void *bytes, size_t len, struct monitor_packet *ret_packet)
{
	struct monitor_packet packet = {0};
	size_t fixed;
	int r;

	if (len == 0 || len > MONITOR_MESSAGE_MAX)
		return -EBADMSG;
	packet.type = (enum monitor_message)((const uint8_t *)bytes)[0];
	fixed = fixed_size(packet.type);
	if (fixed == 0 || len < fixed || (len > fixed && !carries_data(packet.type)))
		return -EBADMSG;

	memcpy(&packet.attach, bytes, fixed); /* every member of the union begins there */
	packet.data = (const uint8_t *)bytes + fixed;
	packet.len = len - fixed;
	r = check_values(&packet);
	if (r < 0)
		return r;
	*ret_packet = packet;
	return 0;
}

/* Terminated within its array, absolute, not empty. */
static bool is_path(const char *text, size_t size)
{
	return text[0] == '/' && memchr(text, '\0', size) != NULL;
}

int monitor_launch_parse(const void *bytes, size_t len, struct monitor_launch *ret_launch)
{
	if (len != sizeof(*ret_launch) || ((const uint8_t *)bytes)[0] != MONITOR_LAUNCH)
		return -EBADMSG;
	memcpy(ret_launch, bytes, sizeof(*ret_launch));
	if (ret_launch->version != MONITOR_PROTOCOL_VERSION)
		return -EPROTONOSUPPORT;
	if ((ret_launch->attach_flags & ~ATTACH_FLAGS_KNOWN) != 0 ||
	    ret_launch->id[sizeof(ret_launch->id) - 1] != '\0' ||
	    !hex_is(ret_launch->id, sizeof(ret_launch->id) - 1) ||
	    !is_path(ret_launch->root, sizeof(ret_launch->root)) ||
	    !is_path(ret_launch->state, sizeof(ret_launch->state)))
		return -EBADMSG;
	return 0;
}
