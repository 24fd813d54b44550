/* SPDX-License-Identifier: Apache-2.0 */
/*
 * protocol.h - what is said between the engine and skiff-registry
 *
 * skiff-registry speaks HTTP with strangers. The engine starts one with fork and exec for each
 * repository it works with, tells it whom to ask and who we are, and then asks for documents and
 * blobs. Everything that comes back is unverified: whoever asked checks digests and parses manifests.
 * The helper confines itself before it opens the first connection; it reads no file of the host, and
 * writes only into descriptors that came with a request.
 *
 * Descriptors, put in place just before exec; 0 and 1 are /dev/null, 2 is the engine's (SKIFF_DEBUG
 * writes there), everything else is closed by the helper:
 *
 *	REGISTRY_SOCKET_FD  a SOCK_SEQPACKET socket: requests come in, answers go out. Its end is ours
 *	REGISTRY_CONFIG_FD  a file, read once and closed: the configuration
 *
 *
 * Configuration: one JSON object of at most JSON_MAX_BYTES
 *
 *	{
 *	  "actions": "pull",                     what tokens are asked for: "pull", "pull,push", "*"
 *	  "endpoints": [                         whom to ask, in order; for pushing only the first
 *	    {"host": "registry-1.docker.io",     with a port when it is not the scheme's own
 *	     "repository": "library/alpine",     may be "" when nothing about a repository is asked
 *	     "insecure": false,                  certificates are not checked, plain HTTP will do
 *	     "username": …, "password": …,       all optional, as trust/credentials.h has them
 *	     "identityToken": …, "registryToken": …,
 *	     "authorities": …,                   PEM, beside the system's
 *	     "certificate": …, "key": …}],       PEM, to show
 *	  "mountFrom": ["library/debian"],       repositories of the first endpoint, readable too
 *	  "realms": ["auth.example.com"],        hosts that may see the password beside the registry's
 *	  "proxies": {"http": …, "https": …, "no": …},    URLs, as curl has them
 *	  "backoffMs": 500, "stallSeconds": 60, "retries": 5    these are the defaults
 *	}
 *
 *
 * Requests: one JSON object a message, with descriptors beside it. "id" is any number that the
 * answers repeat; up to REGISTRY_MAX_REQUESTS may be under way at the same time.
 *
 *	{"id": 1, "op": "manifest", "reference": "latest", "endpoint": 0}        + [out]
 *		a manifest or index, by tag or digest, at most REGISTRY_DOCUMENT_MAX bytes. Without
 *		"endpoint", all are asked in order until one has it
 *	{"id": 2, "op": "blob", "digest": "sha256:…", "size": 123, "offset": 0, "endpoint": 0}
 *	                                                                         + [out, wake]
 *		bytes from "offset" to "size" are written to `out`. `wake` (may be left out) gets a byte
 *		now and then after something was written, and is closed at the end. "urls": where else it may
 *		be fetched when the registry does not have it (foreign layers), without credentials
 *	{"id": 3, "op": "tags"}                                                  + [out]
 *		one tag a line
 *	{"id": 4, "op": "referrers", "digest": "sha256:…"}                       + [out]
 *		the index of what refers to a manifest
 *	{"id": 5, "op": "search", "term": "…", "limit": 25}                      + [out]
 *		the registry's answer, JSON: {"results": [{"name": …, "description": …, …}]}
 *	{"id": 6, "op": "put-blob", "digest": …, "size": …, "mountFrom": "library/debian"}   + [in]
 *		`in` is a file, read with pread(2)
 *	{"id": 10, "op": "have-blob", "digest": …, "mountFrom": "library/debian"}
 *		whether it need not be sent: {"how": "exists" | "mounted" | "missing"}
 *	{"id": 7, "op": "put-manifest", "reference": "latest", "mediaType": …}   + [in]
 *	{"id": 8, "op": "delete-manifest", "reference": "sha256:…"}
 *	{"id": 9, "op": "login"}
 *		whether the registry takes the credentials
 *
 * Answers, any number of progress and then one of done and error:
 *
 *	{"id": 2, "progress": {"bytes": 4096}}     position in the blob; some ten a second
 *	{"id": 1, "done": {"mediaType": …, "digest": …, "size": …, "endpoint": 0}}
 *		manifest: what the registry says of it, "digest" may be missing. blob: {}.
 *		put-blob: {"how": "exists" | "mounted" | "uploaded"}. login: {"identityToken": …} or {}
 *	{"id": 1, "error": {"kind": "not-found", "errno": 2, "message": "…"}}
 *		kind is one of error_kind_name()'s words
 *
 * When the configuration cannot be used, one error with id 0 comes before the end of the socket.
 *
 *
 * Writing. A blob's `out` must be opened O_WRONLY | O_APPEND. With that, and a system call filter that
 * has write(2) and no call to truncate, to map, to write elsewhere or to change the flag, bytes once
 * written cannot be changed by the helper any more: what skiff-unpack has read and hashed meanwhile is
 * what stays. Its length is checked when the helper is gone.
 */
#ifndef SKIFF_REGISTRY_PROTOCOL_H
#define SKIFF_REGISTRY_PROTOCOL_H

#include <stddef.h>

#define REGISTRY_PROGRAM SKIFF_LIBEXECDIR "/skiff-registry"

#define REGISTRY_SOCKET_FD 3
#define REGISTRY_CONFIG_FD 4

#define REGISTRY_MESSAGE_MAX ((size_t)64 << 10)
#define REGISTRY_DOCUMENT_MAX ((size_t)4 << 20)
#define REGISTRY_MAX_REQUESTS 16
#define REGISTRY_MAX_ENDPOINTS 32

#endif
