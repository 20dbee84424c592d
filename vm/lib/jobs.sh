# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Parts of a check side by side: each says how many CPUs of the host it keeps busy, and waits until there
# are as many. A part is a subshell; what it counts (tap.sh) is brought home when it ends.

JOB_CPUS=$(nproc)
JOB_FREE=$JOB_CPUS
declare -A JOB_WEIGHT=() JOB_COUNTS=()

# run_job FILE COMMAND...: in the subshell. The files of the parts before it are not its own to remove.
run_job() {
	local counts=$1
	shift
	JOB_WEIGHT=() JOB_COUNTS=()
	clean_up_by leave
	reset_counts
	"$@"
	print_counts >"$counts"
}

# start_job CPUS COMMAND...: waits until that many are free; all of them are enough for anybody.
start_job() {
	local weight=$(($1 < JOB_CPUS ? $1 : JOB_CPUS)) counts
	shift
	while [ "$JOB_FREE" -lt "$weight" ]; do reap_job; done
	counts=$(mktemp) || die "cannot make a file"
	(run_job "$counts" "$@") </dev/null &
	JOB_WEIGHT[$!]=$weight
	JOB_COUNTS[$!]=$counts
	JOB_FREE=$((JOB_FREE - weight))
}

# Waits for the first which has ended. By polling: bash forgets jobs which end while it does something else.
reap_job() {
	local pid
	while :; do
		for pid in "${!JOB_WEIGHT[@]}"; do
			kill -0 "$pid" 2>/dev/null || break 2
		done
		sleep 0.2
	done
	JOB_FREE=$((JOB_FREE + JOB_WEIGHT[$pid]))
	add_counts "${JOB_COUNTS[$pid]}"
	rm -f "${JOB_COUNTS[$pid]}"
	unset "JOB_WEIGHT[$pid]" "JOB_COUNTS[$pid]"
}

await_jobs() {
	while [ ${#JOB_WEIGHT[@]} -gt 0 ]; do reap_job; done
}
