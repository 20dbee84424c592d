# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# What the plug-ins written as scripts share. Sourced by them, after they have set
#
#   PROGRAM    its name, which precedes messages
#   SUMMARY    the line printed for -@
#   SYNOPSIS   what follows "usage: "
#   OPTIONS    the help, one option a line: "  -x, --long=ARG   text"; "[=ARG]" if the value may be missing.
#              The same lines decide what is parsed, and completion is made from them.
#   NOTES      (optional) what the help ends with
#
# and have defined take_option NAME VALUE, which is called once for each option on the command line, by its
# long name without dashes.

# Exit statuses of every tool; names as in common/tool.h. Read by the scripts.
# shellcheck disable=SC2034
STATUS_OK=0 STATUS_FAILED=1 STATUS_USAGE=2 STATUS_NO_CORE=3 STATUS_DENIED=4
NOTES=''

# Where the kernel shows its files; tests put trees of their own there.
ROOT=${EVL_ROOT:-}
SYSDIR=${EVL_SYSDIR:-/sys/devices/virtual}
CMDDIR=${EVL_CMDDIR:-$TOOL_DIR}

warn() { echo "$PROGRAM: $*" >&2; }

# fail STATUS MESSAGE...: what is wrong, why; what to do.
fail() {
	local status="$1"
	shift
	warn "$*"
	exit "$status"
}

usage_error() { fail "$STATUS_USAGE" "$*; see evl ${PROGRAM#evl-} -h"; }

usage() {
	printf 'usage: %s\n%s\n  -h, --help              this text\n' "$SYNOPSIS" "${OPTIONS#?}"
	[ -z "$NOTES" ] || printf '\n%s\n' "$NOTES"
}

# Lines "SHORT LONG KIND", KIND being none, value or maybe; SHORT is - for an option without.
option_table() {
	printf '%s\n  -h, --help  \n' "$OPTIONS" | awk '
		!/^ +-/ { next }
		{
			short = "-"
			if (match($0, /^ +-[A-Za-z0-9]/) && substr($0, RSTART + RLENGTH, 1) ~ /[, ]/)
				short = substr($0, RSTART + RLENGTH - 1, 1)
			if (!match($0, /--[a-z][a-z-]*/)) next
			long = substr($0, RSTART + 2, RLENGTH - 2)
			rest = substr($0, RSTART + RLENGTH, 2)
			print short, long, rest == "[=" ? "maybe" : substr(rest, 1, 1) == "=" ? "value" : "none"
		}'
}

# Long name of an option as getopt(1) gives it, and whether a value follows: always if one may.
option_named() {
	printf '%s\n' "$OPTION_TABLE" | awk -v given="$1" '
		given == "--" $2 || given == "-" $1 { print $2, $3; exit }'
}

getopt_words() { # WHICH: 1 short, 2 long
	printf '%s\n' "$OPTION_TABLE" | awk -v which="$1" '
		$which != "-" {
			printf "%s%s%s", sep, $which, $3 == "maybe" ? "::" : $3 == "value" ? ":" : ""
			if (which == 2) sep = ","
		}'
}

# Sets OPERANDS, quoted for: eval "set -- $OPERANDS"
parse_options() {
	local parsed name
	if [ "${1:-}" = -@ ]; then echo "$SUMMARY"; exit 0; fi
	ARGUMENTS=$(json_array "$@")
	OPTION_TABLE=$(option_table)
	parsed=$(getopt -s sh -n "$PROGRAM" -o "${GETOPT_FIRST:-}$(getopt_words 1)" -l "$(getopt_words 2)" -- "$@") ||
		fail "$STATUS_USAGE" "wrong usage; see evl ${PROGRAM#evl-} -h"
	eval "set -- $parsed"
	while [ "$1" != -- ]; do
		name=$(option_named "$1")
		case $name in
		'help '*) usage; exit 0 ;;
		*' none') take_option "${name% *}" '' ;;
		*)        take_option "${name% *}" "$2"; shift ;;
		esac
		shift
	done
	shift
	OPERANDS=$(for name in "$@"; do printf '%s' "$name" | sed "s/'/'\\\\''/g; 1s/^/'/; \$s/\$/'/"; printf ' '; done)
}

no_operands() { [ $# = 0 ] || usage_error "'$1': ${PROGRAM} takes options only"; }

# number OPTION TEXT MIN MAX: refuses what is no whole number in the range.
number() {
	case $2 in
	''|*[!0-9]*) usage_error "$1 '$2': expected a whole number from $3 to $4" ;;
	esac
	if [ ${#2} -gt 12 ] || [ "$2" -lt "$3" ] || [ "$2" -gt "$4" ]; then
		usage_error "$1 $2: expected a whole number from $3 to $4"
	fi
}

# seconds_of OPTION TEXT: of a time with or without one of the letters s m h d.
seconds_of() {
	local digits="${2%[smhd]}"
	number "$1" "$digits" 1 31536000
	case $2 in
	*m) echo $((digits * 60)) ;;
	*h) echo $((digits * 3600)) ;;
	*d) echo $((digits * 86400)) ;;
	*)  echo "$digits" ;;
	esac
}

# First line of a small file; empty if it cannot be read.
line_of() {
	local line=''
	# shellcheck disable=SC2162
	{ read -r line <"$1"; } 2>/dev/null
	printf '%s' "$line"
}

# The numbers of a list such as 0,3-5, one a line.
cpus_of() {
	printf '%s\n' "$1" | tr ',' '\n' | awk -F- '/^[0-9]+(-[0-9]+)?$/ { for (n = $1; n <= (NF > 1 ? $2 : $1); n++) print n }'
}

# Numbers, one a line, as a list.
list_of_cpus() {
	sort -n -u | awk '
		function put() { if (first != "") out = out (out == "" ? "" : ",") first (last > first ? "-" last : "") }
		first != "" && $1 == last + 1 { last = $1; next }
		{ put(); first = last = $1 + 0 }
		END { put(); print out }'
}

### JSON: members are written one by one, each function printing one value or one "key":value.

# Quoted, whatever the text holds.
json_string() {
	printf '%s' "$1" | iconv -c -f UTF-8 -t UTF-8 | tr -d '\000-\010\013-\037\177' | awk '
		{ gsub(/\\/, "\\\\"); gsub(/"/, "\\\""); gsub(/\t/, "\\t"); out = out (NR > 1 ? "\\n" : "") $0 }
		END { printf "\"%s\"", out }'
}

json_text() { # KEY TEXT: null if empty
	if [ -n "$2" ]; then printf '"%s":%s' "$1" "$(json_string "$2")"; else printf '"%s":null' "$1"; fi
}

json_number() { printf '"%s":%s' "$1" "${2:-null}"; } # KEY NUMBER: null if empty
json_bool() { printf '"%s":%s' "$1" "$([ "$2" = yes ] && echo true || echo false)"; }

json_array() { # TEXT...
	local sep='' word
	printf '['
	for word in "$@"; do
		printf '%s%s' "$sep" "$(json_string "$word")"
		sep=,
	done
	printf ']'
}

version_line() { "${EVL_PROGRAM:-evl}" -V 2>/dev/null; }

# Members which every result has; without the braces. As json_provenance() in common/json.c.
json_provenance() { # SCHEMA VERSION
	local version abi
	version=$(version_line)
	abi=${version##*ABI }
	[ "$abi" != "$version" ] || abi=''
	printf '"schema":{"name":"%s","version":%s},"tool":"%s",' "$1" "$2" "$PROGRAM"
	printf '%s,%s,' "$(json_text version "$version")" "$(json_number abi "${abi%]}")"
	printf '"started":"%s",%s,' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$(json_text host "$(uname -n)")"
	printf '%s,%s,' "$(json_text kernel "$(uname -r)")" "$(json_text cmdline "$(line_of "$ROOT/proc/cmdline")")"
	printf '"arguments":%s' "$ARGUMENTS"
}

### Colours: on a terminal only, never with NO_COLOR.
colour() { # WORD TEXT
	local code
	case $1 in
	red) code=31 ;; green) code=32 ;; yellow) code=33 ;; *) code=0 ;;
	esac
	if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
		printf '\033[%sm%s\033[0m' "$code" "$2"
	else
		printf '%s' "$2"
	fi
}

### The kernel log, of which a test may have a copy.
kernel_log() {
	if [ -n "$ROOT" ]; then cat "$ROOT/dev/kmsg" 2>/dev/null; else dmesg 2>/dev/null; fi
}

is_root() { [ "$(id -u)" = 0 ]; }
as_root() { if is_root; then echo "$*"; else echo "sudo $*"; fi; }

### The core, and what bars the way to it. The programs in C say the same, see common/core.c.
core_is_loaded() { [ -d "$SYSDIR/evl/control" ]; }

boot_word() { # WORD: true if it is on the boot line
	case " $(line_of "$ROOT/proc/cmdline") " in
	*" $1 "*) return 0 ;;
	esac
	return 1
}

# yes, no, or unknown: what the kernel was built with, by its configuration or its symbols.
kernel_is_patched() {
	local release file
	release=$(uname -r)
	for file in "$ROOT/proc/config.gz" "$ROOT/boot/config-$release"; do
		[ -r "$file" ] || continue
		if gzip -dcf "$file" 2>/dev/null | grep -qx CONFIG_DOVETAIL=y; then echo yes; else echo no; fi
		return
	done
	[ -s "$ROOT/proc/kallsyms" ] || { echo unknown; return; }
	if grep -q ' dovetail_register_core' "$ROOT/proc/kallsyms"; then echo yes; else echo no; fi
}

# For a kernel which would take it. Where there is a tree made for a test, nothing is installed.
loading_remedy() {
	if [ -z "$ROOT" ] && ! modinfo evl >/dev/null 2>&1; then
		echo "evl.ko is not installed for $(uname -r): build and install the module for it (DKMS: $(as_root dkms autoinstall))"
	else
		as_root modprobe evl
	fi
}

# no_core MISSING: ends the tool for want of the core, which the file tells.
no_core() {
	local why
	if boot_word irq_pipeline=off; then
		why="irq_pipeline=off is on the boot line; remove it and reboot"
	elif [ "$(kernel_is_patched)" = no ]; then
		why="kernel $(uname -r) has no Dovetail, which it stands on; boot a kernel built with dovetail-patches, or see evl doctor"
	else
		why="$1 is missing; $(loading_remedy), or see evl doctor"
	fi
	fail $STATUS_NO_CORE "no core: $why"
}

user_name() { id -un 2>/dev/null || id -u; }
may_use() { [ -r "$1" ] && [ -w "$1" ]; }

denial_of() { # DEVICE
	local group
	group=$(stat -c %G "$1")
	if [ "$group" = evl ]; then
		echo "$(user_name) may not use the core: $1 is for group evl, of which $(user_name) is no member"
	else
		echo "$(user_name) may not use the core: $1 belongs to group $group"
	fi
}

denial_remedy() { # DEVICE
	if [ "$(stat -c %G "$1")" = evl ]; then
		echo "sudo usermod -aG evl $(user_name), then log in again"
	else
		echo "run it as root; or: sudo addgroup --system evl, install the udev rules of evl, sudo udevadm trigger, sudo usermod -aG evl $(user_name)"
	fi
}

# Ends the tool if the core is not there, or not for this user.
need_core_access() {
	local device="$ROOT/dev/evl/control"
	[ -e "$device" ] || no_core "$device"
	may_use "$device" || fail $STATUS_DENIED "$(denial_of "$device"); $(denial_remedy "$device")"
}
