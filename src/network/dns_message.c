/* SPDX-License-Identifier: Apache-2.0 */
#include "network/dns_message.h"

#include <errno.h>
#include <string.h>

#define FLAG_RESPONSE 0x8000
#define FLAG_OPCODE 0x7800
#define FLAG_AUTHORITATIVE 0x0400
#define FLAG_TRUNCATED 0x0200
#define FLAG_RECURSION_DESIRED 0x0100
#define FLAG_RECURSION_AVAILABLE 0x0080

#define LABEL_MAX 63
#define NAME_TEXT_MAX 253
#define POINTERS_MAX 32
#define OPT_SIZE 11
#define RECORDS_MAX 32 /* of a question's additional section that we look at */

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static void put16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* ---- reading ---- */

/* In lower case; '?' for what a name cannot show. */
static char shown(uint8_t c)
{
	if (c <= ' ' || c >= 0x7f || c == '.')
		return '?';
	if (c >= 'A' && c <= 'Z')
		c |= 0x20;
	return (char)(c & 0x7f);
}

/* Appends a label, with a dot before it unless it is the first. */
static void add_label(char name[DNS_NAME_SIZE], size_t *used, const uint8_t *label, uint8_t len)
{
	if (*used)
		name[(*used)++] = '.';
	for (uint8_t i = 0; i < len; i++)
		name[(*used)++] = shown(label[i]);
}

/* Where a pointer leads to: always back, never into the header; 0 when it is broken. */
static size_t follow(const uint8_t *message, size_t len, size_t at)
{
	size_t to;

	if (at + 1 >= len)
		return 0;
	to = (size_t)(message[at] & 0x3f) << 8 | message[at + 1];
	return to >= at || to < DNS_HEADER_SIZE ? 0 : to;
}

/*
 * A name at `at`. Returns where it ends in the message (before any pointer was followed), 0 when it is
 * broken. Bytes that a name cannot show (dots in labels, control characters) become '?', which no name of
 * ours has.
 */
static size_t read_name(const uint8_t *message, size_t len, size_t at, char name[DNS_NAME_SIZE])
{
	size_t used = 0, end = 0;
	unsigned int pointers = 0;

	while (at < len && message[at] != 0) {
		uint8_t label = message[at];

		if ((label & 0xc0) == 0xc0) {
			if (end == 0)
				end = at + 2;
			at = ++pointers > POINTERS_MAX ? 0 : follow(message, len, at);
			if (at == 0)
				return 0;
			continue;
		}
		at++;
		/* With a dot before it, and in the message with the root: 255 bytes at most. */
		if (label > LABEL_MAX || at + label > len || used + 1 + label > NAME_TEXT_MAX)
			return 0;
		add_label(name, &used, message + at, label);
		at += label;
	}
	if (at >= len)
		return 0;
	name[used] = '\0';
	return end ? end : at + 1;
}

/* An OPT among the additional records; anything that cannot be walked over ends the search. */
static void read_edns(const uint8_t *message, size_t len, struct dns_question *q)
{
	unsigned int count = (unsigned int)get16(message + 6) + get16(message + 8) +
			     get16(message + 10);
	size_t at = q->end;

	for (unsigned int i = 0; i < count && i < RECORDS_MAX; i++) {
		char name[DNS_NAME_SIZE];
		uint16_t type;

		at = read_name(message, len, at, name);
		if (at == 0 || at + 10 > len)
			return;
		type = get16(message + at);
		if (type == DNS_TYPE_OPT && !q->has_edns) {
			uint16_t size = get16(message + at + 2);

			q->has_edns = true;
			q->udp_size = size < DNS_UDP_USUAL ? DNS_UDP_USUAL
				      : size > DNS_UDP_MAX ? DNS_UDP_MAX
							   : size;
		}
		at += 10 + (size_t)get16(message + at + 8);
		if (at > len)
			return;
	}
}

/* Without pointers: a question is the first name of its message, so there is nothing to point to. */
static size_t encoded_len(const char *name)
{
	return *name ? strlen(name) + 2 : 1;
}

int dns_question_parse(const uint8_t *message, size_t len, struct dns_question *q)
{
	size_t at;

	if (len < DNS_HEADER_SIZE)
		return -EINVAL;
	*q = (struct dns_question){
		.id = get16(message),
		.flags = get16(message + 2),
		.udp_size = DNS_UDP_USUAL,
	};
	if (q->flags & FLAG_RESPONSE)
		return -EINVAL;
	if ((q->flags & FLAG_OPCODE) || get16(message + 4) != 1)
		return -EBADMSG;
	at = read_name(message, len, DNS_HEADER_SIZE, q->name);
	if (at == 0 || at + 4 > len || at != DNS_HEADER_SIZE + encoded_len(q->name))
		return -EBADMSG;
	q->type = get16(message + at);
	q->class = get16(message + at + 2);
	q->end = at + 4;
	read_edns(message, len, q);
	return 0;
}

bool dns_answers(const uint8_t *message, size_t message_len, const uint8_t *answer,
		 size_t answer_len)
{
	char asked[DNS_NAME_SIZE], answered[DNS_NAME_SIZE];
	size_t at, to;

	if (message_len < DNS_HEADER_SIZE || answer_len < DNS_HEADER_SIZE ||
	    get16(message) != get16(answer) || !(get16(answer + 2) & FLAG_RESPONSE))
		return false;
	if (get16(answer + 4) == 0)
		return (answer[3] & 0x0f) != 0; /* some refuse without repeating the question */
	at = read_name(message, message_len, DNS_HEADER_SIZE, asked);
	to = read_name(answer, answer_len, DNS_HEADER_SIZE, answered);
	return at && to && at + 4 <= message_len && to + 4 <= answer_len &&
	       strcmp(asked, answered) == 0 && memcmp(message + at, answer + to, 4) == 0;
}

/* ---- writing ---- */

struct writer {
	uint8_t *to;
	size_t len, size;
};

/* A record that is the question's name, by a pointer to it. False when it does not fit. */
static bool put_record(struct writer *w, uint16_t type, const void *data, size_t len, size_t spare)
{
	uint8_t *at = w->to + w->len;

	if (w->len + 12 + len + spare > w->size)
		return false;
	put16(at, 0xc000 | DNS_HEADER_SIZE);
	put16(at + 2, type);
	put16(at + 4, DNS_CLASS_IN);
	put16(at + 6, 0);
	put16(at + 8, DNS_TTL_S);
	put16(at + 10, (uint16_t)len);
	memcpy(at + 12, data, len);
	w->len += 12 + len;
	return true;
}

/* Dotted to labels; 0 when it is no name. */
static size_t encode_name(const char *name, uint8_t to[DNS_NAME_SIZE])
{
	size_t used = 0;

	while (*name) {
		size_t len = strcspn(name, ".");

		if (len == 0 || len > LABEL_MAX || used + len + 2 > DNS_NAME_SIZE - 1)
			return 0;
		to[used++] = (uint8_t)len;
		memcpy(to + used, name, len);
		used += len;
		name += len + (name[len] == '.');
	}
	to[used++] = 0;
	return used;
}

static uint16_t put_answers(struct writer *w, const struct dns_answer *answer, size_t spare,
			    bool *ret_truncated)
{
	uint8_t name[DNS_NAME_SIZE];
	uint16_t count = 0;
	size_t len;

	for (size_t i = 0; i < answer->address_count; i++) {
		const struct ip_address *a =
			&answer->addresses[(answer->first + i) % answer->address_count];

		if (!put_record(w, a->family == AF_INET6 ? DNS_TYPE_AAAA : DNS_TYPE_A, a->bytes,
				ip_address_len(a->family), spare)) {
			*ret_truncated = true;
			return count;
		}
		count++;
	}
	if (!answer->name)
		return count;
	len = encode_name(answer->name, name);
	if (len && put_record(w, DNS_TYPE_PTR, name, len, spare))
		count++;
	return count;
}

static void put_edns(struct writer *w, bool has_edns)
{
	uint8_t *at = w->to + w->len;

	if (!has_edns)
		return;
	memset(at, 0, OPT_SIZE);
	put16(at + 1, DNS_TYPE_OPT);
	put16(at + 3, DNS_UDP_MAX);
	w->len += OPT_SIZE;
}

size_t dns_answer_write(const uint8_t *message, const struct dns_question *q,
			const struct dns_answer *answer, uint8_t *to, size_t size)
{
	size_t spare = q->has_edns ? OPT_SIZE : 0;
	struct writer w = {.to = to, .len = DNS_HEADER_SIZE, .size = size};
	uint16_t flags = FLAG_RESPONSE | FLAG_RECURSION_AVAILABLE |
			 (q->flags & (FLAG_OPCODE | FLAG_RECURSION_DESIRED)) |
			 (uint16_t)answer->code;
	bool truncated = false;
	uint16_t count = 0;

	memset(to, 0, DNS_HEADER_SIZE);
	if (q->end && q->end + spare <= size) {
		memcpy(to + DNS_HEADER_SIZE, message + DNS_HEADER_SIZE, q->end - DNS_HEADER_SIZE);
		w.len = q->end;
		count = put_answers(&w, answer, spare, &truncated);
		put16(to + 4, 1);
		put_edns(&w, q->has_edns);
	}
	if (truncated || answer->is_truncated)
		flags |= FLAG_TRUNCATED;
	put16(to, q->id);
	put16(to + 2, flags);
	put16(to + 6, count);
	put16(to + 10, q->end && q->has_edns ? 1 : 0);
	return w.len;
}

/* ---- reverse names ---- */

/* "4.3.2.1", four numbers without leading zeros and nothing else. */
static bool parse_reverse4(const char *name, size_t len, struct ip_address *ret_address)
{
	char text[sizeof("255.255.255.255")];
	struct ip_address reversed;

	if (len >= sizeof(text))
		return false;
	memcpy(text, name, len);
	text[len] = '\0';
	if (ip_address_parse(text, &reversed) < 0 || reversed.family != AF_INET)
		return false;
	*ret_address = (struct ip_address){.family = AF_INET};
	for (size_t i = 0; i < 4; i++)
		ret_address->bytes[3 - i] = reversed.bytes[i];
	return true;
}

static bool parse_reverse6(const char *name, struct ip_address *ret_address)
{
	*ret_address = (struct ip_address){.family = AF_INET6};
	if (strcmp(name + 64, "ip6.arpa") != 0)
		return false;
	for (size_t i = 0; i < 32; i++) {
		const char digits[] = "0123456789abcdef";
		const char *digit = strchr(digits, name[2 * i]);

		if (!digit || name[2 * i + 1] != '.')
			return false;
		ret_address->bytes[15 - i / 2] |= (uint8_t)((digit - digits) << (i % 2 ? 4 : 0));
	}
	return true;
}

bool dns_reverse_parse(const char *name, struct ip_address *ret_address)
{
	static const char suffix4[] = ".in-addr.arpa";
	size_t len = strlen(name), suffix_len = strlen(suffix4);

	if (len == 64 + strlen("ip6.arpa") && parse_reverse6(name, ret_address))
		return true;
	return len > suffix_len && strcmp(name + len - suffix_len, suffix4) == 0 &&
	       parse_reverse4(name, len - suffix_len, ret_address);
}
