/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cleanup.h - scope-bound ownership
 *
 * Every local that owns something is declared with its cleaner and an empty value:
 *
 *	auto_free char *path = NULL;
 *	auto_close int fd = NO_FD;
 *	auto_(image_free) struct image *img = NULL;
 *
 * Ownership leaves a scope through TAKE_PTR() and TAKE_FD() and no other way. Cleaners
 * accept the empty value, keep errno, and reset what they released.
 */
#ifndef SKIFF_BASE_CLEANUP_H
#define SKIFF_BASE_CLEANUP_H

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* A descriptor that is not open. Returned by accident it is an error, not EPERM. */
#define NO_FD (-EBADF)

#define auto_free __attribute__((cleanup(cleanup_free_ptr)))
#define auto_close __attribute__((cleanup(cleanup_close_fd)))
#define auto_fclose __attribute__((cleanup(cleanup_fclose_ptr)))
#define auto_closedir __attribute__((cleanup(cleanup_closedir_ptr)))

/*
 * auto_(thing_free) struct thing *t = NULL;      calls thing_free(t) when it is not NULL
 * auto_(thing_release) struct thing t = {0};     calls thing_release(&t)
 *
 * The cleaner must have been announced with DEFINE_CLEANUP() or DEFINE_CLEANUP_VALUE().
 */
#define auto_(fn) __attribute__((cleanup(cleanup_##fn)))

#define DEFINE_CLEANUP(type, fn)                                                                   \
	static inline void cleanup_##fn(__typeof__(type) *p)                                       \
	{                                                                                          \
		int saved_errno = errno;                                                           \
		if (*p)                                                                            \
			fn(*p);                                                                    \
		*p = NULL;                                                                         \
		errno = saved_errno;                                                               \
	}                                                                                          \
	struct cleanup_semicolon_##fn

#define DEFINE_CLEANUP_VALUE(type, fn)                                                             \
	static inline void cleanup_##fn(__typeof__(type) *p)                                       \
	{                                                                                          \
		int saved_errno = errno;                                                           \
		fn(p);                                                                             \
		errno = saved_errno;                                                               \
	}                                                                                          \
	struct cleanup_semicolon_##fn

#define TAKE_PTR(ptr)                                                                              \
	({                                                                                         \
		__typeof__(ptr) *take_from_ = &(ptr);                                              \
		__typeof__(ptr) taken_ = *take_from_;                                              \
		*take_from_ = NULL;                                                                \
		taken_;                                                                            \
	})

#define TAKE_FD(fd)                                                                                \
	({                                                                                         \
		int *take_from_ = &(fd);                                                           \
		int taken_ = *take_from_;                                                          \
		*take_from_ = NO_FD;                                                               \
		taken_;                                                                            \
	})

/* Closes *fd when it is open, keeps errno, and sets it to NO_FD. */
void cleanup_close_fd(int *fd);

static inline void cleanup_free_ptr(void *p)
{
	int saved_errno = errno;
	void **ptr = p;

	free(*ptr);
	*ptr = NULL;
	errno = saved_errno;
}

static inline void cleanup_fclose_ptr(FILE **f)
{
	int saved_errno = errno;

	if (*f)
		(void)fclose(*f);
	*f = NULL;
	errno = saved_errno;
}

static inline void cleanup_closedir_ptr(DIR **d)
{
	int saved_errno = errno;

	if (*d)
		(void)closedir(*d);
	*d = NULL;
	errno = saved_errno;
}

#endif
