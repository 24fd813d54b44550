/* SPDX-License-Identifier: Apache-2.0 */
/* header_value.h - what the values of a few HTTP headers say. Each returns 0 or -EINVAL. */
#ifndef SKIFF_REGISTRY_HEADER_VALUE_H
#define SKIFF_REGISTRY_HEADER_VALUE_H

#include <stdint.h>

/* Link: <URL>; rel="next". *ret_url is owned by the caller; -ENOENT when there is no such link. */
int header_next_link(const char *value, char **ret_url);

/* Content-Range: "bytes 100-199/200"; *ret_total is UINT64_MAX for "*". */
struct content_range {
	uint64_t first, last, total;
};
int header_content_range(const char *value, struct content_range *ret_range);

/* Range, as registries answer about an upload: "0-1023", "bytes=0-1023". The number of bytes. */
int header_upload_range(const char *value, uint64_t *ret_bytes);

/* Retry-After: seconds, or a date (then `now_s` is subtracted). */
int header_retry_after(const char *value, int64_t now_s, uint64_t *ret_seconds);

#endif
