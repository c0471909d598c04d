#!/usr/bin/env bash
# Put gate.md into the pull request as one comment, which is written anew at each push.
set -euo pipefail
mark='<!-- performance gate -->'
if [ ! -f gate.md ]; then exit 0; fi
body=$(mktemp)
trap 'rm -f "$body"' EXIT
printf '%s\n%s\n' "$mark" "$(cat gate.md)" > "$body"
comments=repos/$GITHUB_REPOSITORY/issues/$PULL_REQUEST/comments

write() { # a new comment, or over the known one
  if [ -n "$known" ]; then
    gh api --silent --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/${known%%$'\n'*}" --field "body=@$body"
  else
    gh api --silent --method POST "$comments" --field "body=@$body"
  fi
}

if ! known=$(gh api --paginate "$comments" --jq ".[] | select(.body | startswith(\"$mark\")) | .id") || ! write; then
  # A pull request from a fork has no such permission.
  echo "::warning::No comment: that takes 'permissions: {pull-requests: write}'. The summary has the same text."
fi
