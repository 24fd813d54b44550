/* SPDX-License-Identifier: Apache-2.0 */
/* dir_list.h - what is in a directory, in the order of names */
#ifndef SKIFF_UNPACK_DIR_LIST_H
#define SKIFF_UNPACK_DIR_LIST_H

#include "base/strv.h"

/* Sorted byte for byte, without "." and "..". dir_fd may be used further. 0 or a negative errno. */
int dir_list_read(int dir_fd, struct strv *ret_names);

#endif
