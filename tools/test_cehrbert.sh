#!/usr/bin/env bash
# Opens folders of `sequela pretrain --objective mlm` with the real cehrbert 1.5.0 and transformers, in an environment of
# its own (made once), which sees the torch of the main one.
#   tools/test_cehrbert.sh BUILD_FOLDER
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build}
venv=.venv-cehrbert
python=$venv/bin/python
wanted=$(sha256sum tests/cehrbert/requirements.txt .venv/.installed)
if [ "$(cat $venv/.installed 2>/dev/null)" != "$wanted" ]; then
  echo "Making $venv with cehrbert 1.5.0"
  python3 -m venv $venv
  .venv/bin/python -c "import sysconfig; print(sysconfig.get_path('platlib'))" \
    > "$($python -c "import sysconfig; print(sysconfig.get_path('platlib'))")/torch_of_the_build.pth"
  tools/pip_install.sh $python -r tests/cehrbert/requirements.txt
  tools/pip_install.sh $python --no-deps cehrbert==1.5.0
  echo "$wanted" > $venv/.installed
fi
OMP_WAIT_POLICY=passive SEQUELA_BINARY=$PWD/$build/bin/sequela $python -m pytest -q -p no:cacheprovider -rs tests/cehrbert | tee "$build/test_cehrbert.log"
