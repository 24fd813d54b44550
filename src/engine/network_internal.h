/* SPDX-License-Identifier: Apache-2.0 */
/*
 * network_internal.h - networks, as the use cases see them
 */
#ifndef SKIFF_ENGINE_NETWORK_INTERNAL_H
#define SKIFF_ENGINE_NETWORK_INTERNAL_H

#include "base/error.h"
#include "engine/container_config.h"
#include "engine/engine.h"
#include "engine/network_config.h"
#include "storage/network_record.h"

struct container;
struct create_request;
struct launch;

struct network {
	struct network_record record;
	struct network_config config;
	bool is_changed; /* the configuration asks for other subnets than the record has */
};

void network_release(struct network *network);

/* By name or id; a predefined bridge gets its link and subnet now if it has none yet. */
int network_open(struct engine *engine, const char *selector, struct network *ret_network,
		 struct error *err);

bool network_is_predefined(const struct network *network);

/*
 * A link name and subnets that nothing on this host and no other network of ours uses, for what
 * `config` leaves open.
 */
int network_choose(struct engine *engine, const char *id, bool predefined,
		   struct network_config *config, struct error *err);

/* Its subnet of this family becomes this one, with the first address for the bridge. */
void network_config_set_subnet6(struct network_config *config, const struct ip_network *subnet);

/* ERR_CONFLICT when another network of ours (than `id`) has some of its subnet. */
int network_refuse_overlap(struct engine *engine, const char *id,
			   const struct network_config *config, int family, struct error *err);

/*
 * Before a start: a predefined bridge is not there while nothing runs on it, and somebody else may have taken
 * its name or its subnet meanwhile; then it gets others. 1 when it did: what was read of it is outdated.
 * Whoever takes them between this and the container's monitor makes the start fail with ERR_CONFLICT.
 */
int network_settle(struct engine *engine, const struct network *network, struct error *err);

/* ---- endpoints of containers ---- */

/* What create asks the store for: one per --network; freed with endpoint_requests_release(). */
struct endpoint_requests {
	struct endpoint_request *items;
	size_t count;
};

void endpoint_requests_release(struct endpoint_requests *requests);

/* `config` and `network` go over; wishes in it are checked. */
int endpoint_request_add(struct endpoint_requests *requests, const struct network *network,
			 const char *container_id, struct endpoint_config *config,
			 struct error *err);

/* An endpoint with everything that is known about it. */
struct endpoint {
	struct network network;
	struct endpoint_config config;
	struct ip_network address4, address6; /* family 0: none */
	uint8_t mac[6];
};

struct endpoint_set {
	struct endpoint *items; /* in the order of their positions */
	size_t count;
};

void endpoint_set_release(struct endpoint_set *set);
int endpoint_set_load(struct engine *engine, const char *container_id, struct endpoint_set *ret_set,
		      struct error *err);

/* Only its last part: interfaces, routes, names and where ports lead to. */
void network_plan_fill(const struct container *container, const struct endpoint_set *set,
		       struct network_plan *plan);

/* By these names other containers of a user's network find it; none in a predefined network. */
void endpoint_names(const struct container *container, const struct endpoint *endpoint,
		    struct strv *ret_names);
void endpoint_release(struct endpoint *endpoint);

/* ERR_INVALID when the network cannot give what the endpoint wishes for. */
int network_check_endpoint(const struct network *network, const struct endpoint_config *config,
			   struct error *err);

/* Tells the resolvers of a running container's networks what has changed. */
int container_names_change(const struct container *container, const struct network_plan *before,
			   const struct network_plan *after, struct error *err);

/*
 * After a container was renamed: others find it by its new name from now on. `container` has the new
 * one already; the caller holds its lock. One that does not run has nothing to be told.
 */
int container_names_follow(struct container *container, struct error *err);

/* Its monitor reads the plan anew; an orphan's is gone, and with it its resolver. */
void container_network_tell(const struct container *container);

/* The plan of a container's network, with ports chosen and reserved; nothing in it without endpoints. */
int network_plan_build(const struct container *container, const struct endpoint_set *set,
		       struct network_plan *ret_plan, struct error *err);

/* launch.json of a container, and the plan in it; an empty one where there is none. */
int network_plan_load(const struct container *container, struct launch *ret_launch,
		      struct network_plan *ret_plan, struct error *err);

/* Writes it with another plan: by it the monitor takes everything down in the end. */
int network_plan_save(const struct container *container, struct launch *launch,
		      const struct network_plan *plan, struct error *err);

/* Whether ports lead to the same addresses. */
bool network_plan_same_targets(const struct network_plan *a, const struct network_plan *b);

/*
 * launch.json of a running container with the plan that its endpoints ask for; ports stay as they
 * were, but are taken back when they are to lead elsewhere: the caller publishes them again.
 */
int network_plan_replace(const struct container *container, const struct endpoint_set *set,
			 struct network_plan *ret_before, struct network_plan *ret_after,
			 struct error *err);

/* Where published ports lead to: the container's addresses in the network that it leaves by. */
void network_plan_set_targets(const struct endpoint_set *set, struct network_plan *plan);

/* ---- create ---- */

/* Fills the record's network members; what is to be connected goes to *ret_requests. */
int create_network(struct engine *engine, const struct create_request *request, const char *id,
		   struct container_config *config, struct endpoint_requests *ret_requests,
		   struct error *err);

/*
 * The predefined bridge goes with its last container. Whoever was killed while taking it down
 * leaves a bridge that no container speaks of any more: it goes here, unless a port is on it. Never
 * fails: it is in nobody's way.
 */
void network_sweep(struct engine *engine);

/* Takes down what a run has left in the network of the host; nothing to do is success. */
int container_network_bury(const struct container *container, struct error *err);

DEFINE_CLEANUP_VALUE(struct network, network_release);
DEFINE_CLEANUP_VALUE(struct endpoint_requests, endpoint_requests_release);
DEFINE_CLEANUP_VALUE(struct endpoint_set, endpoint_set_release);

#endif
