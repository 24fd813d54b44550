/* SPDX-License-Identifier: Apache-2.0 */
/*
 * protocol.h - what is said to skiff-verify
 *
 * skiff-verify says whether a signature was made with a key. It is a program of its own because
 * libcrypto's public keys double the size of skiff and make every command start a twentieth later, and
 * because signatures come from strangers: the helper gives up its privileges and the right to open
 * anything before it reads the request.
 *
 * One JSON object on standard input, to its end:
 *
 *	{"key": "-----BEGIN PUBLIC KEY-----…",    PEM
 *	 "payload": "…", "signature": "…"}        base64
 *
 * One on standard output, exit status 0:
 *
 *	{"good": true}
 *	{"problem": "…"}       the key cannot be used
 *
 * Keys are ECDSA, RSA of 2048 bits or more (PKCS #1 v1.5), or Ed25519; the hash is SHA-256, as cosign
 * has it whatever the curve.
 */
#ifndef SKIFF_VERIFY_PROTOCOL_H
#define SKIFF_VERIFY_PROTOCOL_H

#include <stddef.h>

#define VERIFY_PROGRAM SKIFF_LIBEXECDIR "/skiff-verify"

#define VERIFY_MIN_RSA_BITS 2048
#define VERIFY_MAX_REQUEST ((size_t)1 << 20)
#define VERIFY_MAX_ANSWER ((size_t)4 << 10)
#define VERIFY_TIMEOUT_MS 60000

#endif
