# SPDX-License-Identifier: GPL-2.0-only
#
# evl trace --explain: from the lines of a trace, each preceded by its time in ns or not, the steps of the last
# latency peak, from the date of the timer to the report of the peak. Variables: cpu ("" for any), program, json,
# gravity_irq and gravity_user (ns, "" for unknown). The environment has the provenance, for JSON.

# Time of line n in ns, as a distance from the second which the first line lies in: numbers stay exact.
function ns_of(sec, frac) { return (sec - base) * 1000000000 + frac }

function date_ns(text,   len) {
	len = length(text)
	return len > 9 ? ns_of(substr(text, 1, len - 9) + 0, substr(text, len - 8) + 0) : ns_of(0, text + 0)
}

function field(text, name) {
	if (!match(text, name "=-?[0-9]+")) return ""
	return substr(text, RSTART + length(name) + 1, RLENGTH - length(name) - 1)
}

/^#/ { next }

match($0, /\[[0-9]+\] +[^ ]+ +[0-9]+\.[0-9]+: [A-Za-z0-9_]+: /) {
	head = substr($0, RSTART, RLENGTH)
	rest = substr($0, RSTART + RLENGTH)
	split(head, word, " ")
	stamp = word[3]
	sub(/:$/, "", stamp)
	split(stamp, part, ".")
	if (base == "") base = part[1] + 0
	n++
	on[n] = substr(word[1], 2, length(word[1]) - 2) + 0
	event[n] = word[4]
	sub(/:$/, "", event[n])
	args[n] = rest
	if ($1 ~ /^[0-9]+$/ && length($1) > 9)
		at[n] = date_ns($1)
	else
		at[n] = ns_of(part[1] + 0, (part[2] "000") + 0)
	if (event[n] == "evl_latspot" && (cpu == "" || on[n] == cpu + 0)) peak = n
}

# The last event of a name on the CPU of the peak, between two lines.
function last(name, from, to,   i) {
	for (i = to; i >= from; i--)
		if (on[i] == on[peak] && event[i] ~ name) return i
	return 0
}

function step(what, when, how) {
	if (when == "") return
	steps++
	name[steps] = what
	when_ns[steps] = when
	seen[steps] = how
	took[steps] = steps > 1 ? when - when_ns[steps - 1] : 0
	# What comes after the clock was read is no part of the latency.
	if (steps > 1 && took[steps] > took[biggest] && what != "peak reported") biggest = steps
}

function text_of(i) { return i ? event[i] ": " args[i] : "" }

# Steps in the order they happen; one whose event was not traced is left out.
function find_steps(   expire, due, shot, irq, wakeup, preempt, switched, reading, latency) {
	match(args[peak], /-?[0-9]+\.[0-9]+/)
	latency = substr(args[peak], RSTART, RLENGTH)
	latency_ns = sprintf("%.0f", latency * 1000)
	for (expire = peak; expire > 0; expire--)
		if (on[expire] == on[peak] && event[expire] == "evl_timer_expire" && args[expire] ~ /handler=latmus/) break
	if (!expire) {
		printf "%s: the expiry of the timer before the peak is not in the trace: enlarge the buffer (-s), trace group timer\n", program > "/dev/stderr"
		failed = 1
		exit 1
	}
	due = date_ns(field(args[expire], "expires"))
	wakeup = last("^evl_wakeup$", expire, peak)
	irq = last("^(irq_pipeline_entry|local_timer_entry|irq_handler_entry)$", 1, expire)
	if (irq && at[irq] < due) irq = 0
	for (shot = expire; shot > 0; shot--)
		if (on[shot] == on[peak] && event[shot] ~ /^evl_(shot|timer_shot)$/ && date_ns(field(args[shot], "date")) == due) break
	preempt = wakeup ? last("^evl_preempt$", wakeup, peak) : 0
	switched = wakeup ? last("^evl_switch$", wakeup, peak) : 0
	programmed_ns = shot ? due - at[shot] : ""
	step("timer due", due, "")
	if (irq) step("interrupt taken", at[irq], text_of(irq))
	step("timer handler", at[expire], text_of(expire))
	if (wakeup) step("thread woken up", at[wakeup], text_of(wakeup))
	if (preempt) step("in-band preempted", at[preempt], text_of(preempt))
	if (switched) step("switched to thread", at[switched], text_of(switched))
	# Latency counts from the ideal date, which is later than that of the timer by the gravity.
	reading = due + latency_ns + (wakeup ? gravity_user : gravity_irq)
	if (reading >= when_ns[steps]) step(wakeup ? "clock read in thread" : "clock read in handler", reading, "")
	step("peak reported", at[peak], text_of(peak))
}

function json_quoted(text) {
	gsub(/\\/, "\\\\", text)
	gsub(/"/, "\\\"", text)
	return text == "" ? "null" : "\"" text "\""
}

function print_json(   i) {
	printf "{%s,\"cpu\":%d,\"latency_ns\":%d,\"programmed_before_ns\":%s,\"steps\":[", ENVIRON["PROVENANCE"],
		on[peak], latency_ns, (programmed_ns == "" ? "null" : sprintf("%.0f", programmed_ns))
	for (i = 1; i <= steps; i++)
		printf "%s{\"name\":\"%s\",\"at_ns\":%.0f,\"took_ns\":%.0f,\"biggest\":%s,\"event\":%s}", (i > 1 ? "," : ""),
			name[i], when_ns[i] - when_ns[1], took[i], (i == biggest ? "true" : "false"), json_quoted(seen[i])
	print "]}"
}

function print_table(   i) {
	printf "Latency peak of %.3f us on CPU%d\n", latency_ns / 1000, on[peak]
	if (programmed_ns != "") printf "The shot was programmed %.3f us ahead.\n", programmed_ns / 1000
	printf "\n%-22s %12s %12s   %s\n", "step", "after, us", "took, us", "event"
	for (i = 1; i <= steps; i++)
		printf "%-22s %12.3f %12.3f %s %s\n", name[i], (when_ns[i] - when_ns[1]) / 1000, took[i] / 1000,
			(i == biggest ? "<" : " "), substr(seen[i], 1, 70)
	if (biggest)
		printf "\n< the biggest step: %s, %.3f us. Tracing itself takes time: judge the shape, not the numbers.\n",
			name[biggest], took[biggest] / 1000
}

END {
	if (failed) exit 1
	if (!peak) {
		printf "%s: no latency peak in the trace: evl trace -etimer, then latmus -A US --freeze-trace\n", program > "/dev/stderr"
		exit 1
	}
	find_steps()
	if (failed) exit 1
	if (json == "yes") print_json()
	else print_table()
}
