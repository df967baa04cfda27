#!/bin/sh
# SPDX-License-Identifier: MIT
# Every mutant still fits the source that it mutates; whether it is killed is `make mutants`.
exec "$(dirname "$0")/../mutants/run" --check
