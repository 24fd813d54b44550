/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_cdi.c - specifications of devices, as JSON and as YAML
 *
 * Input: 'j' or 'y', the document. Its device "a/b=c" is applied to a small configuration.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "engine/cdi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_(error_release) struct error err = {0}, apply_err = {0};
	auto_(cdi_edits_release) struct cdi_edits edits = {0};
	auto_(strv_release) struct strv groups = {0};
	auto_(json_decref) json_t *spec = NULL;
	auto_(json_decref) json_t *config = NULL;
	const json_t *device;
	json_t *own;

	if (size == 0 || cdi_spec_parse((const char *)data + 1, size - 1,
					data[0] == 'j' ? "x.json" : "x.yaml", &spec, &err) < 0)
		return 0;
	if (cdi_spec_find(spec, "a/b=c", &device, &err) <= 0)
		return 0;
	own = json_object_get(device, "containerEdits");
	if (!own)
		return 0;
	edits.list = json_array();
	(void)json_array_append(edits.list, own);
	config = json_pack("{s:{s:[]}, s:{s:{}}, s:[]}", "process", "env", "linux", "resources",
			   "mounts");
	if (cdi_edits_apply(&edits, config, &apply_err) == 0)
		cdi_edits_groups(&edits, &groups);
	return 0;
}
