#!/usr/bin/env bash
# Run the gate on HEAD against $BASE, or the merge base with $TARGET; leave gate.json, gate.md, gate.xml here and the status as output.
set -euo pipefail
suite=$(cd "$GITHUB_ACTION_PATH/../../.." && pwd)
here=$PWD
python=${PYTHON:-python}
if [ -z "$PYTHON" ]; then
  what=("$suite[bench]")
  if [ "$PROJECT" != suite ]; then what+=("$here/$PROJECT"); fi
  python -m pip install --quiet "${what[@]}"
elif [ -x "$here/$PYTHON" ]; then
  python=$here/$PYTHON
fi
arguments=("${BASE:-$(git merge-base "$TARGET" HEAD)}" HEAD --min-effect "$MIN_EFFECT")
if [ -n "$TESTS" ]; then
  arguments+=(--pytest "$here/$TESTS")
elif [ "$PROJECT" != suite ]; then
  arguments+=(--repo "$here/$PROJECT")
fi
if [ -n "$BUDGET" ]; then arguments+=(--budget "$BUDGET"); fi
while IFS= read -r pattern; do
  if [ -n "$pattern" ]; then arguments+=(--only "$pattern"); fi
done <<< "$ONLY"
if [ "$PROJECT" != suite ]; then cd "$suite"; fi # a folder of the project's may be called as one of the suite's packages is
status=0
"$python" -m benchmarks gate "${arguments[@]}" --json "$here/gate.json" --markdown "$here/gate.md" --junit "$here/gate.xml" ||
  status=$?
echo "status=$status" >> "$GITHUB_OUTPUT"
if [ -f "$here/gate.md" ]; then cat "$here/gate.md" >> "$GITHUB_STEP_SUMMARY"; fi
