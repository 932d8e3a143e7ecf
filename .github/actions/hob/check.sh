#!/usr/bin/env bash
# Validates the workspace WORKSPACE with the program HOB. Runs its tests if TESTS is `true`, with the least coverage
# MIN_COVERAGE if that is set.
set -euo pipefail

"$HOB" validate --format github "$WORKSPACE"
if [ "$TESTS" != true ]; then
    exit
fi
if [ -z "$(find "$WORKSPACE" -name '*.test.yaml' -print -quit)" ] && [ -z "$MIN_COVERAGE" ]; then
    echo "::notice title=hob::No recipe has tests yet: a test of a.yaml is a.test.yaml beside it."
    exit
fi
options=()
if [ -n "$MIN_COVERAGE" ]; then
    options+=(--coverage --min "$MIN_COVERAGE")
fi
"$HOB" test --format github "${options[@]}" "$WORKSPACE"
