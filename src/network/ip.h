/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ip.h - addresses and networks of either family, and arithmetic with them
 *
 * An address of family 0 is none at all. Bytes are in network order. Hosts of a network are counted
 * from its first address: offset 0 is the network itself, the last one of IPv4 its broadcast. Offsets
 * have 63 bits: no pool is larger than that, whatever its prefix.
 */
#ifndef SKIFF_NETWORK_IP_H
#define SKIFF_NETWORK_IP_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct ip_address {
	int family; /* AF_INET, AF_INET6; 0: none */
	uint8_t bytes[16];
};

struct ip_network {
	struct ip_address address; /* of a network, or of a host in it */
	uint8_t prefix_len;
};

#define IP_TEXT_SIZE 52 /* the longest address, a slash, three digits */

/* 0 or -EINVAL. An address in brackets is not taken. */
int ip_address_parse(const char *text, struct ip_address *ret_address);
void ip_address_format(const struct ip_address *address, char ret_text[IP_TEXT_SIZE]);

/* "10.1.0.0/16"; host bits are kept. 0 or -EINVAL. */
int ip_network_parse(const char *text, struct ip_network *ret_network);
void ip_network_format(const struct ip_network *network, char ret_text[IP_TEXT_SIZE]);

size_t ip_address_len(int family);
bool ip_address_equal(const struct ip_address *a, const struct ip_address *b);
bool ip_address_is_loopback(const struct ip_address *address);
bool ip_address_is_any(const struct ip_address *address);

/* The network that a host's address and prefix length lie in. */
struct ip_network ip_network_base(const struct ip_network *network);
bool ip_network_has(const struct ip_network *network, const struct ip_address *address);
bool ip_network_overlaps(const struct ip_network *a, const struct ip_network *b);
bool ip_network_contains(const struct ip_network *outer, const struct ip_network *inner);

/* How many addresses it has, at most INT64_MAX. */
int64_t ip_network_size(const struct ip_network *network);
struct ip_address ip_network_at(const struct ip_network *network, int64_t offset);
/* The offset of an address that ip_network_has(); -1 when it is too far away. */
int64_t ip_network_offset(const struct ip_network *network, const struct ip_address *address);

/* "02:42:ac:11:00:02". 0 or -EINVAL; group addresses are refused. */
int mac_parse(const char *text, uint8_t ret_mac[6]);
#define MAC_TEXT_SIZE 18
void mac_format(const uint8_t mac[6], char ret_text[MAC_TEXT_SIZE]);

#endif
