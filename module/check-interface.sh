#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# check-interface.sh BUILD-TREE: has that kernel the revision of the Dovetail interface which this core is
# written to? One line if not, and status 1.
set -u
want=$(sed -n 's/^#define EVL_DOVETAIL_REVISION[[:space:]]*//p' "$(dirname "$0")/compat.h")

# A build tree apart from its sources has a link to them.
for tree in "$1" "$1/source"; do
	[ -r "$tree/include/linux/dovetail.h" ] || continue
	have=$(sed -n 's/^#define DOVETAIL_CORE_ABI[[:space:]]*//p' "$tree/include/linux/dovetail.h")
	[ "$have" = "$want" ] && exit 0
	echo "evl: revision ${have:-unknown} of the Dovetail interface is in the kernel of $1, this core wants $want:" \
		"install the evl-dkms and the kernel of one release" >&2
	exit 1
done

echo "evl: the kernel of $1 has no Dovetail (no include/linux/dovetail.h): apply dovetail-patches/ to it" >&2
exit 1
