# SPDX-License-Identifier: GPL-2.0-only
#
# A JSON text as lines "PATH<tab>VALUE", for scripts: members of a path are joined by "/", elements of arrays are
# counted from 0, strings come unquoted, with \n and \t left as they are written. Ends with 1 if it is no JSON.

{ text = text $0 "\n" }

function bad() { broken = 1; exit 1 }

function skip_blanks() { while (index(" \t\r\n", substr(text, pos, 1)) && pos <= len) pos++ }

# The string at pos, which is its opening quote.
function take_string(   start, c) {
	start = ++pos
	while (pos <= len && (c = substr(text, pos, 1)) != "\"") pos += c == "\\" ? 2 : 1
	if (pos > len) bad()
	c = substr(text, start, pos - start)
	pos++
	gsub(/\\"/, "\"", c)
	gsub(/\\\//, "/", c)
	gsub(/\\\\/, "\\", c)
	return c
}

function take_members(path, close_mark,   key, count) {
	pos++
	skip_blanks()
	if (substr(text, pos, 1) == close_mark) { pos++; return }
	while (!broken) {
		skip_blanks()
		key = count++
		if (close_mark == "}") {
			if (substr(text, pos, 1) != "\"") bad()
			key = take_string()
			skip_blanks()
			if (substr(text, pos++, 1) != ":") bad()
		}
		take_value(path == "" ? key "" : path "/" key)
		skip_blanks()
		key = substr(text, pos++, 1)
		if (key == close_mark) return
		if (key != ",") bad()
	}
}

function take_value(path,   c) {
	skip_blanks()
	c = substr(text, pos, 1)
	if (c == "{") take_members(path, "}")
	else if (c == "[") take_members(path, "]")
	else if (c == "\"") print path "\t" take_string()
	else {
		c = substr(text, pos, 40)
		c = match(c, /^[-+.0-9a-zE]+/) ? substr(c, 1, RLENGTH) : ""
		pos += length(c)
		if (c !~ /^(-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?|true|false|null)$/) bad()
		print path "\t" c
	}
}

END {
	if (broken) exit 1
	pos = 1
	len = length(text)
	take_value("")
	skip_blanks()
	if (pos <= len) exit 1
}
