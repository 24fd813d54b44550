/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dns_message.h - questions read and answers written, as RFC 1035 and RFC 6891 have them
 *
 * Only what a resolver for containers needs: one question a message, and answers with addresses or one
 * name. A question's bytes are hostile: every length and pointer is checked, a name is at most 255
 * bytes, pointers lead backwards only.
 */
#ifndef SKIFF_NETWORK_DNS_MESSAGE_H
#define SKIFF_NETWORK_DNS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "network/ip.h"

#define DNS_HEADER_SIZE 12
#define DNS_NAME_SIZE 256
#define DNS_UDP_USUAL 512
#define DNS_UDP_MAX 4096
#define DNS_TTL_S 600

enum dns_type {
	DNS_TYPE_A = 1,
	DNS_TYPE_PTR = 12,
	DNS_TYPE_AAAA = 28,
	DNS_TYPE_OPT = 41,
	DNS_TYPE_ANY = 255,
};

#define DNS_CLASS_IN 1

enum dns_code {
	DNS_NO_ERROR = 0,
	DNS_FORMAT_ERROR = 1,
	DNS_SERVER_FAILURE = 2,
	DNS_NO_SUCH_NAME = 3,
	DNS_NOT_IMPLEMENTED = 4,
};

struct dns_question {
	uint16_t id, flags, type, class;
	char name[DNS_NAME_SIZE]; /* dotted, lower case, without the last dot; "" is the root */
	size_t end;               /* where the question ends in the message */
	bool has_edns;
	uint16_t udp_size; /* how long an answer by UDP may be */
};

/*
 * 0; -EBADMSG with id and flags filled when only the header could be read (it deserves a
 * DNS_FORMAT_ERROR); -EINVAL when not even that, or when it is no question at all.
 */
int dns_question_parse(const uint8_t *message, size_t len, struct dns_question *ret_question);

struct dns_answer {
	const struct ip_address *addresses;
	size_t address_count, first; /* begins with this one, the others follow round */
	const char *name;            /* of a PTR; NULL: none */
	enum dns_code code;
	bool is_truncated; /* there is more than this */
};

/*
 * Writes the answer to `message` into `to`, at most `size` bytes; addresses that do not fit are left
 * out and the answer says so. Returns its length. With a question that could not be parsed
 * only the header.
 */
size_t dns_answer_write(const uint8_t *message, const struct dns_question *question,
			const struct dns_answer *answer, uint8_t *to, size_t size);

/* "4.3.2.1.in-addr.arpa", "….ip6.arpa". False when it is no such name. */
bool dns_reverse_parse(const char *name, struct ip_address *ret_address);

/* Whether `answer` is one to the question of `message`. */
bool dns_answers(const uint8_t *message, size_t message_len, const uint8_t *answer,
		 size_t answer_len);

#endif
