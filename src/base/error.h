/* SPDX-License-Identifier: Apache-2.0 */
/*
 * error.h - how a failure travels
 *
 * Rooms above base and sys take a `struct error *err` as last parameter. It is set exactly
 * when the function's result is negative, never otherwise; it is never NULL. The front end
 * that owns the outermost call prints it once and derives its exit code from the kind.
 *
 *	auto_(error_release) struct error err = {0};
 *
 *	r = image_find(store, name, &image, &err);
 *	if (r < 0)
 *		return report(&err);
 *
 * An error may also be set a second time (the first is released): the last word counts.
 */
#ifndef SKIFF_BASE_ERROR_H
#define SKIFF_BASE_ERROR_H

#include <stddef.h>

#include "base/cleanup.h"

enum error_kind {
	ERR_NONE,
	ERR_INVALID,     /* the request makes no sense: bad option, bad reference, bad archive */
	ERR_NOT_FOUND,   /* no such container, image, volume, command */
	ERR_CONFLICT,    /* name taken, container running, image in use */
	ERR_DENIED,      /* not allowed: privileges, read-only, refused by policy */
	ERR_UNAVAILABLE, /* the machine cannot do it: kernel feature, controller, helper missing */
	ERR_CANCELLED,   /* interrupted by the user */
	ERR_SYSTEM,      /* a system call failed; errnum says how, its text is appended */
	ERR_INTERNAL,    /* our own mistake, or a record of ours that cannot be true */
	ERR_NOT_EXECUTABLE,  /* the container's command exists and cannot be executed (126) */
	ERR_COMMAND_MISSING, /* the container's command does not exist (127) */
};

#define ERROR_KIND_COUNT 11

struct error {
	enum error_kind kind;
	int errnum;    /* positive errno, 0 when none applies */
	char *message; /* owned; one line, no final dot */
};

/*
 * Sets the error and returns a negative errno: -errnum, or one that suits the kind when errnum
 * is 0. For ERR_SYSTEM the errno's text is appended to the message after ": ".
 */
int err_set(struct error *err, enum error_kind kind, int errnum, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Puts "text: " before the message. Returns `result`, which is what the caller returns. */
int err_wrap(struct error *err, int result, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Moves `from` into `to`; `from` is empty afterwards. Returns the negative errno of `to`. */
int err_move(struct error *to, struct error *from);

/* Never NULL. */
const char *err_message(const struct error *err);

/* The negative errno that a function holding this error returns; 0 when it is not set. */
int err_result(const struct error *err);

/* Empty and reusable. */
void error_release(struct error *err);

/* "invalid", "not-found", …: used where an error crosses a process boundary. */
const char *error_kind_name(enum error_kind kind);

/* Short text of an errno, from a static table of the C library. Never NULL. */
const char *errno_text(int errnum);

DEFINE_CLEANUP_VALUE(struct error, error_release);

#endif
