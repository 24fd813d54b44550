/* SPDX-License-Identifier: Apache-2.0 */
/*
 * residency.h - being small while nothing happens
 *
 * A process that waits for hours needs a few of its program's pages, yet everything it ever ran stays
 * mapped and is counted as its share of memory. The pages are clean copies of a file: dropped, they
 * come back from the page cache when they are needed, one fault per 64 KiB.
 */
#ifndef SKIFF_SYS_RESIDENCY_H
#define SKIFF_SYS_RESIDENCY_H

/*
 * Drops those of the program's own pages that were never written and waits until fd is readable. Returns 0 or a negative
 * errno (-EINTR when a signal came).
 */
int residency_wait_readable(int fd);

#endif
