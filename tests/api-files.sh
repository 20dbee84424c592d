#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# property: kernel code uses cross-buffers and files by descriptors of a process, as docs/driver-api.md has
# it.
#
# evl-vm: smp=1,2 kernel=evl debug=yes timeout=120
here=$(dirname "$0")
. "$here/lib.sh"

have_test_module evl-api-test || skip_all "evl-api-test.ko is not installed for $(uname -r)"
[ -e /dev/evl/control ] || skip_all "the core is not loaded"

check "the module loads" load_test_module evl-api-test only=files
"$here/rig-api-files" >files.out 2>&1
ok $? "a program works with it"
sed 's/^/#   /' files.out
exec 9<>/dev/evl-api-test
refuse "the module is in use while its device is open" rmmod evl_api_test
exec 9>&-
check "it goes" rmmod evl_api_test
finish
