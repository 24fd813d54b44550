/* SPDX-License-Identifier: Apache-2.0 */
#include "sys/loopback.h"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/cleanup.h"

int loopback_up(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	auto_close int sock = NO_FD;

	/* AF_UNIX: device ioctls work on any socket, and this kind costs least to make. */
	sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return -errno;
	return ioctl(sock, SIOCSIFFLAGS, &request) < 0 ? -errno : 0;
}
