#!/usr/bin/env bash
# Say what the gate's $STATUS means, and fail if something got slower that no label allows.
set -euo pipefail
case "$STATUS" in
  0) echo "::notice::Nothing got slower." ;;
  1)
    if [ "$ALLOWED" = true ]; then
      echo "::warning::Slower, as its label $LABEL allows."
    else
      echo "::error::Something got slower, or failed: see the summary. The label $LABEL allows it."
      exit 1
    fi
    ;;
  3) echo "::warning::Inconclusive: this machine was too noisy to decide every benchmark. Run it again, or look at the summary." ;;
  4) echo "::notice::Nothing was measured: no benchmark imports a file that differs." ;;
  *)
    echo "::error::The gate could not run: status $STATUS."
    exit 1
    ;;
esac
