/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

static const char *const kind_names[] = {
	[ERR_NONE] = "none",
	[ERR_INVALID] = "invalid",
	[ERR_NOT_FOUND] = "not-found",
	[ERR_CONFLICT] = "conflict",
	[ERR_DENIED] = "denied",
	[ERR_UNAVAILABLE] = "unavailable",
	[ERR_CANCELLED] = "cancelled",
	[ERR_SYSTEM] = "system",
	[ERR_INTERNAL] = "internal",
	[ERR_NOT_EXECUTABLE] = "not-executable",
	[ERR_COMMAND_MISSING] = "command-missing",
};

static_assert(sizeof(kind_names) / sizeof(kind_names[0]) == ERROR_KIND_COUNT,
	      "every error kind has a name");

static int default_errno(enum error_kind kind)
{
	switch (kind) {
	case ERR_NONE:
	case ERR_INTERNAL:
		return ENOTRECOVERABLE;
	case ERR_INVALID:
		return EINVAL;
	case ERR_NOT_FOUND:
	case ERR_COMMAND_MISSING:
		return ENOENT;
	case ERR_CONFLICT:
		return EBUSY;
	case ERR_DENIED:
		return EPERM;
	case ERR_NOT_EXECUTABLE:
		return EACCES;
	case ERR_UNAVAILABLE:
		return EOPNOTSUPP;
	case ERR_CANCELLED:
		return ECANCELED;
	case ERR_SYSTEM:
		return EIO;
	}
	return EIO;
}

const char *errno_text(int errnum)
{
	const char *text = strerrordesc_np(errnum);

	return text ? text : "Unknown error";
}

int err_set(struct error *err, enum error_kind kind, int errnum, const char *fmt, ...)
{
	auto_free char *text = NULL;
	va_list args;

	assert(kind != ERR_NONE);
	assert(errnum >= 0);

	va_start(args, fmt);
	text = xvasprintf(fmt, args);
	va_end(args);

	error_release(err);
	err->kind = kind;
	err->errnum = errnum ? errnum : default_errno(kind);
	if (kind == ERR_SYSTEM)
		err->message = xasprintf("%s: %s", text, errno_text(err->errnum));
	else
		err->message = TAKE_PTR(text);
	return -err->errnum;
}

int err_wrap(struct error *err, int result, const char *fmt, ...)
{
	auto_free char *text = NULL;
	char *wrapped;
	va_list args;

	va_start(args, fmt);
	text = xvasprintf(fmt, args);
	va_end(args);

	wrapped = xasprintf("%s: %s", text, err_message(err));
	free(err->message);
	err->message = wrapped;
	return result;
}

int err_move(struct error *to, struct error *from)
{
	error_release(to);
	*to = *from;
	*from = (struct error){0};
	return err_result(to);
}

const char *err_message(const struct error *err)
{
	return err->message ? err->message : "unknown error";
}

int err_result(const struct error *err)
{
	if (err->kind == ERR_NONE)
		return 0;
	return err->errnum ? -err->errnum : -default_errno(err->kind);
}

void error_release(struct error *err)
{
	free(err->message);
	*err = (struct error){0};
}

const char *error_kind_name(enum error_kind kind)
{
	return kind_names[kind];
}
