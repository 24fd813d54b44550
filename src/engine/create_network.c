/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "engine/container_link.h"
#include "engine/create_internal.h"
#include "engine/endpoint_option.h"
#include "engine/network_internal.h"
#include "engine/network_publish.h"
#include "engine/network_spec.h"
#include "engine/settings.h"
#include "network/port_spec.h"

/* ---- which networks ---- */

struct spec_list {
	struct network_spec *items;
	size_t count;
};

static void spec_list_release(struct spec_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		network_spec_release(&list->items[i]);
	free(list->items);
	*list = (struct spec_list){0};
}

DEFINE_CLEANUP_VALUE(struct spec_list, spec_list_release);

static bool is_container(const char *name)
{
	return strncmp(name, "container:", 10) == 0;
}

/* Networks that are no network of their own. */
static bool is_mode(const char *name)
{
	return strcmp(name, "none") == 0 || strcmp(name, "host") == 0 || is_container(name);
}

static int parse_specs(const struct create_request *q, struct spec_list *list, struct error *err)
{
	const char *name;
	int r = 0;

	list->items = xcalloc(q->networks.count + 1, sizeof(*list->items));
	for (size_t i = 0; i < q->networks.count && r == 0; i++) {
		r = network_spec_parse(q->networks.items[i], &list->items[list->count], err);
		if (r == 0)
			list->count++;
	}
	if (r < 0 || list->count)
		return r;
	r = settings_network(&name, err);
	if (r < 0)
		return r;
	list->items[list->count++].name = xstrdup(name);
	return 0;
}

/* docker's word for its default. */
static void rename_default(struct spec_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->items[i].name, "default") != 0)
			continue;
		free(list->items[i].name);
		list->items[i].name = xstrdup("bridge");
	}
}

static int check_specs(const struct spec_list *list, struct error *err)
{
	for (size_t i = 0; i < list->count && list->count > 1; i++)
		if (is_mode(list->items[i].name))
			return err_set(err, ERR_INVALID, 0,
				       "conflicting options: cannot attach both user-defined and "
				       "non-user-defined network-modes");
	for (size_t i = 1; i < list->count; i++)
		for (size_t k = 0; k < i; k++)
			if (strcmp(list->items[i].name, list->items[k].name) == 0)
				return err_set(err, ERR_INVALID, 0,
					       "network \"%s\" is specified multiple times",
					       list->items[i].name);
	return 0;
}

static int take_text(char **field, const char *value, const char *option, struct error *err)
{
	if (!value || !*value)
		return 0;
	if (*field)
		return err_set(err, ERR_INVALID, 0,
			       "conflicting options: cannot specify both --%s and per-network "
			       "%s",
			       option, option);
	*field = xstrdup(value);
	return 0;
}

static int check_links(const struct strv *links, struct error *err)
{
	for (size_t i = 0; i < links->count; i++) {
		auto_free char *name = NULL, *alias = NULL;
		int r = container_link_parse(links->items[i], &name, &alias, err);

		if (r < 0)
			return r;
	}
	return 0;
}

/* --ip and its like are the first network's. */
static int apply_general(const struct create_request *q, struct network_spec *first,
			 struct error *err)
{
	struct endpoint_config *endpoint = &first->endpoint;
	int r;

	r = take_text(&endpoint->ip, q->ip, "ip", err);
	if (r == 0)
		r = take_text(&endpoint->ip6, q->ip6, "ip6", err);
	if (r == 0)
		r = take_text(&endpoint->mac, q->mac_address, "mac-address", err);
	if (r == 0 && endpoint->ip)
		r = network_spec_check_ip(endpoint->ip, AF_INET, err);
	if (r == 0 && endpoint->ip6)
		r = network_spec_check_ip(endpoint->ip6, AF_INET6, err);
	if (r == 0 && endpoint->mac)
		r = network_spec_check_mac(endpoint->mac, err);
	if (r == 0)
		r = check_links(&q->links, err);
	strv_add_all(&endpoint->aliases, &q->network_aliases);
	strv_add_all(&endpoint->links, &q->links);
	strv_add_all(&endpoint->link_local_ips, &q->link_local_ips);
	return r;
}

/* What only a network of one's own has. */
static int refuse_for_mode(const struct network_spec *spec, struct error *err)
{
	const struct endpoint_config *endpoint = &spec->endpoint;

	if (is_container(spec->name) && endpoint->mac)
		return err_set(err, ERR_INVALID, 0,
			       "conflicting options: mac-address and the network mode");
	if (endpoint->links.count)
		return err_set(err, ERR_INVALID, 0,
			       "conflicting options: %s type networking can't be used with links",
			       is_container(spec->name) ? "container" : spec->name);
	if (endpoint->ip || endpoint->ip6 || endpoint->aliases.count ||
	    endpoint->link_local_ips.count || endpoint->driver_options.count)
		return err_set(err, ERR_INVALID, 0,
			       "%s only with a network of the container's own, not with '%s'",
			       endpoint->aliases.count ? "network-scoped aliases are supported"
			       : endpoint->driver_options.count
				       ? "options of an endpoint are supported"
				       : "an IP address can be chosen",
			       spec->name);
	return 0;
}

int network_check_endpoint(const struct network *network, const struct endpoint_config *config,
			   struct error *err)
{
	if (strcmp(network->record.name, "bridge") != 0)
		return 0;
	if (config->ip || config->ip6)
		return err_set(err, ERR_INVALID, 0,
			       "user specified IP address is supported on user defined networks "
			       "only");
	if (config->aliases.count)
		return err_set(err, ERR_INVALID, 0,
			       "network-scoped alias is supported only for containers in user "
			       "defined networks");
	return 0;
}

/* Those on the predefined bridge are the container's; those in a user's network are its place's there. */
static int set_links(struct engine *engine, const struct network *network,
		     struct endpoint_config *endpoint, struct container_config *c,
		     struct error *err)
{
	auto_(strv_release) struct strv links = endpoint->links;

	endpoint->links = (struct strv){0};
	return network_is_predefined(network)
		       ? container_links_resolve(engine, &links, &c->links, err)
		       : container_links_check(&links, &endpoint->links, err);
}

/* Each of the container's interfaces has its own name. */
static int refuse_same_interface(const struct spec_list *list, struct error *err)
{
	for (size_t i = 0; i < list->count; i++) {
		const char *name = list->items[i].endpoint.interface;
		auto_free char *usual = NULL;

		for (size_t k = 0; name && k < list->count; k++) {
			const char *other = list->items[k].endpoint.interface;

			free(usual);
			usual = xasprintf("eth%zu", k);
			if (k != i && strcmp(name, other ? other : usual) == 0)
				return err_set(err, ERR_CONFLICT, 0,
					       "two interfaces of the container would be called "
					       "'%s'",
					       name);
		}
	}
	return 0;
}

static int check_options(struct spec_list *list, struct error *err)
{
	for (size_t i = 0; i < list->count; i++) {
		struct endpoint_config *endpoint = &list->items[i].endpoint;
		int r = endpoint_driver_options_check(endpoint, err);

		for (size_t k = 0; k < endpoint->link_local_ips.count && r == 0; k++)
			r = endpoint_link_local_check(endpoint->link_local_ips.items[k], err);
		if (r < 0)
			return r;
	}
	return refuse_same_interface(list, err);
}

static int connect_to(struct engine *engine, const char *id, struct container_config *c,
		      struct network_spec *spec, struct endpoint_requests *requests,
		      struct error *err)
{
	auto_(network_release) struct network network = {0};
	int r;

	r = network_open(engine, spec->name, &network, err);
	if (r == 0)
		r = network_check_endpoint(&network, &spec->endpoint, err);
	if (r == 0)
		r = set_links(engine, &network, &spec->endpoint, c, err);
	if (r < 0)
		return r;
	return endpoint_request_add(requests, &network, id, &spec->endpoint, err);
}

static int set_mode(struct engine *engine, const struct network_spec *spec,
		    struct container_config *c, struct error *err)
{
	char id[65];
	int r;

	r = refuse_for_mode(spec, err);
	if (r < 0)
		return r;
	if (!is_container(spec->name)) {
		c->network_mode = xstrdup(spec->name);
		return 0;
	}
	if (!spec->name[10])
		return err_set(err, ERR_INVALID, 0, "invalid mode '%s': it names no container",
			       spec->name);
	r = container_resolve(engine, spec->name + 10, id, err);
	if (r == 0)
		c->network_mode = xasprintf("container:%s", id);
	return r;
}

/* ---- ports ---- */

static int set_exposed(const struct create_request *q, struct container_config *c,
		       struct error *err)
{
	struct port_spec spec;
	int r;

	for (size_t i = 0; i < q->expose.count; i++) {
		r = port_expose_parse(q->expose.items[i], &spec, err);
		if (r < 0)
			return r;
		network_expose(c, &spec);
	}
	return 0;
}

static int set_published(const struct create_request *q, struct container_config *c,
			 struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < q->publish.count && r == 0; i++)
		r = network_publish_add(c, q->publish.items[i], err);
	c->publish_all = q->publish_all;
	return r;
}

static int set_ports(const struct create_request *q, struct container_config *c, struct error *err)
{
	int r;

	if (is_container(c->network_mode) && (q->publish.count || q->publish_all))
		return err_set(err, ERR_INVALID, 0,
			       "conflicting options: port publishing and the container type "
			       "network mode");
	if (is_container(c->network_mode) && q->expose.count)
		return err_set(err, ERR_INVALID, 0,
			       "conflicting options: port exposing and the container type network "
			       "mode");
	r = set_exposed(q, c, err);
	return r < 0 ? r : set_published(q, c, err);
}

int create_network(struct engine *engine, const struct create_request *q, const char *id,
		   struct container_config *c, struct endpoint_requests *ret_requests,
		   struct error *err)
{
	auto_(spec_list_release) struct spec_list specs = {0};
	int r;

	r = parse_specs(q, &specs, err);
	if (r < 0)
		return r;
	rename_default(&specs);
	r = check_specs(&specs, err);
	if (r == 0)
		r = apply_general(q, &specs.items[0], err);
	if (r == 0)
		r = check_options(&specs, err);
	if (r < 0)
		return r;
	if (is_mode(specs.items[0].name)) {
		r = set_mode(engine, &specs.items[0], c, err);
	} else {
		for (size_t i = 0; i < specs.count && r == 0; i++) {
			specs.items[i].endpoint.position = (int64_t)i;
			r = connect_to(engine, id, c, &specs.items[i], ret_requests, err);
		}
		if (r == 0)
			c->network_mode = xstrdup(specs.items[0].name);
	}
	return r < 0 ? r : set_ports(q, c, err);
}
