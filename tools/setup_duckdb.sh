#!/usr/bin/env bash
# Takes DuckDB's library, which `sequela etl` loads, into FOLDER/libduckdb.so, once. It lies in an npm package.
#   tools/setup_duckdb.sh FOLDER
set -euo pipefail
folder=$1
package=@duckdb/node-bindings-linux-x64@1.5.6-r.1
digest=21772b64913a904a8cd19e30c1d5671811d7fdface4b7dd53cd0300d743f43e16cf386f4e7c41ef78721ac208870d2651bc6375072145387817824315b998dd5

if [ "$(cat "$folder/.installed" 2>/dev/null)" = "$package" ] && [ -s "$folder/libduckdb.so" ]; then exit 0; fi
echo "Taking DuckDB's library (24 MB to download)"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tools=$(cd "$(dirname "$0")" && pwd)
(cd "$work" && "$tools/npm.sh" "DuckDB's library" pack "$package")
archive=$(ls "$work"/*.tgz)
if ! echo "$digest  $archive" | sha512sum --check --status; then
  echo "$package, as npm's registry sends it, is not the one that is pinned. Fix: name another registry: npm config set registry ADDRESS." >&2
  exit 1
fi
mkdir -p "$folder"
tar -xzf "$archive" -C "$folder" --strip-components=1 package/libduckdb.so package/LICENSE
echo "$package" > "$folder/.installed"
