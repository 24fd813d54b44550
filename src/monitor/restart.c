/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/restart.h"

static void prolong(struct restart_history *history, int64_t ran_ns)
{
	if (ran_ns >= RESTART_RAN_LONG_NS || history->delay_ns == 0)
		history->delay_ns = RESTART_DELAY_MIN_NS;
	else if (history->delay_ns < RESTART_DELAY_MAX_NS / 2)
		history->delay_ns *= 2;
	else
		history->delay_ns = RESTART_DELAY_MAX_NS;
}

static bool is_wanted(const struct restart_history *history, const struct restart_policy *policy,
		      const struct restart_end *end)
{
	switch (policy->kind) {
	case RESTART_NO:
		return false;
	case RESTART_ALWAYS:
		return true;
	case RESTART_ON_FAILURE:
		return end->exit_code != 0 &&
		       (policy->max_retries == 0 || history->count < policy->max_retries);
	case RESTART_UNLESS_STOPPED:
		return !end->stopped_by_hand;
	}
	return false;
}

bool restart_decide(struct restart_history *history, const struct restart_policy *policy,
		    const struct restart_end *end)
{
	if (end->is_cancelled || !is_wanted(history, policy, end))
		return false;
	prolong(history, end->ran_ns);
	history->count++;
	return true;
}
