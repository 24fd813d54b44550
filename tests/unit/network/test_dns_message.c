/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "network/dns_message.h"

/* A message as it grows. */
struct message {
	uint8_t bytes[4096];
	size_t len;
};

static void add(struct message *m, const void *bytes, size_t len)
{
	assert_true(m->len + len <= sizeof(m->bytes));
	memcpy(m->bytes + m->len, bytes, len);
	m->len += len;
}

#define ADD(m, text) add(m, text, sizeof(text) - 1)

/* id 0x1234, recursion desired. */
static void add_header(struct message *m, uint8_t questions, uint8_t additional)
{
	const uint8_t header[DNS_HEADER_SIZE] = {0x12, 0x34, 0x01, 0, 0, questions,
						 0,    0,    0,    0, 0, additional};

	add(m, header, sizeof(header));
}

static struct message ask(const char *encoded_name, size_t len, uint8_t type)
{
	struct message m = {0};

	add_header(&m, 1, 0);
	add(&m, encoded_name, len);
	add(&m, (uint8_t[]){0, type, 0, 1}, 4);
	return m;
}

#define ASK(encoded, type) ask(encoded, sizeof(encoded), type)

static void a_question_is_read(void **state)
{
	struct message m = ASK("\3WeB\7Example", DNS_TYPE_AAAA);
	struct dns_question q;

	(void)state;
	assert_int_equal(dns_question_parse(m.bytes, m.len, &q), 0);
	assert_string_equal(q.name, "web.example");
	assert_int_equal(q.id, 0x1234);
	assert_int_equal(q.type, DNS_TYPE_AAAA);
	assert_int_equal(q.class, DNS_CLASS_IN);
	assert_int_equal(q.end, m.len);
	assert_false(q.has_edns);
	assert_int_equal(q.udp_size, DNS_UDP_USUAL);
}

static void bytes_that_no_name_shows_match_nothing(void **state)
{
	struct message m = ASK("\3a.b\2\1\xff", DNS_TYPE_A);
	struct dns_question q;

	(void)state;
	assert_int_equal(dns_question_parse(m.bytes, m.len, &q), 0);
	assert_string_equal(q.name, "a?b.\?\?");
}

static void edns_says_how_long_an_answer_may_be(void **state)
{
	static const struct {
		uint8_t high, low;
		uint16_t size;
	} cases[] = {{0x04, 0xd0, 1232}, {0, 10, DNS_UDP_USUAL}, {0xff, 0xff, DNS_UDP_MAX}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct message m = ASK("\3web", DNS_TYPE_A);
		struct dns_question q;

		m.bytes[11] = 1;
		add(&m, (uint8_t[]){0, 0, 41, cases[i].high, cases[i].low, 0, 0, 0, 0, 0, 0}, 11);
		assert_int_equal(dns_question_parse(m.bytes, m.len, &q), 0);
		assert_true(q.has_edns);
		assert_int_equal(q.udp_size, cases[i].size);
	}
}

static void broken_questions_deserve_a_format_error(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} cases[] = {
		{"", 0},                       /* no name */
		{"\3we", 3},                   /* a label that is cut */
		{"\3web", 4},                  /* no end */
		{"\3web\0\0\1\0", 8},          /* half a class */
		{"\xc0\x0c\0\1\0\1", 6},       /* points at itself */
		{"\xc0\xff\0\1\0\1", 6},       /* forwards */
		{"\3web\xc0\x10\0\1\0\1", 10}, /* forwards, after a label */
		{"\x40\0\0\1\0\1", 6},         /* an unknown kind of label */
		{"\3web\xc0\5\0\1\0\1", 10},   /* into the header */
		{"\xc0", 1},                   /* half a pointer */
		{"\1\6\xc0\x0d\0\1\0\1\0", 9}, /* a label over its own end, by a pointer */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct message m = {0};
		struct dns_question q;

		add_header(&m, 1, 0);
		add(&m, cases[i].bytes, cases[i].len);
		assert_int_equal(dns_question_parse(m.bytes, m.len, &q), -EBADMSG);
		assert_int_equal(q.id, 0x1234);
	}
}

static void a_name_has_255_bytes_at_most(void **state)
{
	struct message m = {0};
	struct dns_question q;
	char label[64];

	(void)state;
	label[0] = 63;
	memset(label + 1, 'a', 63);
	add_header(&m, 1, 0);
	for (int i = 0; i < 3; i++)
		add(&m, label, sizeof(label));
	label[0] = 61;
	add(&m, label, 62);
	ADD(&m, "\0\0\1\0\1");
	assert_int_equal(dns_question_parse(m.bytes, m.len, &q), 0);
	assert_int_equal(strlen(q.name), 253);

	m.len -= 5 + 62;
	label[0] = 62;
	add(&m, label, 63);
	ADD(&m, "\0\0\1\0\1");
	assert_int_equal(dns_question_parse(m.bytes, m.len, &q), -EBADMSG);
}

static void what_is_no_question_is_not_answered(void **state)
{
	struct message m = ASK("\3web", DNS_TYPE_A);
	struct dns_question q;

	(void)state;
	for (size_t len = 0; len < DNS_HEADER_SIZE; len++)
		assert_int_equal(dns_question_parse(m.bytes, len, &q), -EINVAL);
	m.bytes[2] |= 0x80; /* an answer: two resolvers must not talk to each other for ever */
	assert_int_equal(dns_question_parse(m.bytes, m.len, &q), -EINVAL);
	m.bytes[2] = 0x28; /* an update */
	assert_int_equal(dns_question_parse(m.bytes, m.len, &q), -EBADMSG);
	m.bytes[2] = 0x01;
	m.bytes[5] = 2;
	assert_int_equal(dns_question_parse(m.bytes, m.len, &q), -EBADMSG);
}

static struct ip_address address(const char *text)
{
	struct ip_address address;

	assert_int_equal(ip_address_parse(text, &address), 0);
	return address;
}

static void shared_names_are_given_in_turn(void **state)
{
	const struct ip_address addresses[] = {address("10.0.0.1"), address("10.0.0.2")};
	struct dns_answer answer = {.addresses = addresses, .address_count = 2, .first = 1};
	struct message m = ASK("\3web", DNS_TYPE_A);
	struct dns_question q;
	uint8_t to[DNS_UDP_USUAL];
	size_t len;

	(void)state;
	assert_int_equal(dns_question_parse(m.bytes, m.len, &q), 0);
	len = dns_answer_write(m.bytes, &q, &answer, to, sizeof(to));
	assert_int_equal(len, m.len + 2 * 16);
	assert_memory_equal(to, "\x12\x34\x81\x80\0\1\0\2\0\0\0\0", DNS_HEADER_SIZE);
	assert_memory_equal(to + m.len, "\xc0\x0c\0\1\0\1\0\0\2\x58\0\4\x0a\0\0\2", 16);
	assert_memory_equal(to + m.len + 16, "\xc0\x0c\0\1\0\1\0\0\2\x58\0\4\x0a\0\0\1", 16);
	assert_true(dns_answers(m.bytes, m.len, to, len));
}

static void what_does_not_fit_is_left_out_and_said(void **state)
{
	struct message m = ASK("\3web", DNS_TYPE_AAAA);
	struct ip_address addresses[64];
	struct dns_answer answer = {.addresses = addresses, .address_count = 64};
	uint8_t to[DNS_UDP_USUAL];
	struct dns_question q;
	size_t len;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++)
		addresses[i] = address("fd12::1");
	assert_int_equal(dns_question_parse(m.bytes, m.len, &q), 0);
	for (size_t size = m.len; size <= sizeof(to); size++) {
		len = dns_answer_write(m.bytes, &q, &answer, to, size);
		assert_true(len <= size);
		assert_int_equal(to[2] & 0x02, 0x02);
		assert_int_equal(to[7], (size - m.len) / 28);
	}
}

static void an_answer_is_one_to_the_question_or_not(void **state)
{
	struct message asked = ASK("\3web", DNS_TYPE_A);
	struct message good = ASK("\3WEB", DNS_TYPE_A);
	struct message other = ASK("\3wab", DNS_TYPE_A);
	struct message type = ASK("\3web", DNS_TYPE_AAAA);
	struct message *all[] = {&good, &other, &type};

	(void)state;
	assert_false(dns_answers(asked.bytes, asked.len, good.bytes, good.len));
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		all[i]->bytes[2] |= 0x80;
		assert_int_equal(dns_answers(asked.bytes, asked.len, all[i]->bytes, all[i]->len),
				 i == 0);
	}
	for (size_t len = 0; len < good.len; len++)
		assert_false(dns_answers(asked.bytes, asked.len, good.bytes, len));
	good.bytes[0]++; /* guessed, with another id */
	assert_false(dns_answers(asked.bytes, asked.len, good.bytes, good.len));
}

static void reverse_names(void **state)
{
	static const struct {
		const char *name, *address;
	} cases[] = {
		{"2.0.17.172.in-addr.arpa", "172.17.0.2"},
		{"255.255.255.255.in-addr.arpa", "255.255.255.255"},
		{"256.0.17.172.in-addr.arpa", NULL},
		{"0.17.172.in-addr.arpa", NULL},
		{"1.2.0.17.172.in-addr.arpa", NULL},
		{"2.0.17.172.in-addr.arpx.in-addr.arpa", NULL},
		{"+2.0.17.172.in-addr.arpa", NULL},
		{"02.0.17.172.in-addr.arpa", NULL},
		{"in-addr.arpa", NULL},
		{".in-addr.arpa", NULL},
		{"", NULL},
		{"2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.2.1.d.f.ip6.arpa",
		 "fd12::2"},
		{"g.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.2.1.d.f.ip6.arpa", NULL},
		{"2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.2.1.d.f.ip7.arpa", NULL},
		{"ip6.arpa", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ip_address found;
		char text[IP_TEXT_SIZE];

		if (dns_reverse_parse(cases[i].name, &found) != !!cases[i].address)
			fail_msg("%s", cases[i].name);
		if (!cases[i].address)
			continue;
		ip_address_format(&found, text);
		assert_string_equal(text, cases[i].address);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_question_is_read),
		cmocka_unit_test(bytes_that_no_name_shows_match_nothing),
		cmocka_unit_test(edns_says_how_long_an_answer_may_be),
		cmocka_unit_test(broken_questions_deserve_a_format_error),
		cmocka_unit_test(a_name_has_255_bytes_at_most),
		cmocka_unit_test(what_is_no_question_is_not_answered),
		cmocka_unit_test(shared_names_are_given_in_turn),
		cmocka_unit_test(what_does_not_fit_is_left_out_and_said),
		cmocka_unit_test(an_answer_is_one_to_the_question_or_not),
		cmocka_unit_test(reverse_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
