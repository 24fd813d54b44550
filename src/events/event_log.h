/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event_log.h - what happened to containers, images, networks and volumes
 *
 * Theory. Whoever does something says so by appending a line to STATE/events: there is no process that
 * could be told. A line is one write(2) with O_APPEND, so lines of many writers do not mix, and nobody
 * waits for a lock. `skiff events` reads the file, and follows it with inotify (event_reader.h).
 *
 * A file that has grown to EVENT_LOG_MAX_BYTES becomes STATE/events.old, which thereby goes; one writer
 * in sixteen looks, and does it under an flock that others do not wait for. So it is bounded, and
 * readers see at least the last EVENT_LOG_MAX_BYTES. It is gone after a reboot, as docker's is after a
 * restart of its daemon.
 *
 * A line is an object with docker's words:
 *
 *	{"timeNano":…,"Type":"container","Action":"die","ID":"…","Attributes":{"image":"…","exitCode":"0"}}
 */
#ifndef SKIFF_EVENTS_EVENT_LOG_H
#define SKIFF_EVENTS_EVENT_LOG_H

#define EVENT_LOG_NAME "events"
#define EVENT_LOG_OLD_NAME "events.old"
#define EVENT_LOG_MAX_BYTES (1 << 20)
#define EVENT_LINE_MAX_BYTES (1 << 16) /* what is longer is written without `attributes` */

struct event_attribute {
	const char *key, *value;
};

/* All borrowed. */
struct event {
	const char *type;   /* "container", "image", "network", "volume" */
	const char *action; /* "start", "exec_create: sh -c true" */
	const char *id;     /* whom it happened to; an image's or volume's is its name */
	const char *
		attributes; /* the text of a JSON object: those of every event of this one; or NULL */
	const struct event_attribute *more; /* those of this event; ends with a NULL key; or NULL */
};

/*
 * Writes it. `state_path` is the state directory, which exists. It never fails: that an event is lost
 * is no reason to stop anything (it is logged for debugging).
 */
void event_emit(const char *state_path, const struct event *event);

#endif
