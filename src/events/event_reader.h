/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event_reader.h - reads what event_log.h wrote, and waits for more
 *
 *	auto_(event_reader_close) struct event_reader *reader = NULL;
 *
 *	r = event_reader_open(state_path, &reader);
 *	while (r >= 0 && (r = event_reader_next(reader, &line)) > 0)
 *		…;
 *	poll event_reader_fd(); event_reader_drain(); again
 *
 * Lines come in the order of the file, which is that of time but for a few microseconds between
 * processes. No line that is written after the reader was opened is lost or seen twice, however often
 * the file is rotated while the reader keeps up.
 */
#ifndef SKIFF_EVENTS_EVENT_READER_H
#define SKIFF_EVENTS_EVENT_READER_H

#include "base/cleanup.h"
#include "base/json.h"

struct event_reader;

/* The state directory must exist; the file need not. */
int event_reader_open(const char *state_path, struct event_reader **ret_reader);
void event_reader_close(struct event_reader *reader);

/*
 * 1 and a new reference to the next line's object; 0 when there is none yet; negative errno. Lines
 * that are no such object are skipped.
 */
int event_reader_next(struct event_reader *reader, json_t **ret_event);

/* Becomes readable when there may be more. event_reader_drain() makes it wait again. */
int event_reader_fd(const struct event_reader *reader);
void event_reader_drain(struct event_reader *reader);

DEFINE_CLEANUP(struct event_reader *, event_reader_close);

#endif
