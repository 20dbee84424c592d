# SPDX-License-Identifier: GPL-2.0-only
#
# evl check: a configuration on standard input against the list named by "list". Prints, for each assertion that
# does not hold, SEVERITY, SETTING, SYMBOL, WANTED, COST, REASON with tabs between them. Ends with 255 when
# configuration or list cannot be made sense of. Further variables: arch, profile, program.

function canonical(a) {
	if (a == "arm64") return "aarch64"
	if (a == "arm") return "aarch32"
	return a
}

# Either may be a leading part of the other; x86 stands for both of its kinds.
function arch_matches(wanted) {
	wanted = canonical(wanted)
	if (index(arch, wanted) == 1) return 1
	return (wanted == "x86" && arch ~ /^i[3-6]86$/) || (arch == "x86" && wanted ~ /^(x86_64|i[3-6]86)$/)
}

function value(sym) { return sym in set ? set[sym] : "n" }

function holds(text,   sym, want, at) {
	at = index(text, "=")
	if (!at) return value(text) != "n"
	sym = substr(text, 1, at - 1)
	want = substr(text, at + 1)
	return value(sym) == want
}

function well_formed(text) { return text ~ /^[A-Za-z0-9_]+(=[^ ]+)?$/ }

function bad_line() {
	printf "%s: %s:%d: cannot parse: %s\n", program, list, line, $0 > "/dev/stderr"
	broken = 1
	exit 255
}

# The rest of the line, from word n on, after the expression.
function applies(n,   negated, ok) {
	ok = 1
	if ($n == "if") {
		n++
		negated = 0
		if ($n == "!") { negated = 1; n++ }
		else if (substr($n, 1, 1) == "!") { negated = 1; $n = substr($n, 2) }
		if (!well_formed($n)) bad_line()
		ok = holds($n) ? !negated : negated
		n++
	}
	if ($n == "on") {
		if (n + 1 > NF) bad_line()
		if (arch == "") {
			printf "%s: skipped, the architecture is not known: %s\n", program, $0 > "/dev/stderr"
			ok = 0
		} else if (!arch_matches($(n + 1))) ok = 0
		n += 2
	}
	if (n <= NF) bad_line()
	return ok
}

function forget_notes() {
	reason = cost = only = exempt = ""
	severity = "error"
}

# A line of words NAME=VALUE about the assertion that follows.
function note_words(   n, at, name, text) {
	for (n = 2; n <= NF; n++) {
		at = index($n, "=")
		name = substr($n, 1, at - 1)
		text = substr($n, at + 1)
		if (name == "severity" && text ~ /^(error|warning|note)$/) severity = text
		else if (name == "cost") { cost = text; gsub(/-of-/, " of ", cost); sub(/-us$/, " us", cost); sub(/us$/, " us", cost); gsub(/  +/, " ", cost) }
		else if (name == "only") only = text
		else if (name == "not") exempt = text
		else bad_line()
	}
}

function in_list(word, words) { return index("," words ",", "," word ",") > 0 }

# What the option should be, as a line of a configuration has it.
function wanted_value(negated, expr,   at, want) {
	at = index(expr, "=")
	want = at ? substr(expr, at + 1) : "y"
	if (!negated) return want
	return want == "n" ? "y" : "n"
}

function judge(negated, expr,   sym, ok) {
	ok = holds(expr)
	if (negated) ok = !ok
	if (ok) return
	sym = expr
	sub(/=.*/, "", sym)
	printf "%s\t%s\t%s\t%s\t%s\t%s\n", severity, sym "=" value(sym), sym, wanted_value(negated, expr),
		cost == "" ? "-" : cost, reason == "" ? "-" : reason
}

function check_line(   negated, n, expr) {
	if ($1 == "#@") { note_words(); return }
	if ($0 ~ /^[ \t]*#/) { sub(/^[ \t]*#+[ \t]*/, ""); reason = reason (reason == "" ? "" : " ") $0; return }
	sub(/#.*/, "")
	if (NF == 0) { forget_notes(); return }
	n = 1
	negated = 0
	if ($1 == "!") { negated = 1; n = 2 }
	else if (substr($1, 1, 1) == "!") { negated = 1; $1 = substr($1, 2) }
	if (n > NF || !well_formed($n)) bad_line()
	expr = $n
	if (applies(n + 1) && !in_list(profile, exempt) && (only == "" || in_list(profile, only))) judge(negated, expr)
	forget_notes()
}

NR <= 10 && arch == "" && match($0, /Linux\/[A-Za-z0-9_]+/) {
	arch = substr($0, RSTART + 6, RLENGTH - 6)
}
/^CONFIG_[A-Za-z0-9_]+=/ {
	at = index($0, "=")
	set[substr($0, 1, at - 1)] = substr($0, at + 1)
	seen = 1
	next
}
/^# CONFIG_[A-Za-z0-9_]+ is not set/ { delete set[$2]; seen = 1 }
END {
	if (broken) exit 255
	if (!seen) {
		printf "%s: this is no kernel configuration\n", program > "/dev/stderr"
		exit 255
	}
	arch = canonical(arch)
	forget_notes()
	while ((getline < list) > 0) {
		line++
		check_line()
	}
}
