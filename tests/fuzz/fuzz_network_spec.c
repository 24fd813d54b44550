/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_network_spec.c - -p, --expose, --network, addresses; the first byte chooses */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "engine/network_ports.h"
#include "engine/network_spec.h"
#include "network/plan.h"
#include "network/port_spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_port(const char *text)
{
	auto_(error_release) struct error err = {0};
	auto_free char *whole = NULL;
	auto_free char *again = NULL;
	struct port_spec spec, second;

	if (port_spec_parse(text, &spec, &err) < 0) {
		if (err.kind != ERR_INVALID)
			abort();
		return;
	}
	if (!spec.container_first || spec.container_last < spec.container_first ||
	    spec.host_last < spec.host_first)
		abort();
	whole = port_spec_format(&spec);
	if (port_spec_parse(whole, &second, &err) < 0)
		abort();
	again = port_spec_format(&second);
	if (strcmp(whole, again) != 0)
		abort();
}

static void try_expose(const char *text)
{
	auto_(error_release) struct error err = {0};
	struct port_spec spec;

	if (port_expose_parse(text, &spec, &err) >= 0 &&
	    (!spec.container_first || spec.host_first || spec.host.family))
		abort();
}

static void try_network(const char *text)
{
	auto_(network_spec_release) struct network_spec spec = {0};
	auto_(error_release) struct error err = {0};

	if (network_spec_parse(text, &spec, &err) >= 0 && !*spec.name)
		abort();
}

static void try_row(const char *text)
{
	auto_(network_plan_release) struct network_plan plan = {0};

	if (network_ports_parse(text, &plan) < 0)
		return;
	for (size_t i = 0; i < plan.port_count; i++)
		if (!plan.ports[i].host_port || !plan.ports[i].count ||
		    plan.ports[i].container_port + plan.ports[i].count - 1 > UINT16_MAX)
			abort();
}

static void try_plan(const char *text)
{
	auto_(network_plan_release) struct network_plan plan = {0};
	auto_(error_release) struct error err = {0};
	auto_(json_decref) json_t *object = json_loads(text, 0, NULL);
	auto_(json_decref) json_t *again = NULL;

	if (!object || network_plan_parse(object, &plan, &err) < 0)
		return;
	again = network_plan_format(&plan);
	network_plan_release(&plan);
	if (network_plan_parse(again, &plan, &err) < 0)
		abort();
}

static void try_addresses(const char *text)
{
	struct ip_network network, again;
	char formatted[IP_TEXT_SIZE];
	uint8_t mac[6];

	(void)mac_parse(text, mac);
	if (ip_network_parse(text, &network) < 0)
		return;
	ip_network_format(&network, formatted);
	if (ip_network_parse(formatted, &again) < 0 ||
	    !ip_address_equal(&network.address, &again.address) ||
	    !ip_network_contains(&network, &again))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *text = size ? xstrndup((const char *)data + 1, size - 1) : xstrdup("");

	switch (size ? data[0] % 6 : 0) {
	case 0:
		try_port(text);
		break;
	case 1:
		try_expose(text);
		break;
	case 2:
		try_network(text);
		break;
	case 3:
		try_row(text);
		break;
	case 4:
		try_plan(text);
		break;
	case 5:
		try_addresses(text);
		break;
	}
	return 0;
}
