/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_monitor_message.c - what arrives on a monitor's sockets */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "monitor/protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct monitor_packet packet;
	static struct monitor_launch launch;

	if (monitor_packet_parse(data, size, &packet) == 0) {
		if (packet.data + packet.len != data + size)
			abort();
		if (packet.type == MONITOR_FAILED &&
		    !error_kind_name((enum error_kind)packet.failed.kind))
			abort();
	}
	if (monitor_launch_parse(data, size, &launch) == 0 &&
	    (strlen(launch.id) != 64 || launch.root[0] != '/' || launch.state[0] != '/' ||
	     strlen(launch.root) >= sizeof(launch.root) ||
	     strlen(launch.state) >= sizeof(launch.state)))
		abort();
	return 0;
}
