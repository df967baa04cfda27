#!/bin/sh
# SPDX-License-Identifier: MIT
# The list of the drivers' sources that embedders build from is what is in the tree.
exec "$(dirname "$0")/../../scripts/guest-sources" --check
