/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/confirm.h"

#include <stdio.h>
#include <string.h>

bool confirm(const struct cli *cli, const char *warning)
{
	char answer[8];

	(void)fprintf(cli->out, "%s\nAre you sure you want to continue? [y/N] ", warning);
	(void)fflush(cli->out);
	if (!fgets(answer, sizeof(answer), stdin))
		return false;
	return strcmp(answer, "y\n") == 0 || strcmp(answer, "Y\n") == 0;
}
