/* SPDX-License-Identifier: Apache-2.0 */
#include "template/type.h"

#include <stddef.h>

const struct template_type template_any = {TEMPLATE_ANY, "interface {}"};
const struct template_type template_bool = {TEMPLATE_BOOL, "bool"};
const struct template_type template_int = {TEMPLATE_INT, "int"};
const struct template_type template_int64 = {TEMPLATE_INT, "int64"};
const struct template_type template_uint64 = {TEMPLATE_INT, "uint64"};
const struct template_type template_float = {TEMPLATE_FLOAT, "float64"};
const struct template_type template_string = {TEMPLATE_STRING, "string"};
const struct template_type template_time = {TEMPLATE_TIME, "time.Time"};
const struct template_type template_strings = {
	TEMPLATE_LIST,
	"[]string",
	.elem = &template_string,
};
const struct template_type template_string_map = {
	TEMPLATE_MAP,
	"map[string]string",
	.elem = &template_string,
};
const struct template_type template_bool_pointer = {
	TEMPLATE_POINTER,
	"*bool",
	.elem = &template_bool,
};
const struct template_type template_int64_pointer = {
	TEMPLATE_POINTER,
	"*int64",
	.elem = &template_int64,
};
const struct template_type template_any_map = {
	TEMPLATE_MAP,
	"map[string]interface {}",
	.elem = &template_any,
};
