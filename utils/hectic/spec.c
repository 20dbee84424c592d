// SPDX-License-Identifier: GPL-2.0-only
/* Thread specifications: <kind>[_ufpp][_ufps][<cpu>] */
#include "hectic.h"
#include <string.h>

static const char *const kind_names[] = {
	[KIND_SWITCHER] = "switcher", [KIND_RTK] = "rtk", [KIND_RTUP] = "rtup", [KIND_RTUS] = "rtus",
	[KIND_RTUO] = "rtuo", [KIND_FPU_STRESS] = "fpu_stress",
};

static bool skip_word(const char **text, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(*text, word, len))
		return false;
	*text += len;

	return true;
}

static bool parse_kind(const char **text, enum kind *kind)
{
	int k;

	for (k = KIND_RTK; k <= KIND_RTUO; k++) {
		if (skip_word(text, kind_names[k])) {
			*kind = (enum kind)k;
			return true;
		}
	}

	return false;
}

const char *parse_spec(const char *word, struct spec *spec)
{
	long cpu = 0;

	*spec = (struct spec) { };
	if (!parse_kind(&word, &spec->kind))
		return "no kind of thread: expected rtk, rtup, rtus or rtuo";
	spec->fpu_oob = skip_word(&word, "_ufpp");
	spec->fpu_inband = skip_word(&word, "_ufps");
	if (*word && !tool_parse_number(word, 0, CPU_SETSIZE - 1, &cpu))
		return "after the kind, expected _ufpp, _ufps in this order, and the number of a CPU";
	spec->cpu = (int)cpu;
	if (spec->fpu_oob && spec->kind == KIND_RTUS)
		return "rtus stays in-band: no _ufpp";
	if (spec->fpu_inband && spec->kind == KIND_RTUP)
		return "rtup stays out-of-band: no _ufps";
	if (spec->fpu_inband && spec->kind == KIND_RTK)
		return "rtk stays out-of-band: no _ufps";
	if (spec->fpu_oob && spec->kind == KIND_RTK)
		return "this architecture has no FPU for kernel threads of the core: no _ufpp with rtk";

	return NULL;
}

void name_thread(char name[NAME_SIZE], const struct spec *spec, int index)
{
	snprintf(name, NAME_SIZE, "%s%s%s%d-%d", kind_names[spec->kind], spec->fpu_oob ? "_ufpp" : "",
		 spec->fpu_inband ? "_ufps" : "", spec->cpu, index);
}

int default_specs(struct spec *specs, int cpu, bool nofpu)
{
	static const struct spec set[] = {
		{ .kind = KIND_RTK }, { .kind = KIND_RTUP }, { .kind = KIND_RTUP, .fpu_oob = true },
		{ .kind = KIND_RTUS }, { .kind = KIND_RTUS, .fpu_inband = true },
		{ .kind = KIND_RTUO }, { .kind = KIND_RTUO, .fpu_oob = true },
		{ .kind = KIND_RTUO, .fpu_inband = true },
		{ .kind = KIND_RTUO, .fpu_oob = true, .fpu_inband = true },
	};
	size_t n;
	int count = 0, twice;

	for (n = 0; n < sizeof(set) / sizeof(set[0]); n++) {
		if (nofpu && (set[n].fpu_oob || set[n].fpu_inband))
			continue;
		for (twice = 0; twice < 2; twice++) {
			specs[count] = set[n];
			specs[count++].cpu = cpu;
		}
	}

	return count;
}
