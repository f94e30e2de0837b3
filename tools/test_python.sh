#!/usr/bin/env bash
# Makes the wheel and installs it into an environment of its own, if the sources changed since, and tests it.
#   tools/test_python.sh BUILD_FOLDER [pytest arguments]
#
# The environment sees the torch and pyarrow of the main one, so that neither is downloaded nor built for twice.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build}
shift || true
venv=.venv-python
python=$PWD/$venv/bin/python

wanted=$(sha256sum tests/python/requirements*.txt .venv/.installed)
if [ "$(cat $venv/.installed 2>/dev/null)" != "$wanted" ]; then
  echo "Making $venv"
  [ -x "$python" ] || python3 -m venv $venv
  tools/pip_install.sh "$python" -r tests/python/requirements.txt
  # Two versions of meds do not go into one environment.
  rm -rf $venv/meds-0.3
  tools/pip_install.sh "$python" --no-deps --target $venv/meds-0.3 -r tests/python/requirements-meds-0.3.txt
  .venv/bin/python -c "import sysconfig; print(sysconfig.get_path('platlib'))" \
    > "$("$python" -c "import sysconfig; print(sysconfig.get_path('platlib'))")/torch_of_the_build.pth"
  echo "$wanted" > $venv/.installed
fi

sources=$(find sequela python cmake tools/make_wheel.sh CMakeLists.txt pyproject.toml README.md -type f ! -name '*.pyc' -print0 | sort -z \
  | xargs -0 sha256sum | sha256sum)
if [ "$(cat $venv/.sources 2>/dev/null)" != "$sources" ]; then
  echo "Installing the wheel into $venv (it compiles)"
  SEQUELA_PYTHONS=${SEQUELA_PYTHONS-} tools/make_wheel.sh "$build"  # for this Python alone
  "$python" -m pip install -q --disable-pip-version-check --force-reinstall --no-deps "$build"/wheel/sequela-*.whl
  echo "$sources" > $venv/.sources
fi
OMP_WAIT_POLICY=passive "$python" -m pytest -q -p no:cacheprovider -rs tests/python "$@" | tee "$build/test_python.log"
