/* SPDX-License-Identifier: Apache-2.0 */
#include "network/dns_redirect.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "network/firewall.h"
#include "sys/nftables.h"

#define PRIORITY_DSTNAT (-100)
#define IPV4_DADDR 16
#define DPORT 2
#define RECEIVE_BYTES (1 << 20)
#define BACKLOG 64

static int open_socket(int type, uint16_t *ret_port)
{
	struct sockaddr_in name = {.sin_family = AF_INET};
	auto_close int sock = NO_FD;
	socklen_t len = sizeof(name);

	(void)inet_pton(AF_INET, DNS_ADDRESS, &name.sin_addr);
	sock = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (sock < 0 || bind(sock, (struct sockaddr *)&name, sizeof(name)) < 0 ||
	    (type == SOCK_STREAM && listen(sock, BACKLOG) < 0) ||
	    getsockname(sock, (struct sockaddr *)&name, &len) < 0)
		return -errno;
	/* What a few hundred clients ask at once has room; the host's net.core.rmem_max still decides. */
	if (type == SOCK_DGRAM)
		(void)setsockopt(sock, SOL_SOCKET, SO_RCVBUF, &(int){RECEIVE_BYTES}, sizeof(int));
	*ret_port = ntohs(name.sin_port);
	return TAKE_FD(sock);
}

static void put_redirect(struct netlink_batch *batch, uint8_t protocol, uint16_t port)
{
	const uint16_t dns_be = htons(53), port_be = htons(port);
	const uint8_t family = NFPROTO_IPV4;
	struct in_addr address;
	struct nft_rule rule;

	(void)inet_pton(AF_INET, DNS_ADDRESS, &address);
	nft_rule_begin(&rule, batch, FIREWALL_TABLE, "output");
	nft_put_meta(&rule, NFT_META_NFPROTO, NFT_REG32_00);
	nft_put_cmp(&rule, NFT_CMP_EQ, NFT_REG32_00, &family, sizeof(family));
	nft_put_payload(&rule, NFT_PAYLOAD_NETWORK_HEADER, IPV4_DADDR, sizeof(address),
			NFT_REG32_00);
	nft_put_cmp(&rule, NFT_CMP_EQ, NFT_REG32_00, &address, sizeof(address));
	nft_put_meta(&rule, NFT_META_L4PROTO, NFT_REG32_00);
	nft_put_cmp(&rule, NFT_CMP_EQ, NFT_REG32_00, &protocol, sizeof(protocol));
	nft_put_payload(&rule, NFT_PAYLOAD_TRANSPORT_HEADER, DPORT, sizeof(dns_be), NFT_REG32_00);
	nft_put_cmp(&rule, NFT_CMP_EQ, NFT_REG32_00, &dns_be, sizeof(dns_be));
	nft_put_value(&rule, NFT_REG32_00, &address, sizeof(address));
	nft_put_value(&rule, NFT_REG32_01, &port_be, sizeof(port_be));
	nft_put_dnat(&rule, AF_INET, NFT_REG32_00, NFT_REG32_01);
	nft_rule_end(&rule);
}

static int make_rules(uint16_t udp_port, uint16_t tcp_port)
{
	const struct nft_chain output = {"output", "nat", NF_INET_LOCAL_OUT, PRIORITY_DSTNAT};
	auto_(netlink_batch_release) struct netlink_batch batch = {0};
	auto_close int sock = netlink_open(NETLINK_NETFILTER);

	if (sock < 0)
		return sock;
	nft_begin(&batch);
	nft_put_table(&batch, FIREWALL_TABLE);
	nft_put_chain(&batch, FIREWALL_TABLE, &output);
	put_redirect(&batch, IPPROTO_UDP, udp_port);
	put_redirect(&batch, IPPROTO_TCP, tcp_port);
	nft_end(&batch);
	return netlink_send(sock, &batch, NULL);
}

static int open_inside(int *ret_udp_fd, int *ret_tcp_fd)
{
	auto_close int udp_fd = NO_FD;
	auto_close int tcp_fd = NO_FD;
	uint16_t udp_port = 0, tcp_port = 0;
	int r;

	udp_fd = open_socket(SOCK_DGRAM, &udp_port);
	if (udp_fd < 0)
		return udp_fd;
	tcp_fd = open_socket(SOCK_STREAM, &tcp_port);
	if (tcp_fd < 0)
		return tcp_fd;
	r = make_rules(udp_port, tcp_port);
	if (r < 0)
		return r;
	*ret_udp_fd = TAKE_FD(udp_fd);
	*ret_tcp_fd = TAKE_FD(tcp_fd);
	return 0;
}

int dns_redirect_open(int netns_fd, int *ret_udp_fd, int *ret_tcp_fd, struct error *err)
{
	auto_close int home_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int r;

	if (home_fd < 0)
		return err_set(err, ERR_SYSTEM, errno, "open our network namespace");
	if (setns(netns_fd, CLONE_NEWNET) < 0)
		return err_set(err, ERR_SYSTEM, errno, "enter the container's network namespace");
	r = open_inside(ret_udp_fd, ret_tcp_fd);
	/* Staying there would make everything that follows act on the wrong network. */
	if (setns(home_fd, CLONE_NEWNET) < 0)
		abort();
	return r < 0 ? err_set(err, ERR_SYSTEM, -r, "make the container's resolver") : 0;
}
