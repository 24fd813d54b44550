/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reference.h - names of images
 *
 * "alpine", "alpine:3.18", "ghcr.io/owner/app:tag@sha256:…". The normalized form names everything:
 * "docker.io/library/alpine:latest"; it is what the store records. The familiar form is what people
 * read: "alpine:latest". The grammar is that of the distribution project: domain, lower-case path,
 * tag of at most 128 characters; the path with its domain at most 255.
 */
#ifndef SKIFF_IMAGE_REFERENCE_H
#define SKIFF_IMAGE_REFERENCE_H

#include "base/error.h"

struct reference {
	char *domain; /* "docker.io" */
	char *path;   /* "library/alpine" */
	char *tag;    /* NULL when there is none */
	char *digest; /* "sha256:…"; NULL when there is none */
};

/* Adds the default domain and "library/"; a tag only when there is neither tag nor digest. */
int reference_parse(const char *text, struct reference *ret_reference, struct error *err);
void reference_release(struct reference *reference);

/* "docker.io/library/alpine:3.18" without digest when there is a tag; caller frees. */
char *reference_format(const struct reference *reference);

/* "docker.io/library/alpine", "alpine"; caller frees. */
char *reference_repository(const struct reference *reference);
char *reference_familiar_repository(const struct reference *reference);

/* "alpine:3.18", "alpine@sha256:…"; caller frees. */
char *reference_familiar(const struct reference *reference);

DEFINE_CLEANUP_VALUE(struct reference, reference_release);

#endif
