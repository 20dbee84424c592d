# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# ./evl-vm check: unit tests on the host, tests of the rig, tests in machines.
#
# A test in a machine says in a comment of its source which machines it wants:
#   evl-vm: smp=1,2,8 kernel=evl debug=yes timeout=60
# further words: icount single nocore load mem=MB append="ARGS" qemu="ARGS"
# debug=yes: also on the debug kernel (the default), no: never there, only: nowhere else.

TESTS=${EVL_TESTS:-$EVL_TOP/tests}
INSTALLED_TESTS=usr/libexec/evl/tests

wish_line() {
	head -n 60 "$1" | sed -n 's/.*evl-vm:[[:space:]]*\([a-z].*=.*\|nocore.*\|icount.*\|single.*\|load.*\)$/\1/p' |
		head -n 1 | sed 's,[[:space:]]*\*/.*$,,'
}

test_source() {
	local s
	for s in "$TESTS/$1.c" "$TESTS/$1.cc" "$TESTS/$1.cpp" "$TESTS/$1.sh" "$TESTS/$1"; do
		[ -f "$s" ] && { printf '%s\n' "$s"; return; }
	done
	find "$TESTS" -type f -name "$1.*" \( -name '*.c' -o -name '*.cc' -o -name '*.sh' \) | head -n 1
}

# Lines "NAME PATH", each test once; PATH is what the machine runs.
list_tests() {
	local f name dir=$VM_USERLAND/$INSTALLED_TESTS
	{
		if [ -n "$VM_USERLAND" ] && [ -d "$dir" ]; then
			for f in "$dir"/*; do
				if [ ! -f "$f" ] || [ ! -x "$f" ]; then continue; fi
				name=$(basename "$f")
				case $name in *.so*|rig-*|lib*) continue ;; esac
				printf '%s /%s/%s\n' "${name%.sh}" "$INSTALLED_TESTS" "$name"
			done
		fi
		for f in "$TESTS"/*.sh; do
			if [ ! -f "$f" ] || [ -z "$(wish_line "$f")" ]; then continue; fi
			name=$(basename "$f" .sh)
			case $name in rig-*) continue ;; esac
			printf '%s %s\n' "$name" "$f"
		done
	} | awk '!seen[$1]++'
}

# Reads a wish line into W_*; faults are the author's.
read_wish() {
	local name=$1 word words
	W_SMP=2 W_KERNEL=evl W_DEBUG=yes W_TIMEOUT=60 W_MEM=1024 W_FLAGS='' W_APPEND='' W_QEMU=''
	eval "words=($2)" 2>/dev/null || die "test $name: cannot read its evl-vm line: $2"
	for word in "${words[@]}"; do
		case $word in
		smp=*)     W_SMP=${word#*=} ;;
		kernel=*)  W_KERNEL=${word#*=} ;;
		debug=*)   W_DEBUG=${word#*=} ;;
		timeout=*) W_TIMEOUT=${word#*=} ;;
		mem=*)     W_MEM=${word#*=} ;;
		append=*)  W_APPEND=${word#*=} ;;
		qemu=*)    W_QEMU=${word#*=} ;;
		icount|single|nocore|load) W_FLAGS="$W_FLAGS $word" ;;
		*) die "test $name: its evl-vm line has the unknown word '$word'" ;;
		esac
	done
}

wanted_in_this_mode() {
	case $W_DEBUG/$CHECK_DEBUG in
	yes/*|no/no|only/yes) ;;
	no/yes|only/no) return 1 ;;
	*) die "test $1: debug=$W_DEBUG is none of yes, no, only" ;;
	esac
	# Other kernels have nothing of ours to debug, and would each need a build more.
	[ "$CHECK_DEBUG" = no ] || [ "$W_KERNEL" = evl ]
}

# Lines "MACHINE<tab>ID<tab>SECONDS<tab>PATH", MACHINE being all that one boot decides.
plan_tests() {
	local name path wish smp
	while read -r name path; do
		selected "$name" || continue
		wish=$(test_source "$name")
		[ -z "$wish" ] || wish=$(wish_line "$wish")
		read_wish "$name" "$wish"
		wanted_in_this_mode "$name" || continue
		need_number "test $name: timeout" "$W_TIMEOUT"
		# The debug kernel takes its time: two CPUs show the races, --full takes all.
		if [ "$CHECK_DEBUG" = yes ] && [ "$CHECK_FULL" = no ]; then
			case ",$W_SMP," in *,2,*) W_SMP=2 ;; esac
		fi
		for smp in ${W_SMP//,/ }; do
			need_number "test $name: smp" "$smp"
			printf '%s|%s|%s|%s|%s|%s\t%s.smp%s\t%s\t%s\n' "$W_KERNEL" "$smp" "$W_MEM" \
				"${W_FLAGS# }" "$W_APPEND" "$W_QEMU" "$name" "$smp" "$W_TIMEOUT" "$path"
		done
	done
}

selected() {
	local n
	[ ${#CHECK_NAMES[@]} -gt 0 ] || return 0
	for n in "${CHECK_NAMES[@]}"; do
		[ "$n" = "$1" ] && return 0
	done
	return 1
}

# machine_of MACHINE: the settings of one group.
machine_of() {
	local flags qemu
	machine_defaults
	IFS='|' read -r VM_KERNEL VM_SMP VM_MEM flags VM_APPEND qemu <<<"$1"
	read -ra VM_QEMU_ARGS <<<"$qemu"
	case " $flags " in *' icount '*) VM_ICOUNT=yes ;; esac
	case " $flags " in *' single '*) VM_SINGLE=yes ;; esac
	case " $flags " in *' nocore '*) VM_CORE=no ;; esac
	case " $flags " in *' load '*)   VM_LOAD=yes ;; esac
	VM_DEBUG=$CHECK_DEBUG VM_LEAKS=$CHECK_DEBUG
	[ "$VM_CORE" = no ] || VM_INJECT=$CHECK_INJECT
}

# Emulated time may run several times slower than the host's, and checks cost as much.
stretched() {
	local s=$1
	[ "$CHECK_DEBUG" = no ] || s=$((s * 3))
	printf '%s' "$s"
}

# Called by await_qemu: the moment from which the machine counts as hung, judged by the
# test that runs now.
suite_deadline() {
	local began id limit now
	began=$(stat -c '%Y %n' "$VM_SHARE"/*.begin 2>/dev/null | sort -n | tail -n 1)
	# shellcheck disable=SC2153
	[ -n "$began" ] || { printf '%s' "$((VM_START + 240))"; return; }
	id=$(basename "${began#* }" .begin)
	limit=$(awk -v id="$id" '$1 == id { print $2 }' "$VM_SHARE/list")
	[ "$VM_ICOUNT" = no ] || limit=$((limit * 6))
	now=$(date +%s)
	printf '%s' "$((SECONDS + ${began%%[. ]*} + limit + 90 - now))"
}

# segment LOG BEGIN END: the lines between two marks; an empty mark is the log's edge.
log_segment() {
	awk -v b="$2" -v e="$3" '
		b == "" || on || index($0, b) { on = 1; print }
		e != "" && on && index($0, e) { exit }
	' "$1" | tr -d '\r'
}

count_splat() { # NAME SEGMENT
	has_splat "$2" || return 0
	count_failure "$1" "the kernel log: $(first_splat "$2")"
	show_splat "$2" 60
}

# once_more ID DIR BEGIN: true if the emulator is to blame for what the log holds from
# BEGIN on. The test is then put on the list again, for a machine of one host thread, where
# this cannot be the excuse.
once_more() {
	local id=$1 dir=$2
	has_emulator_fault "$dir/segment" || return 1
	say "$id: the emulator's int3 fault; repeated with one host thread"
	awk -v id="$id" '$1 == id' "$dir/list" >>"$dir/left"
	REPEAT_SINGLE=yes
}

# One finished test of a group.
judge_test() {
	local id=$1 dir=$2 log=$3
	log_segment "$log" "evl-vm: test begin $id" "evl-vm: test end $id" | sed '1d;$d' >"$dir/segment"
	once_more "$id" "$dir" && return
	count_tap "$id" "$dir/$id.out" "$(cat "$dir/$id.status")"
	count_splat "$id" "$dir/segment"
	say "$(printf '%-44s %s, %d s' "$id" "$(tally "$dir/$id.out")" "$(seconds_of "$dir/$id")")"
}

# From the marks the machine left, by the host's clock.
seconds_of() {
	echo $(($(stat -c %Y "$1.status") - $(stat -c %Y "$1.begin")))
}

# The test that had begun when the machine ended.
judge_crash() {
	local id=$1 dir=$2 log=$3 how=$4
	log_segment "$log" "evl-vm: test begin $id" '' | sed 1d >"$dir/segment"
	once_more "$id" "$dir" && return
	count_failure "$id" "$how; $(first_splat "$dir/segment")"
	[ ! -s "$dir/$id.out" ] || tail -n 20 "$dir/$id.out" | sed 's/^/    /' >&2
	if has_splat "$dir/segment"; then
		show_splat "$dir/segment" 80
	else
		tail -n 60 "$dir/segment" | sed 's/^/    /' >&2
	fi
}

how_it_ended() {
	case $1 in
	"$STATUS_PANIC")   printf 'the kernel panicked' ;;
	"$STATUS_TIMEOUT") printf 'the machine hung' ;;
	"$STATUS_CORE")    printf 'the core could not be loaded' ;;
	"$STATUS_RIG")     printf 'the rig failed' ;;
	*)                 printf 'the machine ended' ;;
	esac
}

# Runs the list once; rewrites it to what is left. Returns 1 when nothing more can run.
run_list_once() {
	local dir=$1 log=$1/console.log status=0 id begun=no REPEAT_SINGLE=no
	VM_SUITE=yes VM_SHARE=$dir VM_SHARE_CACHE=none VM_LOG=$log VM_COMMAND=(/run/evl/busybox sh /run/evl/job/suite)
	run_machine 2>"$dir/judgement" || status=$?
	log_segment "$log" '' 'evl-vm: command starts' >"$dir/boot"
	count_splat "boot of $GROUP_NAME" "$dir/boot"
	: >"$dir/left"
	while read -r id limit path; do
		if [ -e "$dir/$id.status" ]; then
			begun=yes
			judge_test "$id" "$dir" "$log"
		elif [ -e "$dir/$id.begin" ]; then
			begun=yes
			judge_crash "$id" "$dir" "$log" "$(how_it_ended "$status")"
		else
			printf '%s %s %s\n' "$id" "$limit" "$path" >>"$dir/left"
		fi
	done <"$dir/list"
	judge_end "$dir" "$log"
	[ "$REPEAT_SINGLE" = no ] || VM_SINGLE=yes
	mv "$dir/left" "$dir/list"
	rm -f "$dir"/*.begin "$dir"/*.status
	[ "$begun" = no ] || return 0
	count_failure "$GROUP_NAME" "$(how_it_ended "$status") before any test"
	sed 's/^/    /' "$dir/judgement" >&2
	return 1
}

# After the last test: leaks, and the way down.
judge_end() {
	local dir=$1 log=$2 last
	last=$(grep -a 'evl-vm: test end' "$log" | tail -n 1 | tr -d '\r' | sed 's/.*evl-vm: test end //')
	[ -n "$last" ] || return 0
	log_segment "$log" "evl-vm: test end $last" '' >"$dir/segment"
	grep -q 'evl-vm: test begin' "$dir/segment" || has_emulator_fault "$dir/segment" || count_splat "end of $GROUP_NAME" "$dir/segment"
}

tally() {
	tap_points "$1" | awk '{ n[$1]++ } END {
		printf "%d ok", n["ok"]
		if (n["no"] + n["fault"]) printf ", %d NOT OK", n["no"] + n["fault"]
		if (n["skip"]) printf ", %d skipped", n["skip"]
	}'
}

# run_group MACHINE PLAN: what the plan has for this machine.
run_group() {
	local dir id limit path
	machine_of "$1"
	GROUP_NAME="$VM_KERNEL smp=$VM_SMP${VM_APPEND:+ $VM_APPEND}"
	dir=$(mktemp -d "${TMPDIR:-/tmp}/evl-check.XXXXXX") || die "cannot make a directory"
	CHECK_DIR=$dir
	while IFS=$'\t' read -r id limit path; do
		printf '%s %s %s\n' "$id" "$(stretched "$limit")" "$path"
	done < <(awk -F'\t' -v OFS='\t' -v m="$1" '$1 == m { print $2, $3, $4 }' <<<"$2") >"$dir/list"
	say "machine: $1${CHECK_DEBUG:+ debug=$CHECK_DEBUG} ($(wc -l <"$dir/list") tests)"
	if [ "$VM_KERNEL" = evl ] && [ -z "${EVL_KERNEL_DIR:-}" ] && ! have_series; then
		while read -r id limit path; do
			count_skip "$id" "there is no patch series in $PATCHES"
		done <"$dir/list"
		: >"$dir/list"
	elif (prepare_machine); then
		prepare_machine
		while [ -s "$dir/list" ]; do
			run_list_once "$dir" || break
		done
	fi
	while read -r id limit path; do
		count_failure "$id" "it was not run: its machine could not be had"
	done <"$dir/list"
	rm -rf "$dir"
}

run_machine_tests() {
	local plan machine cpus
	plan=$(list_tests | plan_tests) || exit 125
	[ -n "$plan" ] || { say "no test wants a machine in this mode"; return 0; }
	# Those which keep one CPU of the host busy first: they go together.
	while IFS=$'\t' read -r cpus machine; do
		start_job "$cpus" run_group "$machine" "$plan"
	done < <(cut -f1 <<<"$plan" | awk '!seen[$0]++' | with_host_cpus | sort -s -n -k1,1)
}

# Lines "CPUS<tab>MACHINE": what a machine keeps busy on the host.
with_host_cpus() {
	local machine
	while read -r machine; do
		machine_of "$machine"
		[ "$VM_SINGLE$VM_ICOUNT" = nono ] || VM_SMP=1
		printf '%s\t%s\n' "$VM_SMP" "$machine"
	done
}

# In the build tree of the cache, brought up to date first.
check_userland() {
	local work
	work=$(userland_work)
	mirror_userland "$work/src" || return 1
	configured_after_sources "$work" || configure_userland "$work" || return 1
	make -C "$work/build" -j"$(nproc)" && make -C "$work/build" check
}

run_unit_tests() {
	local log=$EVL_CACHE/log/unit.log status=0
	[ -e "$EVL_TOP/configure.ac" ] || return 0
	with_lock "$(basename "$(userland_work)")" long_step "unit tests on the host" "$log" check_userland || status=$?
	count_automake_summary "make check" "$log"
	[ "$status" = 0 ] || grep -qE '^(FAIL|XPASS|ERROR): ' "$log" ||
		count_failure "make check" "it did not get as far as a result"
}

# rig-debug-*: what the debug kernel notices.
rig_test_of_this_mode() {
	case $1/$CHECK_DEBUG in
	rig-debug-*/yes) return 0 ;;
	rig-debug-*/no|*/yes) return 1 ;;
	esac
}

run_rig_test() { # NAME PATH
	local name=$1 out status=0 began=$SECONDS kernel=off
	have_series && kernel=evl
	out=$(mktemp) || die "cannot make a file"
	EVL_RIG_KERNEL=$kernel timeout -k 10 900 bash "$2" >"$out" 2>&1 </dev/null &
	wait "$!" || status=$?
	count_tap "$name" "$out" "$status"
	say "$(printf '%-44s %s, %d s' "$name" "$(tally "$out")" "$((SECONDS - began))")"
	rm -f "$out"
}

# Most of them keep one CPU of the host busy most of the time; not those which run parts side by side themselves.
run_rig_tests() {
	local t name cpus
	for t in "$TESTS"/rig-*.sh; do
		name=$(basename "$t" .sh)
		if [ ! -f "$t" ] || ! selected "$name" || ! rig_test_of_this_mode "$name"; then continue; fi
		case $name in rig-bench|rig-check) cpus=$JOB_CPUS ;; *) cpus=1 ;; esac
		start_job "$cpus" run_rig_test "$name" "$t"
	done
}

# What nearly all parts want, where its progress is seen. Who cannot do without will say that it failed.
build_in_front() {
	have_series || return 0
	machine_defaults
	VM_DEBUG=$CHECK_DEBUG
	(prepare_machine) || warn "the kernel of the tests could not be had"
}

known_names() {
	list_tests | cut -d' ' -f1
	find "$TESTS" -maxdepth 1 -name 'rig-*.sh' -printf '%f\n' 2>/dev/null | sed 's/\.sh$//' 
}

check_subcommand() {
	local n list=no
	CHECK_DEBUG=no CHECK_FULL=no CHECK_INJECT=no CHECK_NAMES=()
	while [ $# -gt 0 ]; do
		case $1 in
		--debug) CHECK_DEBUG=yes ;;
		--full) CHECK_FULL=yes ;;
		--inject) CHECK_DEBUG=yes CHECK_INJECT=1000 ;;
		--list) list=yes ;;
		-*) die "check knows --debug, --inject, --full, --list and names of tests, not $1" ;;
		*) CHECK_NAMES+=("${1%.sh}") ;;
		esac
		shift
	done
	need_packages machine
	prepare_userland
	for n in "${CHECK_NAMES[@]}"; do
		known_names | grep -qx -e "$n" || die "there is no test '$n'; there are: $(known_names | tr '\n' ' ')"
	done
	if [ "$list" = yes ]; then
		list_tests | plan_tests
		return
	fi
	if [ "$CHECK_DEBUG" = no ] && [ ${#CHECK_NAMES[@]} = 0 ]; then
		run_unit_tests
	fi
	build_in_front
	run_rig_tests
	run_machine_tests
	await_jobs
	report_counts
	[ "$TESTS_FAILED" = 0 ]
}
