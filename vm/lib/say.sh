# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Messages, and long steps that show they are alive. All of it goes to stderr:
# stdout belongs to the program that runs in the machine. Who sources this may have said
# whose messages these are.

SAY_NAME=${SAY_NAME:-evl-vm}
SAY_TROUBLE=${SAY_TROUBLE:-125}		# a fault of the rig itself has this status everywhere

say()  { printf '%s: %s\n' "$SAY_NAME" "$*" >&2; }
warn() { say "warning: $*"; }
die()  { say "$*"; exit "$SAY_TROUBLE"; }

# need_number OPTION VALUE: from 1 to 999999, or the end.
need_number() {
	case $2 in
	''|*[!0-9]*|0?*) die "$1 wants a number, not '$2'" ;;
	esac
	[ "${#2}" -le 6 ] || die "$1 $2 is too large"
	[ "$2" -ge 1 ] || die "$1 wants at least 1"
}

elapsed_since() {
	local s=$((SECONDS - $1))
	printf '%dm%02ds' $((s / 60)) $((s % 60))
}

# A line every 20 seconds, in place on a terminal: time, and what was made so far.
tick_while() {
	local pid=$1 what=$2 log=$3 began=$SECONDS beat=0 made
	while kill -0 "$pid" 2>/dev/null; do
		sleep 1
		beat=$((beat + 1))
		if [ -t 2 ]; then
			[ $((beat % 2)) = 0 ] || continue
		else
			[ $((beat % 20)) = 0 ] || continue
		fi
		made=$(grep -cE '^ +(CC|AS|LD|AR|HOSTCC) ' "$log" 2>/dev/null || true)
		[ "${made:-0}" -gt 0 ] && made=", $made files made" || made=
		if [ -t 2 ]; then
			printf '\r%s: %s: %s%s\033[K' "$SAY_NAME" "$what" "$(elapsed_since "$began")" "$made" >&2
		else
			say "$what: $(elapsed_since "$began")$made"
		fi
	done
	[ -t 2 ] && [ "$beat" -gt 1 ] && printf '\r\033[K' >&2
	return 0
}

# long_step WHAT LOG COMMAND...: runs COMMAND with its output in LOG. Its status is
# COMMAND's; on failure the end of LOG is shown.
long_step() {
	local what=$1 log=$2 began=$SECONDS status=0
	shift 2
	mkdir -p "$(dirname "$log")"
	"$@" >"$log" 2>&1 </dev/null &
	LONG_STEP_PID=$!
	tick_while "$LONG_STEP_PID" "$what" "$log"
	wait "$LONG_STEP_PID" || status=$?
	LONG_STEP_PID=
	if [ "$status" = 0 ]; then
		[ $((SECONDS - began)) -lt 3 ] || say "$what: done in $(elapsed_since "$began")"
		return 0
	fi
	say "$what: failed with status $status; the end of $log:"
	tail -n 30 "$log" | sed 's/^/    /' >&2
	return "$status"
}

# clean_up_by FUNCTION: called however this shell ends, with the status to exit with if that is by a signal.
clean_up_by() {
	# shellcheck disable=SC2064
	trap "$1" EXIT
	# shellcheck disable=SC2064
	trap "$1 130" INT
	# shellcheck disable=SC2064
	trap "$1 143" TERM
	# shellcheck disable=SC2064
	trap "$1 129" HUP
}

# kill_tree PID: a process and all that it started, children first.
kill_tree() {
	local child
	for child in $(pgrep -P "$1"); do kill_tree "$child"; done
	kill "$1" 2>/dev/null
}
