# SPDX-License-Identifier: GPL-2.0-only
#
# evl plot, evl report --compare: one result as lines "# NAME<tab>VALUE" and "CELL<tab>COUNT", cells in us by their
# lower edge, empty ones between included. Reads, told apart by "form": the data file of latmus, the histogram file
# of cyclictest, and, made of lines by json.awk, JSON of latmus or cyclictest. "prefix" is the path of the result.

function meta(name, value) { if (value != "" && value != "null") info[name] = value }
function add(cell, count) { counts[cell] += count; if (cell > top) top = cell; if (count > 0) seen = 1 }

function take_json_member(path, value,   part, n, which) {
	n = split(path, part, "/")
	which = part[n]
	if (part[1] == "histogram" || part[1] == "histogram_fine") {
		if (part[2] == "counts") cells[part[1], part[3] + 0] = value + 0
		if (part[2] == "counts" && part[3] + 1 > nr[part[1]]) nr[part[1]] = part[3] + 1
		if (part[2] == "cell_ns") width[part[1]] = value + 0
		if (part[2] == "first") first[part[1]] = value + 0
		if (part[2] == "kind" && value != "linear") unknown_kind = value
		return
	}
	if (path == "thread/0/cycles") meta("samples", value)
	else if (path ~ /^thread\/0\/(min|avg|max)$/) meta(which, value)
	else if (path ~ /^thread\/0\/histogram\//) { add(which + 0, value + 0); meta("context", "in-band") }
	else if (path ~ /^(context|period_us|priority|cpu|kernel|load|samples|outliers|tainted)$/) meta(which, value)
	else if (path ~ /^(min|avg|max)_ns$/) { sub(/_ns$/, "", which); meta(which, value / 1000) }
	else if (path == "percentiles_ns/99.9" && value != "null") meta("p999", value / 1000)
}

form == "json" {
	at = index($0, "\t")
	path = substr($0, 1, at - 1)
	if (index(path, prefix) != 1) next
	take_json_member(substr(path, length(prefix) + 1), substr($0, at + 1))
	next
}

# latmus data file
/^# sampling period:/ { meta("period_us", $4) }
/^# context:/ { meta("context", $3) }
/^# thread priority:/ { meta("priority", $4) }
/^# thread affinity:/ { v = $4; sub(/^CPU/, "", v); sub(/-.*/, "", v); meta("cpu", v) }
/^# Linux version/ { meta("kernel", $4) }
/^# min latency:/ { meta("min", $4) }
/^# avg latency:/ { meta("avg", $4) }
/^# max latency:/ { meta("max", $4) }
/^# sample count:/ { meta("samples", $4) }
/^# outliers:/ { meta("outliers", $3) }
/^# percentiles:/ { for (i = 3; i < NF; i += 2) if ($i == "p99.9" && $(i + 1) != "-") meta("p999", $(i + 1)) }
# cyclictest -h: one column a thread, and its summary
/^# (Min|Avg|Max) Latencies:/ { meta(tolower($2), $4 + 0); meta("context", "in-band") }
/^#/ { next }
/^[0-9]+[ \t]+[0-9]/ {
	sum = 0
	for (i = 2; i <= NF; i++) sum += $i
	add($1 + 0, sum)
}

# Cells of JSON: the fine ones if there are, and not too many to be seen.
function unfold_cells(   which, i) {
	which = nr["histogram_fine"] > 0 && nr["histogram_fine"] <= 4000 ? "histogram_fine" : "histogram"
	if (!nr[which]) return
	cell_us = width[which] / 1000
	for (i = 0; i < nr[which]; i++) add(i + first[which], cells[which, i])
}

# By rank among all samples, outliers included; of no worth with less than ten samples above.
function percentile(p,   rank, sum, i) {
	rank = info["samples"] * p / 100
	rank = rank > int(rank) ? int(rank) + 1 : int(rank)
	if (info["samples"] - rank < 10) return ""
	for (i = bottom; i <= top; i++) {
		sum += counts[i]
		if (sum >= rank) return (i + 1) * cell_us
	}
	return info["max"]
}

END {
	cell_us = 1
	if (form == "json") unfold_cells()
	if (unknown_kind != "" || !seen) exit 1
	bottom = top
	for (i in counts) {
		if (counts[i] > 0 && i + 0 < bottom) bottom = i + 0
		total += counts[i]
	}
	if (!info["samples"]) info["samples"] = total + info["outliers"]
	if (info["p999"] == "") meta("p999", percentile(99.9))
	info["cell_us"] = cell_us
	for (name in info) print "# " name "\t" info[name]
	for (i = bottom; i <= top; i++) printf "%.10g\t%d\n", i * cell_us, counts[i]
}
