// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a power cut would cost otherwise: the histogram of a long run, saved time and again while it goes on, next to
 * the file which the result is for. The driver keeps the samples of these runs, and shows them without stopping.
 */
#include "latmus.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LONG_RUN_S	600
#define INTERVAL_S	300

static const char *target(const struct options *opt)
{
	return opt->plot_file ?: opt->json_file;
}

static const char *checkpoint_path(const struct options *opt)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s.partial", target(opt));

	return path;
}

/* Only the driver counts for whoever asks in between. */
static bool can_peek(const struct options *opt)
{
	return opt->mode == MODE_MEASURE && opt->context <= EVL_LAT_LAST;
}

void settle_checkpoint(struct options *opt)
{
	bool asked = opt->checkpoint_s > 0, endless = !opt->timeout_s && !opt->samples;

	if (asked && !target(opt))
		tool_die(STATUS_USAGE, "--checkpoint goes with -g=FILE or --json=FILE, next to which it saves");
	if (asked && !can_peek(opt))
		tool_die(STATUS_USAGE, "--checkpoint goes with -i, -k, -u and -s, whose samples the driver keeps");
	if (opt->checkpoint_s < 0)
		opt->checkpoint_s = endless || opt->timeout_s > LONG_RUN_S ? INTERVAL_S : 0;
	if (!target(opt) || !can_peek(opt))
		opt->checkpoint_s = 0;
}

/* One left behind is all that there is of a run which was cut short. */
void check_checkpoint(const struct options *opt)
{
	if (opt->checkpoint_s)
		check_result_path(checkpoint_path(opt), opt->overwrite);
}

/* Spikes are for the end. */
static bool peek(const struct run *run, struct figures *sum)
{
	struct figures fig = { .nr_cells = sum->nr_cells, .cell_ns = sum->cell_ns };
	bool good;

	make_cells(&fig);
	fig.result.hist_ptr = (uintptr_t)fig.cells;
	fig.result.hist_cells = fig.nr_cells;
	good = !ioctl(run->fd, EVL_LATIOC_PEEK, &fig.result);
	if (good)
		add_figures(sum, &fig);
	free_figures(&fig);

	return good;
}

static bool peek_all(const struct run *runs, int nr, struct figures *sum)
{
	int n;

	make_cells(sum);
	for (n = 0; n < nr; n++)
		if (!peek(&runs[n], sum))
			return false;

	return true;
}

/* Whatever goes wrong, the measurement goes on. */
void save_checkpoint(const struct run *runs, int nr)
{
	struct environment env = *runs->env;
	struct run part = *runs;
	const char *path = checkpoint_path(part.opt);
	FILE *out;

	if (nr > 1)
		snprintf(env.place, sizeof(env.place), "%d CPUs", nr);
	part.env = &env;
	part.fig.cells = NULL;
	part.taint = "saved while the run went on";
	if (!peek_all(runs, nr, &part.fig)) {
		tool_warn("no checkpoint: the driver does not tell: %s", strerror(errno));
	} else {
		out = begin_result(path, true);
		if (out) {
			print_data(out, &part);
			end_result(out, path);
		}
	}
	free_figures(&part.fig);
}

/* Once the result is where it belongs. */
void drop_checkpoint(const struct options *opt)
{
	if (opt->checkpoint_s && unlink(checkpoint_path(opt)) && errno != ENOENT)
		tool_warn("%s: %s", checkpoint_path(opt), strerror(errno));
}
