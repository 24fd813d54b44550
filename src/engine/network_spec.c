/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/network_spec.h"

#include <string.h>

#include "base/alloc.h"
#include "base/csv.h"
#include "base/parse.h"

#define SPEC_MAX_BYTES 65536

void network_spec_release(struct network_spec *spec)
{
	free(spec->name);
	endpoint_config_release(&spec->endpoint);
	*spec = (struct network_spec){0};
}

int network_spec_check_ip(const char *text, int family, struct error *err)
{
	struct ip_address address;

	if (ip_address_parse(text, &address) < 0 || address.family != family ||
	    ip_address_is_any(&address) || ip_address_is_loopback(&address))
		return err_set(err, ERR_INVALID, 0, "invalid %s address: %s",
			       family == AF_INET6 ? "IPv6" : "IPv4", text);
	return 0;
}

int network_spec_check_mac(const char *text, struct error *err)
{
	uint8_t mac[6];

	if (mac_parse(text, mac) < 0)
		return err_set(err, ERR_INVALID, 0, "%s is not a valid mac address", text);
	return 0;
}

static int set_once(char **field, const char *value)
{
	free(*field);
	*field = xstrdup(value);
	return 0;
}

static int set_address(char **field, const char *value, int family, struct error *err)
{
	int r = network_spec_check_ip(value, family, err);

	return r < 0 ? r : set_once(field, value);
}

static int set_field(const char *key, const char *value, struct network_spec *spec,
		     struct error *err)
{
	struct endpoint_config *endpoint = &spec->endpoint;
	int64_t priority;
	int r;

	if (strcmp(key, "name") == 0)
		return set_once(&spec->name, value);
	if (strcmp(key, "alias") == 0) {
		strv_add(&endpoint->aliases, value);
		return 0;
	}
	if (strcmp(key, "link-local-ip") == 0) {
		strv_add(&endpoint->link_local_ips, value);
		return 0;
	}
	if (strcmp(key, "driver-opt") == 0) {
		strv_add(&endpoint->driver_options, value);
		return 0;
	}
	if (strcmp(key, "ip") == 0)
		return set_address(&endpoint->ip, value, AF_INET, err);
	if (strcmp(key, "ip6") == 0)
		return set_address(&endpoint->ip6, value, AF_INET6, err);
	if (strcmp(key, "mac-address") == 0) {
		r = network_spec_check_mac(value, err);
		return r < 0 ? r : set_once(&endpoint->mac, value);
	}
	if (strcmp(key, "gw-priority") == 0) {
		if (parse_i64(value, &priority) < 0)
			return err_set(err, ERR_INVALID, 0, "invalid gw-priority: %s", value);
		endpoint->gateway_priority = priority;
		return 0;
	}
	return err_set(err, ERR_INVALID, 0, "invalid field key %s", key);
}

static int parse_fields(const char *text, struct network_spec *spec, struct error *err)
{
	auto_(strv_release) struct strv fields = {0};
	const char *problem;
	size_t column;
	int r;

	r = csv_split(text, &fields, &problem, &column);
	if (r < 0)
		return err_set(err, ERR_INVALID, 0, "invalid network '%s': %s", text, problem);
	for (size_t i = 0; i < fields.count && r == 0; i++) {
		char *field = fields.items[i];
		char *equals = strchr(field, '=');

		if (!equals || equals == field)
			return err_set(err, ERR_INVALID, 0, "invalid field %s: must be key=value",
				       field);
		*equals = '\0';
		r = set_field(field, equals + 1, spec, err);
	}
	return r;
}

int network_spec_parse(const char *text, struct network_spec *ret_spec, struct error *err)
{
	auto_(network_spec_release) struct network_spec spec = {0};
	int r;

	if (strlen(text) > SPEC_MAX_BYTES)
		return err_set(err, ERR_INVALID, E2BIG, "--network is too long");
	if (!strchr(text, '=')) {
		spec.name = xstrdup(text);
	} else {
		r = parse_fields(text, &spec, err);
		if (r < 0)
			return r;
	}
	if (!spec.name || !*spec.name)
		return err_set(err, ERR_INVALID, 0, "network name is not specified: '%s'", text);
	*ret_spec = spec;
	spec = (struct network_spec){0};
	return 0;
}
