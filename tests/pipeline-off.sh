#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# property: with irq_pipeline=off the machine runs as stock, gives the reason, and the pipeline's services
# refuse instead of failing half-way.
#
# evl-vm: smp=2 kernel=evl debug=yes timeout=60 nocore append="irq_pipeline=off"
. "$(dirname "$0")/lib.sh"

run_test_module evl-pipeline-test
