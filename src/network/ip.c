/* SPDX-License-Identifier: Apache-2.0 */
#include "network/ip.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/parse.h"

size_t ip_address_len(int family)
{
	return family == AF_INET6 ? 16 : 4;
}

int ip_address_parse(const char *text, struct ip_address *ret_address)
{
	struct ip_address address = {0};

	if (inet_pton(AF_INET, text, address.bytes) == 1)
		address.family = AF_INET;
	else if (inet_pton(AF_INET6, text, address.bytes) == 1)
		address.family = AF_INET6;
	else
		return -EINVAL;
	*ret_address = address;
	return 0;
}

void ip_address_format(const struct ip_address *address, char ret_text[IP_TEXT_SIZE])
{
	ret_text[0] = '\0';
	if (address->family)
		(void)inet_ntop(address->family, address->bytes, ret_text, IP_TEXT_SIZE);
}

int ip_network_parse(const char *text, struct ip_network *ret_network)
{
	const char *slash = strchr(text, '/');
	struct ip_network network;
	char address[IP_TEXT_SIZE];
	uint32_t prefix_len;
	size_t len;

	if (!slash)
		return -EINVAL;
	len = (size_t)(slash - text);
	if (len >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, len);
	address[len] = '\0';
	if (ip_address_parse(address, &network.address) < 0 ||
	    parse_u32(slash + 1, &prefix_len) < 0 ||
	    prefix_len > 8 * ip_address_len(network.address.family))
		return -EINVAL;
	network.prefix_len = (uint8_t)prefix_len;
	*ret_network = network;
	return 0;
}

void ip_network_format(const struct ip_network *network, char ret_text[IP_TEXT_SIZE])
{
	size_t len;

	ip_address_format(&network->address, ret_text);
	len = strlen(ret_text);
	if (len)
		(void)snprintf(ret_text + len, IP_TEXT_SIZE - len, "/%u", network->prefix_len);
}

bool ip_address_equal(const struct ip_address *a, const struct ip_address *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, ip_address_len(a->family)) == 0;
}

bool ip_address_is_loopback(const struct ip_address *address)
{
	if (address->family == AF_INET)
		return address->bytes[0] == 127;
	return address->family == AF_INET6 &&
	       memcmp(address->bytes, &in6addr_loopback, sizeof(in6addr_loopback)) == 0;
}

bool ip_address_is_any(const struct ip_address *address)
{
	static const uint8_t zeros[16];

	return memcmp(address->bytes, zeros, ip_address_len(address->family)) == 0;
}

/* ---- networks ---- */

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned int bits)
{
	unsigned int rest = bits % 8;

	if (memcmp(a, b, bits / 8) != 0)
		return false;
	return rest == 0 || (a[bits / 8] ^ b[bits / 8]) >> (8 - rest) == 0;
}

struct ip_network ip_network_base(const struct ip_network *network)
{
	struct ip_network base = *network;

	for (unsigned int bit = network->prefix_len; bit < 8 * sizeof(base.address.bytes); bit++)
		base.address.bytes[bit / 8] &= (uint8_t) ~(0x80U >> bit % 8);
	return base;
}

bool ip_network_has(const struct ip_network *network, const struct ip_address *address)
{
	return network->address.family == address->family &&
	       same_bits(network->address.bytes, address->bytes, network->prefix_len);
}

bool ip_network_overlaps(const struct ip_network *a, const struct ip_network *b)
{
	return ip_network_contains(a, b) || ip_network_contains(b, a);
}

bool ip_network_contains(const struct ip_network *outer, const struct ip_network *inner)
{
	return outer->prefix_len <= inner->prefix_len && ip_network_has(outer, &inner->address);
}

int64_t ip_network_size(const struct ip_network *network)
{
	unsigned int host_bits = 8 * (unsigned int)ip_address_len(network->address.family) -
				 network->prefix_len;

	return host_bits >= 63 ? INT64_MAX : INT64_C(1) << host_bits;
}

struct ip_address ip_network_at(const struct ip_network *network, int64_t offset)
{
	struct ip_address address = ip_network_base(network).address;
	uint64_t rest = (uint64_t)offset;

	/* The host bits are zero, so adding is setting, but for nothing carried out of a byte. */
	for (size_t i = ip_address_len(address.family); i-- > 0 && rest; rest >>= 8)
		address.bytes[i] |= (uint8_t)rest;
	return address;
}

int64_t ip_network_offset(const struct ip_network *network, const struct ip_address *address)
{
	struct ip_address base = ip_network_base(network).address;
	size_t len = ip_address_len(address->family);
	uint64_t offset = 0;

	for (size_t i = 0; i < len; i++) {
		if (offset >> 55)
			return -1;
		offset = offset << 8 | (uint8_t)(address->bytes[i] ^ base.bytes[i]);
	}
	return (int64_t)offset;
}

/* ---- hardware addresses ---- */

int mac_parse(const char *text, uint8_t ret_mac[6])
{
	uint8_t mac[6];

	if (strlen(text) != MAC_TEXT_SIZE - 1)
		return -EINVAL;
	for (size_t i = 0; i < sizeof(mac); i++, text += 3)
		if (hex_byte(text, &mac[i]) < 0 || (text[2] != ':' && i < sizeof(mac) - 1))
			return -EINVAL;
	/* Not a group's. */
	if (mac[0] & 1)
		return -EINVAL;
	memcpy(ret_mac, mac, sizeof(mac));
	return 0;
}

void mac_format(const uint8_t mac[6], char ret_text[MAC_TEXT_SIZE])
{
	(void)snprintf(ret_text, MAC_TEXT_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1],
		       mac[2], mac[3], mac[4], mac[5]);
}
