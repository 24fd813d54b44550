/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launch.h - what a start needs and an OCI configuration cannot say
 *
 * ROOT/containers/ID/launch.json stands beside config.json. The engine writes both at every start;
 * the monitor reads them. All paths in it are relative to ROOT unless they begin with '/'.
 *
 *	{
 *	  "lowers": ["layers/<chain-id>/diff", …],   top layer first; empty: config's root.path is
 *used "volatileUpper": true,                      no sync when the overlay goes (--rm) "user":
 *"name:group",                       resolved inside the root; wins over process.user "groups":
 *["audio", "44"],                  --group-add; resolved inside the root too "init":
 *"/usr/libexec/skiff/skiff-init",    --init; absent otherwise "seccomp": "cache/seccomp/<name>",
 *compiled filter; absent: unconfined "fillVolumes": ["/data"],                   mounts to fill
 *from the image if they are empty "tty": true, "openStdin": true, "stdinOnce": true, "autoRemove":
 *true, "log": {"driver": "json-file", "maxSize": 10485760, "maxFiles": 3, "compress": true, …},
 *	  "health": runtime/health_check.h,
 *	  "secrets": runtime/secret.h,                      absent: none
 *	  "restart": {"policy": "on-failure", "max": 3}      absent: no
 *	  "event": {"image": "busybox", "name": "web", "label": "value"}
 *	}
 */
#ifndef SKIFF_RUNTIME_LAUNCH_H
#define SKIFF_RUNTIME_LAUNCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/json.h"
#include "base/strv.h"
#include "runtime/health_check.h"
#include "runtime/launch_mount.h"
#include "runtime/restart_policy.h"
#include "runtime/secret.h"

enum log_driver {
	LOG_DRIVER_JSON_FILE,
	LOG_DRIVER_NONE,
	LOG_DRIVER_LOCAL,
	LOG_DRIVER_JOURNALD,
	LOG_DRIVER_SYSLOG,
};

#define LOG_DRIVER_COUNT 5

enum syslog_format {
	SYSLOG_FORMAT_PLAIN, /* as RFC 3164 without a host, as syslog(3) writes it */
	SYSLOG_FORMAT_RFC3164,
	SYSLOG_FORMAT_RFC5424,
	SYSLOG_FORMAT_RFC5424_MICRO, /* with microseconds */
};

#define SYSLOG_FORMAT_COUNT 4

/* What a log needs beside its records. */
struct log_context {
	struct strv
		attributes; /* key=value, sorted: the labels and variables that were asked for */
	char *tag;          /* of journald and syslog */
	char *id, *name, *image; /* of the container */
	char *address;           /* of syslog: unix:///path, udp://ip:port, tcp://ip:port */
	enum syslog_format format;
	uint32_t facility;
	bool non_blocking; /* what does not go at once is kept, up to buffer_bytes, or dropped */
	uint64_t buffer_bytes;
};

const char *log_driver_name(enum log_driver driver);
void log_context_release(struct log_context *context);

struct launch {
	struct strv lowers;
	bool volatile_upper;
	char *user; /* NULL: process.user of the configuration */
	struct strv groups;
	char *init;    /* NULL: none */
	char *seccomp; /* NULL: unconfined */
	struct launch_mounts mounts;
	bool tty, open_stdin, stdin_once, auto_remove;
	enum log_driver log_driver;
	uint64_t log_max_bytes; /* 0: never rotated */
	uint32_t log_max_files;
	bool log_compress;
	struct log_context log_context;
	struct restart_policy restart;
	char *event_attributes; /* a JSON object's text, for the monitor's events; NULL: none */
	json_t *network; /* a plan for whoever makes the network (network/plan.h); NULL: none */
	struct health_check health;
	struct runtime_secret *secrets; /* owned */
	size_t secret_count;
};

/* Reads and checks the file. */
int launch_load(int container_dir_fd, struct launch *ret_launch, struct error *err);

/* Writes it. */
int launch_save(int container_dir_fd, const struct launch *launch, struct error *err);
void launch_release(struct launch *launch);

DEFINE_CLEANUP_VALUE(struct launch, launch_release);

#endif
