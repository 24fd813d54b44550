/* SPDX-License-Identifier: Apache-2.0 */
/*
 * archive_part.h - large files of an archive that could be read only once
 *
 * skiff-unpack stores each of them in a file of its own on the way (unpack/protocol.h, "index"), so that
 * a layer is written once: the part becomes its blob by getting another name.
 */
#ifndef SKIFF_IMAGE_ARCHIVE_PART_H
#define SKIFF_IMAGE_ARCHIVE_PART_H

/* The file with this number (size_t). */
#define ARCHIVE_PART_NAME "part.%zu"

#endif
