#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# property: that of packaging.sh, which make check cannot look into where the rig builds, for want of half the tree.
cd "$(dirname "$0")/.." && exec sh tests/packaging.sh
