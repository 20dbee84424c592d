# SPDX-License-Identifier: GPL-2.0-only
# Companion programs: latmus, and evl with its plug-ins in $(libexecdir)/evl.
evlcmddir = $(libexecdir)/evl

UTILS_CPPFLAGS = $(AM_CPPFLAGS) -DEVL_CMDDIR=\"$(evlcmddir)\" -DEVL_TESTDIR=\"$(evltestdir)\"
UTILS_COMMON = utils/common/tool.c utils/common/tool.h utils/common/json.c

bin_PROGRAMS += utils/latmus/latmus

utils_latmus_latmus_CPPFLAGS = $(UTILS_CPPFLAGS)
utils_latmus_latmus_LDADD = libevl/libevl.la -lm
utils_latmus_latmus_SOURCES =		\
	utils/latmus/main.c		\
	utils/latmus/latmus.h		\
	utils/latmus/options.c		\
	utils/latmus/environment.c	\
	utils/latmus/figures.c		\
	utils/latmus/run.c		\
	utils/latmus/screen.c		\
	utils/latmus/datafile.c		\
	utils/latmus/result-json.c	\
	utils/latmus/tune.c		\
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
	utils/evl/evl-trace
dist_evlcmd_DATA =			\
	utils/evl/check.awk		\
	utils/evl/explain.awk		\
	utils/evl/kconf-checklist.evl	\
	utils/evl/probes.sh		\
	utils/evl/tool.sh		\
	utils/evl/trace.evl		\
	utils/evl/trace.irq		\
	utils/evl/trace.timer

dist_man_MANS +=			\
	utils/man/evl.1			\
	utils/man/evl-check.1		\
	utils/man/evl-ps.1		\
	utils/man/evl-test.1		\
	utils/man/latmus.1
