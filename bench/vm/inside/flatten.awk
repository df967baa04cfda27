# SPDX-License-Identifier: MIT
# From JSON as apps/hvkit/json.c writes it, a value to a line, to lines "PATH VALUE"; members of a
# list are numbered, or called by their "name".
function path(  n, text) {
	for (n = 1; n <= depth; n++)
		text = text (text ? "." : "") (name[n] != "" ? name[n] : at[n])
	return text
}
{
	sub(/^[ \t]+/, "")
	sub(/,$/, "")
}
/^[]}]/ { depth--; next }
{
	key = ""
	if (match($0, /^"[^"]*": /)) {
		key = substr($0, 2, RLENGTH - 4)
		$0 = substr($0, RLENGTH + 1)
	}
}
/[[{]$/ {
	if (key == "" && depth > 0)
		key = ++items[depth]
	depth++
	at[depth] = key
	name[depth] = ""
	items[depth] = 0
	next
}
key == "name" { name[depth] = substr($0, 2, length($0) - 2) }
{ print path() (depth > 1 ? "." : "") key, $0 }
