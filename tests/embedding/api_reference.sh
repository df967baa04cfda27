#!/bin/sh
# SPDX-License-Identifier: MIT
# The API reference is made without a warning, and really shows our comments: those of functions,
# also where several share one, of members, and of whole headers.
set -eu
. tests/embedding/lib.inc
needs doxygen python3
loud scripts/api-reference "$work/api"
cat >"$work/look.py" <<'END'
import glob, sys, xml.etree.ElementTree as tree

folder, root = sys.argv[1:]
functions, members, groups = {}, {}, {}

def text(node):
    parts = [node.find(name) for name in ("briefdescription", "detaileddescription")]
    return " ".join(" ".join(part.itertext()) for part in parts if part is not None).strip()

for file in glob.glob(folder + "/xml/*.xml"):
    top = tree.parse(file).getroot()
    for compound in top.iter("compounddef"):
        if compound.get("kind") == "group":
            groups[compound.find("title").text] = text(compound)
        for member in compound.iter("memberdef"):
            kind = functions if member.get("kind") == "function" else members
            name = member.find("name").text
            for value in member.iter("enumvalue"):
                members[value.find("name").text] = text(value)
            kind[name] = max(kind.get(name, ""), text(member), key=len)

said = {
    "hvk_poll": "Task context, on that CPU, not from a callback",
    "hvk_interrupt": "Calls nobody back",             # its comment stands before a #define
    "hvk_vmbus_resume": "matches offers by instance",  # shares the comment of suspend
    "hvk_channel_close": "Works on a rescinded channel too",
    "hvk_version": "of the drivers that were linked",
    "hvh_msr_write": "False means",
}
bad = [f"{name}: '{words}' is not shown" for name, words in said.items() if words not in functions.get(name, "")]
bad += [f"{name}: no word about it" for name in sorted(functions) if name.startswith("hvk_") and not functions[name]]
for name, words in {"pages_alloc": "zeroed", "reg_write": "fails the step", "unlock": "puts back what was",
        "HVK_NEVER": "a deadline that never comes", "unload_ms": "UNLOAD_RESPONSE", "HVK_EHOSTTOOOLD": "below VMBus 3.0"}.items():
    if words not in members.get(name, ""):
        bad.append(f"{name}: '{words}' is not shown")
if "one guest" in members.get("HVK_CPUS_MAX", ""):
    bad.append("HVK_CPUS_MAX has the comment of struct hvk")
headers = [path[len(root) + len("/include/"):] for path in glob.glob(root + "/include/**/*.h", recursive=True)]
bad += [f"{header}: no group, or no word in it" for header in headers if not groups.get(header)]
print("\n".join(bad) if bad else f"did: {len(functions)} functions, {len(headers)} headers")
sys.exit(bool(bad))
END
python3 "$work/look.py" "$work/api" "$root"
[ -s "$work/api/html/index.html" ]
grep -q "what you implement" "$work/api/html/index.html" || { echo "no main page"; exit 1; }
