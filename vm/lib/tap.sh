# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Test results: TAP in, counts out.

reset_counts() {
	TESTS_PASSED=0 TESTS_FAILED=0 TESTS_SKIPPED=0
	SKIP_REASONS=()
	FAILED_NAMES=()
}

reset_counts

# One line per number and per sentence, for add_counts.
print_counts() {
	printf 'counts %s %s %s\n' "$TESTS_PASSED" "$TESTS_FAILED" "$TESTS_SKIPPED"
	[ ${#FAILED_NAMES[@]} = 0 ] || printf 'failed %s\n' "${FAILED_NAMES[@]}"
	[ ${#SKIP_REASONS[@]} = 0 ] || printf 'skipped %s\n' "${SKIP_REASONS[@]}"
}

# add_counts FILE: of a part of the check; an empty one did not get to its end.
add_counts() {
	local kind text passed failed skipped
	[ -s "$1" ] || count_failure "check" "a part of it broke off"
	while read -r kind text; do
		case $kind in
		counts)
			read -r passed failed skipped <<<"$text"
			TESTS_PASSED=$((TESTS_PASSED + passed))
			TESTS_FAILED=$((TESTS_FAILED + failed))
			TESTS_SKIPPED=$((TESTS_SKIPPED + skipped))
			;;
		failed)  FAILED_NAMES+=("$text") ;;
		skipped) SKIP_REASONS+=("$text") ;;
		esac
	done <"$1"
}

count_failure() { # NAME REASON
	TESTS_FAILED=$((TESTS_FAILED + 1))
	FAILED_NAMES+=("$1: $2")
	say "FAILED $1: $2"
}

count_skip() { # NAME REASON
	TESTS_SKIPPED=$((TESTS_SKIPPED + 1))
	SKIP_REASONS+=("$1: $2")
}

# tap_points FILE: one line per point, "ok TEXT", "no TEXT" or "skip TEXT", and
# "fault TEXT" for output that breaks its own plan.
tap_points() {
	awk '
		{ sub(/\r$/, "") }
		/^1\.\.[0-9]+/ {
			plan = substr($1, 4) + 0; planned = 1
			if (plan == 0) print "skip " (match($0, /# *[Ss][Kk][Ii][Pp]/) ? substr($0, RSTART + RLENGTH) : "nothing to test")
			next
		}
		/^Bail out!/ { print "fault " $0; next }
		/^not ok/    { seen++; print "no " $0; next }
		/^ok/ {
			seen++
			if (match($0, /# *[Ss][Kk][Ii][Pp]/)) print "skip " $0
			else print "ok " $0
		}
		END {
			if (!planned && seen) print "fault no plan line (1..N)"
			else if (planned && plan != seen + 0 && plan > 0) print "fault planned " plan " checks, made " seen + 0
		}
	' "$1"
}

# count_tap NAME OUTPUT STATUS: adds the points of one finished test.
count_tap() {
	local name=$1 output=$2 status=$3 kind text points=0 failures=0
	while read -r kind text; do
		points=$((points + 1))
		case $kind in
		ok)   TESTS_PASSED=$((TESTS_PASSED + 1)) ;;
		skip) count_skip "$name" "${text#ok }" ;;
		*)    failures=$((failures + 1)); count_failure "$name" "$text" ;;
		esac
	done < <(tap_points "$output")
	if [ "$status" = 77 ] && [ "$failures" = 0 ]; then
		[ "$points" -gt 0 ] || count_skip "$name" "$(tail -n 1 "$output")"
		return
	fi
	if [ "$status" != 0 ] && [ "$failures" = 0 ]; then
		failures=1
		count_failure "$name" "$(status_sentence "$status")"
	elif [ "$points" = 0 ]; then
		failures=1
		count_failure "$name" "it printed no result (TAP)"
	fi
	[ "$failures" = 0 ] || tail -n 40 "$output" | sed 's/^/    /' >&2
}

status_sentence() {
	case $1 in
	124)    printf 'it did not end in time' ;;
	stuck)  printf 'it did not end in time and survived SIGKILL' ;;
	killed) printf 'it was killed with its whole process group' ;;
	*)      printf 'exit status %s' "$1" ;;
	esac
}

# Automake prints its own summary.
count_automake_summary() {
	local name=$1 log=$2 n
	n=$(awk '$2 == "PASS:" { s += $3 } END { print s + 0 }' "$log")
	TESTS_PASSED=$((TESTS_PASSED + n))
	while read -r n; do
		count_skip "$name" "$n"
	done < <(sed -n 's/^SKIP: //p' "$log")
	while read -r n; do
		count_failure "$name" "$n"
	done < <(grep -E '^(FAIL|XPASS|ERROR): ' "$log")
}

report_counts() {
	local line
	for line in "${FAILED_NAMES[@]}"; do say "failed: $line"; done
	for line in "${SKIP_REASONS[@]}"; do say "skipped: $line"; done
	printf '%s passed, %s failed, %s skipped\n' "$TESTS_PASSED" "$TESTS_FAILED" "$TESTS_SKIPPED"
}
