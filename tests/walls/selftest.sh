#!/bin/sh
# SPDX-License-Identifier: MIT
# Do the walls hold? Each line puts one breach into a copy of the sources and expects the
# wall named to complain about that very file.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for part in guest host include .clang-format; do cp -r "$root/$part" "$work/"; done
failed=0
count=0
tag='/* SPDX-License-Identifier: MIT */'

breach() { # WALL FILE LINE...: a file of its own, named after FILE; the wall is run once, at the end
	wall=$1 count=$((count + 1))
	file=${2%.*}_$count.${2##*.}
	shift 2
	mkdir -p "$work/$(dirname "$file")"
	printf '%s\n' "$@" >"$work/$file"
	echo "$wall $file $*" | head -n 1 >>"$work/.breaches"
}

breach includes guest/core/breach.c "$tag" '#include <string.h>'
breach includes guest/core/breach.c "$tag" '#include "host/core/core.h"'
breach includes guest/core/breach.c "$tag" '#include "hvkit_host/host.h"'
breach includes guest/core/breach.c "$tag" '#include "guest/vmbus/ring_math.h"'
breach includes guest/netvsc/breach.c "$tag" '#include "guest/vmbus/ring_math.h"'
breach includes host/core/breach.c "$tag" '#include "hvkit/status.h"'
breach includes host/core/breach.c "$tag" '#include "guest/core/core.h"'
breach includes host/core/breach.c "$tag" '#include "host/vmbus/channel.h"'
breach includes host/hypervisor/breach.c "$tag" '#include "host/vmbus/vmbus.h"'
breach includes host/vmbus/breach.c "$tag" '#include "host/netvsp/netvsp.h"'
breach includes host/netvsp/breach.c "$tag" '#include "host/vmbus/vmbus.h"'
breach includes host/scsi/breach.c "$tag" '#include "host/core/core.h"'
breach includes host/storvsp/breach.c "$tag" '#include "host/scsi/command.h"'
breach includes host/echo/breach.c "$tag" '#include "host/core/state.h"'
breach includes host/breach.c "$tag" 'struct in_no_folder;'
breach includes include/hvkit/wire/breach.h "$tag" '#include "../status.h"'
breach includes include/hvkit/breach.h "$tag" '#include <stdlib.h>'
breach includes include/hvkit_host/breach.h "$tag" '#include "hvkit/hvkit.h"'
breach includes ports/hosted/breach.c "$tag" '#include "apps/shell/shell.h"'
breach includes apps/storage/breach.c "$tag" '#include "apps/net/sha256.h"'
breach text guest/core/breach.c 'int no_tag(void);'
breach text guest/core/breach.c "$tag" 'static int counter;'
breach text host/core/breach.c "$tag" 'static unsigned table[4];'
breach text host/core/breach.c "$tag" "/* $(printf '%0120d' 0) */"
breach text host/core/breach.c "$tag" "/* see $(printf "%s:" https)//mirror.somewhere.org/file */"
breach rndis_length guest/netvsc/breach.c '#include "hvkit/wire/rndis.h"' \
	'int f(const struct rndis_header *h);' 'int f(const struct rndis_header *h) { return h->length > 8; }'
breach rndis_length guest/netvsc/breach.c '#include "hvkit/wire/rndis.h"' \
	'uint32_t f(void);' 'uint32_t f(void) { struct rndis_halt halt = {{3, 12}, 1}; return 4 + halt.header.length; }'
breach rndis_length guest/netvsc/breach.c '#include "hvkit/wire/rndis.h"' \
	'uint32_t *f(struct rndis_header *h);' 'uint32_t *f(struct rndis_header *h) { return &h->length; }'
breach text guest/netvsc/breach.c "$tag" '	uint8_t *p = nic->shared.base;'
breach text guest/vmbus/breach.c "$tag" 'void f(volatile int *p);'
breach text guest/vmbus/breach.c "$tag" 'void f(void)' '{' "$(yes '	g();' | head -n 81)" '}'
breach text host/vmbus/breach.c "$tag" "$(yes '/* line */' | head -n 1000)"
breach format guest/vmbus/breach.c "$tag" 'int  f( void );'
breach format host/vmbus/breach.h "$tag" 'struct s {' '    int four_blanks;' '};'
breach links docs/breach.md '[gone](no_such_page.md)'
breach links docs/breach.md '# A heading' '[here](#a-heading) [gone](#another)'
breach links docs/breach.md '```' '# In a block' '```' '[gone](#in-a-block)'
breach links docs/breach.md '[elsewhere](good.md#the-ring-s-half)'
printf '%s\n' '# Good' "## The ring's half, \`hvk_ring\`: 2 pages" '## Twice' '## Twice' '<a id="by-hand"></a>' \
	'[a](#good) [b](#the-rings-half-hvk_ring-2-pages) [c](#twice-1) [d](good.md#by-hand) [e](../host)' >"$work/docs/good.md"

for wall in includes text rndis_length format links; do
	status=0
	WALL_ROOT=$work sh "$root/tests/walls/$wall.sh" >"$work/.output" 2>&1 || status=$?
	[ $status != 77 ] || continue
	if [ $status = 0 ]; then
		echo "$wall: not a word"
		failed=1
	fi
	grep "^$wall " "$work/.breaches" | while read -r _ file text; do
		grep -q "$file" "$work/.output" || echo "$wall lets through: $file: $text"
	done >"$work/.missed"
	[ ! -s "$work/.missed" ] || { cat "$work/.missed"; failed=1; }
	if grep 'docs/good\.md:' "$work/.output"; then
		echo "$wall complains about what is right"
		failed=1
	fi
done

# Two headers that include each other, and nothing else amiss.
find "$work" -name 'breach_*' -exec rm {} +
printf '%s\n' '#pragma once' '#include "circle_b.h"' >"$work/host/circle_a.h"
printf '%s\n' '#pragma once' '#include "circle_a.h"' >"$work/host/circle_b.h"
count=$((count + 1))
if WALL_ROOT=$work sh "$root/tests/walls/includes.sh" >"$work/.output" 2>&1 || ! grep -q circle_a.h "$work/.output"; then
	echo "includes lets through: a circle"
	failed=1
fi
[ $failed = 0 ] && echo "did: $count breaches, each found"
exit $failed
