# SPDX-License-Identifier: GPL-2.0-only
# Checks of the build environment. A check which fails says what was sought, and the Debian package or
# the option which helps.

# EVL_MISSING(WHAT, HELP): end of the road.
AC_DEFUN([EVL_MISSING], [AC_MSG_ERROR([$1. $2])])

# EVL_CHECK_HOST: the architectures the library has an out-of-band call for.
AC_DEFUN([EVL_CHECK_HOST], [
  AS_CASE([$host],
    [x86_64-*-linux-gnux32],
      [EVL_MISSING([libevl does not support the x32 ABI], [Build for x86_64-linux-gnu])],
    [x86_64-*-linux*], [EVL_ARCH=x86],
    [EVL_MISSING([libevl has no support for $host], [Supported: x86_64-linux-gnu])])
  AC_SUBST([EVL_ARCH])
])

# EVL_ARG_CONFIG: --with-config=user|kernel|all.
AC_DEFUN([EVL_ARG_CONFIG], [
  AC_ARG_WITH([config],
    [AS_HELP_STRING([--with-config=user|kernel|all],
      [what to build: library, programs and tests; the kernel module; or both @<:@user@:>@])],
    [], [with_config=user])
  AS_CASE([$with_config], [user|kernel|all], [],
    [AC_MSG_ERROR([--with-config=$with_config: expected user, kernel or all])])
  AM_CONDITIONAL([WITH_USER], [test "$with_config" != kernel])
  AM_CONDITIONAL([WITH_KERNEL], [test "$with_config" != user])
])

# EVL_ARG_LINUX_OBJ: --with-linux-obj=DIR, handed to module/Makefile as KERNELDIR.
AC_DEFUN([EVL_ARG_LINUX_OBJ], [
  AC_ARG_WITH([linux-obj],
    [AS_HELP_STRING([--with-linux-obj=DIR],
      [build tree or headers of the patched kernel @<:@/lib/modules/$(uname -r)/build@:>@])],
    [LINUX_OBJ=$with_linux_obj], [LINUX_OBJ=/lib/modules/`uname -r`/build])
  AS_CASE([$LINUX_OBJ], [yes|no], [AC_MSG_ERROR([--with-linux-obj needs a directory])])
  AC_SUBST([LINUX_OBJ])
])

# EVL_CHECK_KERNEL_TREE: can a module for a patched kernel be built against LINUX_OBJ?
AC_DEFUN([EVL_CHECK_KERNEL_TREE], [
  AC_MSG_CHECKING([for a kernel build tree in $LINUX_OBJ])
  AS_IF([test -f "$LINUX_OBJ/Makefile" && test -f "$LINUX_OBJ/include/config/auto.conf"],
    [AC_MSG_RESULT([yes])],
    [AC_MSG_RESULT([no])
     EVL_MISSING([no configured kernel build tree in $LINUX_OBJ],
       [Install the linux-headers package of the patched kernel, or use --with-linux-obj=DIR])])
  AC_MSG_CHECKING([whether that kernel has CONFIG_DOVETAIL])
  AS_IF([grep -q '^CONFIG_DOVETAIL=y' "$LINUX_OBJ/include/config/auto.conf"],
    [AC_MSG_RESULT([yes])],
    [AC_MSG_RESULT([no])
     EVL_MISSING([the kernel in $LINUX_OBJ lacks CONFIG_DOVETAIL],
       [Apply dovetail-patches/ to its source, or point --with-linux-obj at a patched one])])
])

AC_DEFUN([EVL_NEED_MAKE], [
  AC_CHECK_PROG([HAVE_MAKE], [make], [yes], [no])
  AS_IF([test $HAVE_MAKE = no], [EVL_MISSING([make not found in PATH], [Debian: apt install make])])
])

# Autoconf's own message about a missing compiler names no package.
AC_DEFUN([EVL_NEED_CC], [
  AS_IF([test -z "$CC"], [
    AC_CHECK_PROGS([EVL_SOME_CC], [gcc cc clang], [no])
    AS_IF([test "$EVL_SOME_CC" = no],
      [EVL_MISSING([no C compiler found in PATH (gcc, cc, clang)], [Debian: apt install gcc libc6-dev])])])
  AC_PROG_CC
])

AC_DEFUN([EVL_NEED_LIBC], [
  AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[
#include <stdio.h>
#include <pthread.h>
]])], [], [EVL_MISSING([the C library headers are missing], [Debian: apt install libc6-dev])])
])

# The C++ compiler only serves to check headers.
AC_DEFUN([EVL_CHECK_CXX_WORKS], [
  AC_LANG_PUSH([C++])
  AC_MSG_CHECKING([whether $CXX works])
  AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[#include <cstddef>]])], [evl_have_cxx=yes],
    [evl_have_cxx="no (apt install g++)"])
  AC_LANG_POP([C++])
  AC_MSG_RESULT([$evl_have_cxx])
  AS_IF([test "$evl_have_cxx" = yes], [HEADER_CXX=$CXX], [HEADER_CXX=])
  AC_SUBST([HEADER_CXX])
])

# A second compiler family for the headers.
AC_DEFUN([EVL_CHECK_CLANG], [
  AC_CHECK_PROG([CLANG], [clang], [clang])
  AC_CHECK_PROG([CLANGXX], [clang++], [clang++])
  AS_IF([test -n "$CLANG"], [evl_have_clang=yes], [evl_have_clang="no (apt install clang)"])
])

AC_DEFUN([EVL_CHECK_MANDOC], [
  AC_CHECK_PROG([MANDOC], [mandoc], [mandoc])
  AS_IF([test -n "$MANDOC"], [evl_have_mandoc=yes], [evl_have_mandoc="no (apt install mandoc)"])
])

# Unit tests are written with Check. Without it "make check" reports them as skipped.
AC_DEFUN([EVL_CHECK_UNIT_TESTS], [
  m4_ifndef([PKG_CHECK_MODULES],
    [m4_fatal([pkg.m4 not found; Debian: apt install pkg-config])])
  PKG_PROG_PKG_CONFIG([0.29])
  AS_IF([test -z "$PKG_CONFIG"],
    [evl_have_check="no (apt install pkg-config check)"],
    [PKG_CHECK_MODULES([CHECK], [check >= 0.12], [evl_have_check=yes],
      [evl_have_check="no (apt install check)"])])
  AM_CONDITIONAL([HAVE_CHECK], [test "$evl_have_check" = yes])
])

# <linux/types.h> and what it includes.
AC_DEFUN([EVL_CHECK_UAPI_HEADERS], [
  AC_CHECK_HEADER([linux/types.h], [],
    [EVL_MISSING([<linux/types.h> not found], [Debian: apt install linux-libc-dev])])
])

# Warnings always, errors in maintainer mode only.
AC_DEFUN([EVL_WARNINGS], [
  EVL_CFLAGS="-Wall -Wextra -Wshadow -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes $EVL_CFLAGS"
  AS_IF([test "$USE_MAINTAINER_MODE" = yes], [EVL_CFLAGS="$EVL_CFLAGS -Werror"])
])

AC_DEFUN([EVL_SUMMARY], [
  AS_IF([test "$with_config" = user], [evl_module="no (--with-config=all)"],
    [evl_module="yes, against $LINUX_OBJ"])
  AS_IF([test "$with_config" = kernel], [evl_user="no (--with-config=all)"], [evl_user=yes])
  AS_IF([test "$USE_MAINTAINER_MODE" = yes], [evl_maint="yes, warnings are errors"],
    [evl_maint="no (--enable-maintainer-mode)"])
  AC_MSG_NOTICE([
    evl $PACKAGE_VERSION
      library, programs, tests: $evl_user
      kernel module:            $evl_module
      prefix:                   $prefix
      compiler:                 $CC $CFLAGS
      maintainer mode:          $evl_maint
      unit tests (Check):       $evl_have_check
      headers as C++:           $evl_have_cxx
      headers with clang:       $evl_have_clang
      manual page checks:       $evl_have_mandoc
  ])
])
