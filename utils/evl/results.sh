# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# Results of measurements, whatever file they come in. Sourced after tool.sh.

# WORK: a directory that goes with us.
make_work() {
	WORK=$(mktemp -d) || fail "$STATUS_FAILED" "cannot make a temporary directory"
	# shellcheck disable=SC2064
	trap "rm -rf '$WORK'" EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
}

# meta_of SERIES NAME
meta_of() { sed -n "s/^# $2	//p" "$1"; }

add_series() { # FORM INPUT PREFIX FILE
	local to="$WORK/series.$NR_SERIES"
	awk -v form="$1" -v prefix="$3" -f "$TOOL_DIR/series.awk" "$2" >"$to" || return 1
	echo "$4" >"$to.file"
	SERIES="$SERIES${SERIES:+ }$to"
	NR_SERIES=$((NR_SERIES + 1))
}

# A file of evl bench holds several results.
add_json() { # FILE NAME
	local path added=1
	awk -f "$TOOL_DIR/json.awk" "$1" >"$WORK/json" || return 1
	if ! grep -q "^schema/name	evl-bench$" "$WORK/json"; then
		add_series json "$WORK/json" '' "$2"
		return
	fi
	# shellcheck disable=SC2013
	for path in $(sed -n 's,^\(results/[0-9]*/\)samples	.*,\1,p' "$WORK/json"); do
		add_series json "$WORK/json" "$path" "$2" && added=0
	done
	return $added
}

# read_series FILE...: sets SERIES to the files made of them. "-" is standard input.
read_series() {
	local file from
	SERIES='' NR_SERIES=1
	for file in "$@"; do
		from=$file
		[ "$file" != - ] || from=/dev/stdin
		[ -r "$from" ] || fail "$STATUS_USAGE" "cannot read $file"
		# A pipe can be read but once.
		if ! [ -f "$from" ]; then
			cat "$from" >"$WORK/pipe" 2>/dev/null || fail "$STATUS_USAGE" "cannot read $file"
			from=$WORK/pipe
		fi
		case $(head -c 200 "$from" | tr -d ' \t\n' | cut -c1) in
		'{') add_json "$from" "$file" ;;
		*)   add_series text "$from" '' "$file" ;;
		esac || fail "$STATUS_USAGE" "$file holds no histogram that evl ${PROGRAM#evl-} can read"
	done
}
