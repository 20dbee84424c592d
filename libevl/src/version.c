/* SPDX-License-Identifier: MIT */
#include <evl/evl.h>
#include "internal.h"
#include "git-stamp.h"	/* made by the build: EVL_GIT_STAMP, empty outside of a git checkout */

#define text(__x)	#__x
#define value_text(__x)	text(__x)

static const char version_string[] =
	"evl." value_text(EVL_SERIAL) EVL_GIT_STAMP " [requires ABI " value_text(EVL_ABI_PREREQ) "]";

EVL_API struct evl_version evl_get_version(void)
{
	struct evl_version version = {
		.api_level = __EVL__,
		.abi_level = evl_check_core() ? EVL_ABI_PREREQ : evl_core.abi_level,
		.version_string = version_string,
	};

	return version;
}
