# SPDX-License-Identifier: GPL-2.0-only
# Companion programs: latmus, and evl with its plug-ins in $(libexecdir)/evl.
evlcmddir = $(libexecdir)/evl

UTILS_CPPFLAGS = $(AM_CPPFLAGS) -DEVL_CMDDIR=\"$(evlcmddir)\" -DEVL_TESTDIR=\"$(evltestdir)\"
UTILS_COMMON = utils/common/tool.c utils/common/tool.h utils/common/json.c utils/common/core.c \
	utils/common/option.c utils/common/result.c

UTILS_GPIO = utils/common/wire.c utils/common/wire.h	\
	utils/common/gpio-line.c utils/common/gpio-line.h

bin_PROGRAMS += utils/latmus/latmus

utils_latmus_latmus_CPPFLAGS = $(UTILS_CPPFLAGS)
utils_latmus_latmus_LDADD = libevl/libevl.la -lm
utils_latmus_latmus_SOURCES =		\
	utils/latmus/main.c		\
	utils/latmus/run.c		\
	utils/latmus/exchange.c		\
	utils/latmus/gpio.c		\
	$(LATMUS_PARTS)

# What goes without a driver; tests/tools/latmus too is made of it.
LATMUS_PARTS =				\
	utils/latmus/latmus.h		\
	utils/latmus/options.c		\
	utils/latmus/environment.c	\
	utils/latmus/figures.c		\
	utils/latmus/checkpoint.c	\
	utils/latmus/trace.c		\
	utils/latmus/watch.c		\
	utils/latmus/screen.c		\
	utils/latmus/datafile.c		\
	utils/latmus/result-json.c	\
	utils/latmus/tune.c		\
	$(UTILS_GPIO)			\
	$(UTILS_COMMON)

bin_PROGRAMS += utils/latmon/latmon

utils_latmon_latmon_CPPFLAGS = $(UTILS_CPPFLAGS)
utils_latmon_latmon_LDADD = libevl/libevl.la
utils_latmon_latmon_SOURCES = utils/latmon/main.c $(UTILS_GPIO) $(UTILS_COMMON)

bin_PROGRAMS += utils/hectic/hectic

utils_hectic_hectic_CPPFLAGS = $(UTILS_CPPFLAGS)
utils_hectic_hectic_LDADD = libevl/libevl.la -lm
utils_hectic_hectic_SOURCES =		\
	utils/hectic/main.c		\
	utils/hectic/hectic.h		\
	utils/hectic/options.c		\
	utils/hectic/spec.c		\
	utils/hectic/fpu.c		\
	utils/hectic/crew.c		\
	utils/hectic/report.c		\
	utils/common/vectors.h		\
	$(UTILS_COMMON)

bin_PROGRAMS += utils/evl/evl

utils_evl_evl_CPPFLAGS = $(UTILS_CPPFLAGS)
utils_evl_evl_LDADD = libevl/libevl.la
utils_evl_evl_SOURCES = utils/evl/evl.c utils/common/tool.c utils/common/tool.h

evlcmd_PROGRAMS = utils/evl/evl-ps

utils_evl_evl_ps_CPPFLAGS = $(UTILS_CPPFLAGS)
utils_evl_evl_ps_LDADD = libevl/libevl.la -lm
utils_evl_evl_ps_SOURCES = utils/evl/ps.c utils/evl/ps.h utils/evl/ps-thread.c $(UTILS_COMMON)

# Plug-ins which are scripts, what they source, and their data.
dist_evlcmd_SCRIPTS =			\
	utils/evl/evl-check		\
	utils/evl/evl-doctor		\
	utils/evl/evl-gdb		\
	utils/evl/evl-help		\
	utils/evl/evl-start		\
	utils/evl/evl-status		\
	utils/evl/evl-stop		\
	utils/evl/evl-test		\
	utils/evl/evl-trace		\
	utils/evl/evl-bench		\
	utils/evl/evl-plot		\
	utils/evl/evl-report		\
	utils/evl/evl-tune
dist_evlcmd_DATA =			\
	utils/evl/check.awk		\
	utils/evl/explain.awk		\
	utils/evl/json.awk		\
	utils/evl/results.sh		\
	utils/evl/series.awk		\
	utils/evl/kconf-checklist.evl	\
	utils/evl/probes.sh		\
	utils/evl/tool.sh		\
	utils/evl/trace.evl		\
	utils/evl/trace.irq		\
	utils/evl/trace.timer

# Completion of bash, made from the option lines of the help texts.
completion_from =			\
	utils/evl/evl.c			\
	utils/evl/ps.c			\
	$(dist_evlcmd_SCRIPTS)		\
	utils/hectic/options.c		\
	utils/latmon/main.c		\
	utils/latmus/options.c
bashcompdir = $(datadir)/bash-completion/completions
bashcomp_DATA = utils/completion/evl utils/completion/hectic utils/completion/latmon utils/completion/latmus
CLEANFILES += $(bashcomp_DATA)

utils/completion/evl: $(completion_from) utils/completion/generate utils/evl/tool.sh
	$(AM_V_GEN)$(MKDIR_P) utils/completion && cd $(srcdir) &&				\
		$(SHELL) utils/completion/generate $(completion_from) >$(abs_builddir)/$@.new &&	\
		mv $(abs_builddir)/$@.new $(abs_builddir)/$@

# bash looks for a file of the command's name.
utils/completion/hectic utils/completion/latmon utils/completion/latmus: utils/completion/evl
	$(AM_V_GEN)cp utils/completion/evl $@

# What the JSON of the tools looks like.
schemadir = $(datadir)/evl/schemas
dist_schema_DATA =				\
	utils/schemas/evl-bench.schema.json	\
	utils/schemas/evl-check.schema.json	\
	utils/schemas/evl-doctor.schema.json	\
	utils/schemas/evl-hectic.schema.json	\
	utils/schemas/evl-latmus.schema.json	\
	utils/schemas/evl-latmus-second.schema.json	\
	utils/schemas/evl-provenance.schema.json	\
	utils/schemas/evl-ps.schema.json	\
	utils/schemas/evl-report.schema.json	\
	utils/schemas/evl-test.schema.json	\
	utils/schemas/evl-trace.schema.json	\
	utils/schemas/evl-tune.schema.json

EXTRA_DIST += utils/completion/generate

dist_man_MANS +=			\
	utils/man/evl.1			\
	utils/man/evl-bench.1		\
	utils/man/evl-check.1		\
	utils/man/evl-doctor.1		\
	utils/man/evl-gdb.1		\
	utils/man/evl-help.1		\
	utils/man/evl-plot.1		\
	utils/man/evl-ps.1		\
	utils/man/evl-report.1		\
	utils/man/evl-start.1		\
	utils/man/evl-status.1		\
	utils/man/evl-stop.1		\
	utils/man/evl-test.1		\
	utils/man/evl-trace.1		\
	utils/man/evl-tune.1		\
	utils/man/hectic.1		\
	utils/man/latmon.1		\
	utils/man/latmus.1
