#!/usr/bin/env bash
# Reads what ninja, ctest or apt-get tells of itself and says how far it is: on a terminal in a line that is written over,
# otherwise in a line at each tenth.
#   COMMAND | tools/progress.sh LABEL [--status-only]
#
# Lines without a status, such as a compiler's, go through; with --status-only they do not.
set -euo pipefail
label=$1
only=${2:-}
shown=-1
kind=
if [ -t 1 ]; then start=$'\r\033[K' end=; else start= end=$'\n'; fi

show() {  # what, share in percent, in words
  if [ "$1" != "$kind" ]; then
    kind=$1
    shown=-1
  fi
  if [ -n "$end" ] && [ $(($2 / 10)) -le $shown ]; then return; fi
  shown=$(($2 / 10))
  printf '%s%s: %d %%%s%s' "$start" "$1" "$2" "$3" "$end"
}

while IFS= read -r line; do
  if [[ $line =~ ^\[([0-9]+)/([0-9]+)\] || $line =~ ^\ *([0-9]+)/([0-9]+)\ Test\  ]]; then
    show "$label" $((100 * BASH_REMATCH[1] / BASH_REMATCH[2])) " (${BASH_REMATCH[1]} of ${BASH_REMATCH[2]})"
  elif [[ $line =~ ^dlstatus:.*:([0-9]+)(\.[0-9]+)?: ]]; then
    show "$label, download" "${BASH_REMATCH[1]}" ""
  elif [[ $line =~ ^pmstatus:.*:([0-9]+)(\.[0-9]+)?: ]]; then
    show "$label" "${BASH_REMATCH[1]}" ""
  elif [ -z "$only" ] && [[ $line != "ninja: no work to do." && $line != "ninja: Entering directory"* ]]; then
    printf '%s%s\n' "$start" "$line"
  fi
done
if [ -z "$end" ] && [ -n "$kind" ]; then printf '\n'; fi
