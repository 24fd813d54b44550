/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/endpoint_option.h"

#include <net/if.h>
#include <string.h>

#include "base/alloc.h"

#define OPTION_IFNAME "com.docker.network.endpoint.ifname"
#define OPTION_SYSCTLS "com.docker.network.endpoint.sysctls"

#define SYSCTL_PARTS 5 /* net.ipv4.conf.IFNAME.log_martians */
#define SYSCTL_VALUE_MAX 64

/* docker's: as 169.254.0.0/16 and fe80::/64 have them. */
#define LINK_LOCAL_PREFIX4 16
#define LINK_LOCAL_PREFIX6 64

int endpoint_link_local_check(const char *text, struct error *err)
{
	struct ip_address address;

	if (ip_address_parse(text, &address) < 0 || ip_address_is_any(&address) ||
	    ip_address_is_loopback(&address) ||
	    (address.family == AF_INET6 && address.bytes[0] == 0xff) ||
	    (address.family == AF_INET && address.bytes[0] >= 224))
		return err_set(err, ERR_INVALID, 0, "invalid link-local IP address: %s", text);
	return 0;
}

/* ---- driver options ---- */

static int set_interface(const char *name, struct endpoint_config *config, struct error *err)
{
	size_t len = strlen(name);

	if (len == 0 || len >= IFNAMSIZ || strpbrk(name, "/: \t\n%") || strcmp(name, ".") == 0 ||
	    strcmp(name, "..") == 0 || strcmp(name, "lo") == 0)
		return err_set(err, ERR_INVALID, 0, "invalid name of an interface: '%s'", name);
	free(config->interface);
	config->interface = xstrdup(name);
	return 0;
}

static bool is_word(const char *text)
{
	return *text && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(text);
}

static bool is_value(const char *text)
{
	size_t len = strlen(text);

	return len > 0 && len <= SYSCTL_VALUE_MAX &&
	       strspn(text,
		      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:- \t") ==
		       len;
}

/* net.FAMILY.KIND.IFNAME.KEY=VALUE as "FAMILY/KIND/KEY=VALUE"; NULL when it is something else. */
static char *parse_sysctl(const char *text)
{
	auto_(strv_release) struct strv parts = {0};
	const char *equals = strchr(text, '=');
	auto_free char *key = NULL;
	char *const *p;

	if (!equals || !is_value(equals + 1))
		return NULL;
	key = xstrndup(text, (size_t)(equals - text));
	strv_split(&parts, key, '.');
	p = parts.items;
	if (parts.count != SYSCTL_PARTS || strcmp(p[0], "net") != 0 ||
	    (strcmp(p[1], "ipv4") != 0 && strcmp(p[1], "ipv6") != 0 && strcmp(p[1], "mpls") != 0) ||
	    !is_word(p[2]) || strcmp(p[3], "IFNAME") != 0 || !is_word(p[4]))
		return NULL;
	return xasprintf("%s/%s/%s=%s", p[1], p[2], p[4], equals + 1);
}

static int parse_sysctls(const char *text, struct strv *ret_sysctls, struct error *err)
{
	auto_(strv_release) struct strv all = {0};

	strv_split(&all, text, ',');
	for (size_t i = 0; i < all.count; i++) {
		char *sysctl = parse_sysctl(all.items[i]);

		if (!sysctl)
			return err_set(err, ERR_INVALID, 0,
				       "invalid setting of an interface: '%s' (it is as "
				       "net.ipv4.conf.IFNAME.log_martians=1)",
				       all.items[i]);
		strv_add_take(ret_sysctls, sysctl);
	}
	return 0;
}

static int check_option(const char *option, struct endpoint_config *config, struct error *err)
{
	auto_(strv_release) struct strv ignored = {0};
	const char *equals = strchr(option, '=');
	auto_free char *key = NULL;

	if (!equals)
		return err_set(err, ERR_INVALID, 0, "invalid driver-opt '%s': must be KEY=VALUE",
			       option);
	key = xstrndup(option, (size_t)(equals - option));
	if (strcmp(key, OPTION_IFNAME) == 0)
		return set_interface(equals + 1, config, err);
	if (strcmp(key, OPTION_SYSCTLS) == 0)
		return parse_sysctls(equals + 1, &ignored, err);
	return err_set(err, ERR_INVALID, 0, "option %s of an endpoint is not supported", key);
}

int endpoint_driver_options_check(struct endpoint_config *config, struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < config->driver_options.count && r == 0; i++)
		r = check_option(config->driver_options.items[i], config, err);
	return r;
}

/* ---- for the plan ---- */

void endpoint_options_fill(const struct endpoint_config *config,
			   struct network_interface *interface)
{
	auto_(error_release) struct error ignored = {0};

	for (size_t i = 0; i < config->link_local_ips.count; i++) {
		const char *text = config->link_local_ips.items[i];

		strv_addf(&interface->more_addresses, "%s/%d", text,
			  strchr(text, ':') ? LINK_LOCAL_PREFIX6 : LINK_LOCAL_PREFIX4);
	}
	for (size_t i = 0; i < config->driver_options.count; i++) {
		const char *option = config->driver_options.items[i];

		if (strncmp(option, OPTION_SYSCTLS "=", strlen(OPTION_SYSCTLS "=")) == 0)
			(void)parse_sysctls(option + strlen(OPTION_SYSCTLS "="),
					    &interface->sysctls, &ignored);
	}
}
