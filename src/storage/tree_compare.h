/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree_compare.h - whether two trees of files are the same
 *
 * Names, types, modes, owners, times of change, sizes, contents, link targets, device numbers,
 * extended attributes, and which names are one file. Times of access and inode numbers do not count,
 * nor do attributes that a security module of the machine sets by itself, nor the times of what has
 * none in an archive, and so has the one at which it was made: whiteouts, and directories that are
 * only part of a name.
 *
 * The trees belong to images: nothing in them is believed. No link is followed, nothing but
 * directories and regular files is opened.
 */
#ifndef SKIFF_STORAGE_TREE_COMPARE_H
#define SKIFF_STORAGE_TREE_COMPARE_H

#include <stddef.h>
#include <time.h>

#include "base/error.h"
#include "base/strv.h"

/* Both descriptors are directories. */
struct tree_comparison {
	int found_fd;    /* what is there */
	int expected_fd; /* what should be */
	size_t max_differences;
	struct timespec made; /* when making `expected` began: times from then on say nothing */
};

/*
 * Appends one line for each difference, "etc/passwd: content", to *ret_differences, and stops after
 * max_differences. None: the trees are the same.
 */
int tree_compare(const struct tree_comparison *comparison, struct strv *ret_differences,
		 struct error *err);

#endif
