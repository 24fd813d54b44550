/* SPDX-License-Identifier: Apache-2.0 */
#include "network/port_spec.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/parse.h"
#include "base/strbuf.h"
#include "network/plan.h"

#define SPEC_MAX_BYTES 256

/* "80" or "80-90"; `zero` allows 0. */
static int parse_range(const char *text, bool zero, uint16_t *ret_first, uint16_t *ret_last)
{
	const char *dash = strchr(text, '-');
	auto_free char *begin = xstrndup(text, dash ? (size_t)(dash - text) : strlen(text));
	uint32_t first, last;

	if (parse_u32(begin, &first) < 0)
		return -EINVAL;
	last = first;
	if (dash && parse_u32(dash + 1, &last) < 0)
		return -EINVAL;
	if (first > UINT16_MAX || last > UINT16_MAX || last < first || (first == 0 && !zero) ||
	    (first == 0 && last != 0))
		return -EINVAL;
	*ret_first = (uint16_t)first;
	*ret_last = (uint16_t)last;
	return 0;
}

/* Cuts "/udp" off. */
static int parse_protocol(char *text, const char *whole, struct port_spec *spec, struct error *err)
{
	char *slash = strrchr(text, '/');

	spec->protocol = IPPROTO_TCP;
	if (!slash)
		return 0;
	*slash = '\0';
	for (char *p = slash + 1; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	if (network_protocol_find(slash + 1, &spec->protocol) < 0)
		return err_set(err, ERR_INVALID, 0, "invalid proto: %s", strchr(whole, '/') + 1);
	return 0;
}

static int parse_container(const char *text, struct port_spec *spec, struct error *err)
{
	if (!*text)
		return err_set(err, ERR_INVALID, 0, "no port specified: %s<empty>", text);
	if (parse_range(text, /* zero= */ false, &spec->container_first, &spec->container_last) < 0)
		return err_set(err, ERR_INVALID, 0, "invalid containerPort: %s", text);
	return 0;
}

static int parse_host(char *text, struct port_spec *spec, struct error *err)
{
	char *colon = strrchr(text, ':');
	const char *port = colon ? colon + 1 : text;
	char *address = text;
	size_t len;

	if (*port && parse_range(port, /* zero= */ true, &spec->host_first, &spec->host_last) < 0)
		return err_set(err, ERR_INVALID, 0, "invalid hostPort: %s", port);
	if (!colon)
		return 0;
	*colon = '\0';
	len = strlen(address);
	if (len > 2 && address[0] == '[' && address[len - 1] == ']') {
		address[len - 1] = '\0';
		address++;
	} else if (strchr(address, ':')) {
		return err_set(err, ERR_INVALID, 0, "invalid IP address: %s", address);
	}
	if (*address && ip_address_parse(address, &spec->host) < 0)
		return err_set(err, ERR_INVALID, 0, "invalid IP address: %s", address);
	return 0;
}

static int check_ranges(const char *text, const struct port_spec *spec, struct error *err)
{
	unsigned int inside = spec->container_last - spec->container_first;
	unsigned int outside = spec->host_last - spec->host_first;

	if (spec->host_first && inside != outside && inside != 0)
		return err_set(err, ERR_INVALID, 0,
			       "invalid ranges specified for container and host Ports: %s", text);
	return 0;
}

int port_spec_parse(const char *text, struct port_spec *ret_spec, struct error *err)
{
	auto_free char *copy = xstrndup(text, SPEC_MAX_BYTES);
	struct port_spec spec = {0};
	char *colon;
	int r;

	if (strlen(text) > SPEC_MAX_BYTES)
		return err_set(err, ERR_INVALID, E2BIG, "a port specification is too long");
	r = parse_protocol(copy, text, &spec, err);
	if (r < 0)
		return r;
	colon = strrchr(copy, ':');
	r = parse_container(colon ? colon + 1 : copy, &spec, err);
	if (r == 0 && colon) {
		*colon = '\0';
		r = parse_host(copy, &spec, err);
	}
	if (r == 0)
		r = check_ranges(text, &spec, err);
	if (r == 0)
		*ret_spec = spec;
	return r;
}

int port_expose_parse(const char *text, struct port_spec *ret_spec, struct error *err)
{
	auto_free char *copy = xstrndup(text, SPEC_MAX_BYTES);
	struct port_spec spec = {0};
	int r;

	if (strlen(text) > SPEC_MAX_BYTES)
		return err_set(err, ERR_INVALID, E2BIG, "--expose: too long");
	if (strchr(text, ':'))
		return err_set(err, ERR_INVALID, 0, "invalid port format for --expose: %s", text);
	r = parse_protocol(copy, text, &spec, err);
	if (r == 0)
		r = parse_container(copy, &spec, err);
	if (r < 0)
		return err_set(err, ERR_INVALID, 0, "invalid range format for --expose: %s", text);
	*ret_spec = spec;
	return 0;
}

static void add_range(struct strbuf *text, uint16_t first, uint16_t last)
{
	strbuf_addf(text, "%u", first);
	if (last != first)
		strbuf_addf(text, "-%u", last);
}

char *port_spec_format(const struct port_spec *spec)
{
	struct strbuf text = {0};
	char address[IP_TEXT_SIZE];

	if (spec->host.family) {
		ip_address_format(&spec->host, address);
		strbuf_addf(&text, spec->host.family == AF_INET6 ? "[%s]:" : "%s:", address);
	}
	if (spec->host_first)
		add_range(&text, spec->host_first, spec->host_last);
	if (spec->host_first || spec->host.family)
		strbuf_addc(&text, ':');
	add_range(&text, spec->container_first, spec->container_last);
	strbuf_addf(&text, "/%s", network_protocol_name(spec->protocol));
	return strbuf_take(&text);
}
