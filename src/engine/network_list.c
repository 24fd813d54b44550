/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "engine/emit.h"
#include "engine/inspect_internal.h"
#include "engine/network.h"
#include "engine/network_internal.h"
#include "network/names.h"
#include "network/network_host.h"
#include "storage/store.h"

static void summary_release(struct network_summary *summary)
{
	free(summary->id);
	free(summary->name);
	free(summary->driver);
	strv_release(&summary->labels);
}

void network_list_release(struct network_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		summary_release(&list->items[i]);
	free(list->items);
	*list = (struct network_list){0};
}

/* ---- filters ---- */

static bool is_predefined(const char *name)
{
	return strcmp(name, "bridge") == 0 || strcmp(name, "host") == 0 ||
	       strcmp(name, "none") == 0;
}

static bool has_label(const struct strv *labels, const char *wanted)
{
	size_t len = strcspn(wanted, "=");

	for (size_t i = 0; i < labels->count; i++) {
		const char *label = labels->items[i];

		if (wanted[len] ? strcmp(label, wanted) == 0
				: strncmp(label, wanted, len) == 0 &&
					  (label[len] == '=' || label[len] == '\0'))
			return true;
	}
	return false;
}

static int is_used(struct store *store, const char *id, struct error *err)
{
	auto_(endpoint_records_release) struct endpoint_records records = {0};
	int r = endpoint_list(store, NULL, id, &records, err);

	return r < 0 ? r : records.count > 0;
}

/* 1 it matches, 0 not. */
static int match_one(struct store *store, const struct network_summary *s, const char *key,
		     const char *value, struct error *err)
{
	int r;

	if (strcmp(key, "name") == 0)
		return strstr(s->name, value) != NULL;
	if (strcmp(key, "id") == 0)
		return strncmp(s->id, value, strlen(value)) == 0;
	if (strcmp(key, "driver") == 0)
		return strcmp(s->driver, value) == 0;
	if (strcmp(key, "scope") == 0)
		return strcmp(value, "local") == 0;
	if (strcmp(key, "label") == 0)
		return has_label(&s->labels, value);
	if (strcmp(key, "type") == 0 &&
	    (strcmp(value, "custom") == 0 || strcmp(value, "builtin") == 0))
		return is_predefined(s->name) == (value[0] == 'b');
	if (strcmp(key, "dangling") == 0) {
		bool wanted = strcmp(value, "true") == 0 || strcmp(value, "1") == 0;

		r = is_used(store, s->id, err);
		return r < 0 ? r : (!is_predefined(s->name) && r == 0) == wanted;
	}
	return err_set(err, ERR_INVALID, 0, "invalid filter '%s=%s'", key, value);
}

/* Values of one key are alternatives, but labels, which must all be there; keys must all match. */
static int matches(struct store *store, const struct network_summary *s, const struct strv *filters,
		   struct error *err)
{
	for (size_t i = 0; i < filters->count; i++) {
		size_t len = strcspn(filters->items[i], "=");
		auto_free char *key = xstrndup(filters->items[i], len);
		bool any = false;

		if (!filters->items[i][len])
			return err_set(err, ERR_INVALID, 0, "invalid argument \"%s\" for filter",
				       filters->items[i]);
		for (size_t k = 0; k < filters->count && !any; k++) {
			int r;

			if (strncmp(filters->items[k], filters->items[i], len + 1) != 0 ||
			    (strcmp(key, "label") == 0 && k != i))
				continue;
			r = match_one(store, s, key, filters->items[k] + len + 1, err);
			if (r < 0)
				return r;
			any = r > 0;
		}
		if (!any)
			return 0;
	}
	return 1;
}

/* ---- list ---- */

static int fill(const struct network_record *record, struct network_summary *s, struct error *err)
{
	auto_(network_config_release) struct network_config config = {0};
	int r;

	r = network_config_parse(record->config, &config, err);
	if (r < 0)
		return r;
	*s = (struct network_summary){
		.id = xstrdup(record->id),
		.name = xstrdup(record->name),
		.driver = xstrdup(record->driver),
		.created_ns = record->created_ns,
		.internal = config.internal,
		.ipv4 = !config.no_ipv4,
		.ipv6 = config.ipv6,
	};
	strv_copy(&s->labels, &config.labels);
	return 0;
}

int network_list(struct engine *engine, const struct strv *filters, struct network_list *ret_list,
		 struct error *err)
{
	auto_(network_records_release) struct network_records records = {0};
	auto_(network_list_release) struct network_list list = {0};
	struct store *store;
	int r;

	r = engine_store(engine, &store, err);
	if (r >= 0)
		r = network_record_list(store, &records, err);
	if (r < 0)
		return r;
	list.items = xcalloc(records.count + 1, sizeof(*list.items));
	for (size_t i = 0; i < records.count; i++) {
		struct network_summary *s = &list.items[list.count];

		r = fill(&records.items[i], s, err);
		if (r < 0)
			return r;
		list.count++;
		r = matches(store, s, filters, err);
		if (r < 0)
			return r;
		if (r == 0) {
			summary_release(s);
			list.count--;
		}
	}
	*ret_list = list;
	list = (struct network_list){0};
	return 0;
}

/* ---- inspect ---- */

static void add_subnet(json_t *array, const struct network_config *config, int family)
{
	const char *range = family == AF_INET6 ? config->range6 : config->range4;
	const struct strv *aux = family == AF_INET6 ? &config->aux6 : &config->aux4;
	struct network_subnet subnet;
	char text[IP_TEXT_SIZE];
	json_t *o;

	if (!network_config_subnet(config, family, &subnet))
		return;
	o = json_object();
	ip_network_format(&subnet.subnet, text);
	inspect_set_text(o, "Subnet", text);
	if (range)
		inspect_set_text(o, "IPRange", range);
	ip_address_format(&subnet.gateway, text);
	if (*text)
		inspect_set_text(o, "Gateway", text);
	if (aux->count)
		inspect_set(o, "AuxiliaryAddresses", inspect_map(aux));
	(void)json_array_append_new(array, o);
}

static json_t *inspect_ipam(const struct network_config *config)
{
	json_t *subnets = json_array();
	json_t *o = json_object();

	add_subnet(subnets, config, AF_INET);
	add_subnet(subnets, config, AF_INET6);
	inspect_set_text(o, "Driver", "default");
	inspect_set(o, "Options", json_null());
	inspect_set(o, "Config", subnets);
	return o;
}

static void set_network(json_t *o, const char *key, const struct ip_network *network)
{
	char text[IP_TEXT_SIZE] = "";

	if (network->address.family)
		ip_network_format(network, text);
	inspect_set_text(o, key, text);
}

/* Only those that run, as docker: it gives others no address. */
static int add_member(struct engine *engine, const struct network *network, const char *id,
		      json_t *members, struct error *err)
{
	auto_(container_release) struct container c = CONTAINER_EMPTY;
	auto_(container_view_release) struct container_view view = {0};
	auto_(endpoint_set_release) struct endpoint_set set = {0};
	int r;

	r = container_open(engine, id, &c, err);
	if (r >= 0)
		r = container_look(&c, &view, err);
	if (r >= 0)
		r = endpoint_set_load(engine, id, &set, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < set.count && container_view_is_alive(&view); i++) {
		const struct endpoint *e = &set.items[i];
		char mac[MAC_TEXT_SIZE];
		json_t *o;

		if (strcmp(e->network.record.id, network->record.id) != 0)
			continue;
		o = json_object();
		mac_format(e->mac, mac);
		inspect_set_text(o, "Name", c.record.name);
		inspect_set_text(o, "EndpointID", c.record.id);
		inspect_set_text(o, "MacAddress", mac);
		set_network(o, "IPv4Address", &e->address4);
		set_network(o, "IPv6Address", &e->address6);
		inspect_set(members, c.record.id, o);
	}
	return 0;
}

static int inspect_members(struct engine *engine, const struct network *network, json_t *members,
			   struct error *err)
{
	auto_(endpoint_records_release) struct endpoint_records records = {0};
	struct store *store;
	int r;

	r = engine_store(engine, &store, err);
	if (r >= 0)
		r = endpoint_list(store, NULL, network->record.id, &records, err);
	for (size_t i = 0; r >= 0 && i < records.count; i++) {
		r = add_member(engine, network, records.items[i].container, members, err);
		if (r < 0 && err->kind == ERR_NOT_FOUND) {
			error_release(err); /* removed while we looked */
			r = 0;
		}
	}
	return r < 0 ? r : 0;
}

int network_inspect(struct engine *engine, const char *selector, json_t **ret_object,
		    struct error *err)
{
	auto_(network_release) struct network network = {0};
	auto_(json_decref) json_t *members = json_object();
	const struct network_config *c = &network.config;
	char created[CLOCK_TEXT_SIZE];
	json_t *o;
	int r;

	r = network_open(engine, selector, &network, err);
	if (r >= 0)
		r = inspect_members(engine, &network, members, err);
	if (r < 0)
		return r;
	o = json_object();
	clock_format(network.record.created_ns, created);
	inspect_set_text(o, "Name", network.record.name);
	inspect_set_text(o, "Id", network.record.id);
	inspect_set_text(o, "Created", created);
	inspect_set_text(o, "Scope", "local");
	inspect_set_text(o, "Driver", network.record.driver);
	inspect_set_bool(o, "EnableIPv4", !c->no_ipv4);
	inspect_set_bool(o, "EnableIPv6", c->ipv6);
	inspect_set(o, "IPAM", inspect_ipam(c));
	inspect_set_bool(o, "Internal", c->internal);
	inspect_set_bool(o, "Attachable", c->attachable);
	inspect_set_bool(o, "Ingress", false);
	inspect_set(o, "ConfigFrom", json_pack("{s:s}", "Network", ""));
	inspect_set_bool(o, "ConfigOnly", false);
	inspect_set(o, "Containers", TAKE_PTR(members));
	inspect_set(o, "Options", inspect_map(&c->options));
	inspect_set(o, "Labels", inspect_map(&c->labels));
	*ret_object = o;
	return 0;
}

/* ---- remove ---- */

static int refuse_used(struct engine *engine, struct store *store, const struct network *network,
		       struct error *err)
{
	auto_(container_release) struct container c = CONTAINER_EMPTY;
	auto_(endpoint_records_release) struct endpoint_records records = {0};
	int r;

	r = endpoint_list(store, NULL, network->record.id, &records, err);
	if (r < 0 || records.count == 0)
		return r < 0 ? r : 0;
	r = container_open(engine, records.items[0].container, &c, err);
	if (r < 0)
		return r;
	return err_set(err, ERR_CONFLICT, EBUSY,
		       "error while removing network: network %s has active endpoints (name:\"%s\" "
		       "id:\"%.12s\"%s)",
		       network->record.name, c.record.name, c.record.id,
		       records.count > 1 ? ", …" : "");
}

/* The record first: from then on no container can be put into it. */
static int remove_network(struct engine *engine, const struct network *network, struct error *err)
{
	struct network_link link;
	struct store *store;
	int r;

	r = engine_store(engine, &store, err);
	if (r < 0)
		return r;
	network_config_link(&network->record, &network->config, &link);
	r = network_record_delete(store, network->record.id, err);
	if (r == -EBUSY || (r < 0 && err->kind == ERR_CONFLICT)) {
		error_release(err);
		r = refuse_used(engine, store, network, err);
		if (r == 0)
			r = err_set(err, ERR_CONFLICT, EBUSY, "network %s is in use",
				    network->record.name);
	}
	if (r < 0)
		return r;
	r = engine_state_fd(engine, err);
	if (r < 0)
		return r;
	names_forget(r, network->record.id);
	emit_network(engine, &network->record, "destroy", NULL);
	return network_host_remove(&link, err);
}

int network_remove(struct engine *engine, const char *selector, struct error *err)
{
	auto_(network_release) struct network network = {0};
	int r;

	r = network_open(engine, selector, &network, err);
	if (r < 0)
		return r;
	if (network_is_predefined(&network))
		return err_set(err, ERR_DENIED, 0,
			       "%s is a pre-defined network and cannot be removed",
			       network.record.name);
	return remove_network(engine, &network, err);
}

int network_prune(struct engine *engine, const struct strv *filters, struct strv *ret_names,
		  struct error *err)
{
	auto_(network_list_release) struct network_list list = {0};
	int r;

	r = network_list(engine, filters, &list, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < list.count; i++) {
		if (is_predefined(list.items[i].name))
			continue;
		r = network_remove(engine, list.items[i].id, err);
		if (r == 0)
			strv_add(ret_names, list.items[i].name);
		/* In use, or removed by somebody else meanwhile: not ours to prune. */
		else if (err->kind != ERR_CONFLICT && err->kind != ERR_NOT_FOUND)
			return r;
		error_release(err);
	}
	emit_prune(engine, "network", 0);
	return 0;
}
