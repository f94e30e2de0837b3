#!/usr/bin/env bash
# Opens the reports' pages in a headless Chromium (Debian's), in an environment of its own (made once). The pictures of
# the pages, to be looked at, go to BUILD_FOLDER/page_pictures.
#   tools/test_page.sh BUILD_FOLDER [pytest's arguments]
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build}
venv=.venv-page
python=$venv/bin/python
wanted=$(sha256sum tests/page/requirements.txt tests/page/package-lock.json)
if [ "$(cat $venv/.installed 2>/dev/null)" != "$wanted" ]; then
  echo "Making $venv with playwright and axe-core"
  python3 -m venv $venv
  tools/pip_install.sh $python -r tests/page/requirements.txt
  cp tests/page/package.json tests/page/package-lock.json $venv
  PATH=$PWD/.venv/bin:$PATH tools/npm.sh axe-core ci --prefix $venv --ignore-scripts --prefer-offline --no-audit --no-fund
  echo "$wanted" > $venv/.installed
fi
# Only these tests need the browser. Where no package of it is to be had they are skipped.
if ! command -v chromium > /dev/null && apt-cache show chromium > /dev/null 2>&1; then
  as_root=()
  [ "$(id -u)" = 0 ] || as_root=(sudo -n)
  echo "Installing Debian's chromium (some hundred MB)"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends chromium fonts-dejavu-core \
    > /dev/null || true
fi
SEQUELA_BINARY=$PWD/$build/bin/sequela SEQUELA_AXE=$PWD/$venv/node_modules/axe-core/axe.min.js \
  SEQUELA_PICTURES=$PWD/$build/page_pictures \
  $python -m pytest -q -p no:cacheprovider -rs tests/page "${@:2}" | tee "$build/test_page.log"
