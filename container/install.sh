#!/bin/sh
# Installs the wheel for an ordinary user: the steps of the container, which tools/try_root.sh runs in a bare root, too.
#   install.sh system       as root: Python and a user
#   install.sh user WHEEL   as that user: an environment and the wheel in it
#
#   SEQUELA_CUDA=1          torch with CUDA
#   PIP_...                 pip's own settings
set -eu

user=sequela
environment=/home/$user/environment

case ${1-} in
system)
  apt-get update -q > /dev/null
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends python3 python3-venv > /dev/null
  apt-get clean
  rm -rf /var/lib/apt/lists/*
  id $user > /dev/null 2>&1 || useradd --create-home $user
  ;;
user)
  python3 -m venv $environment
  # PyTorch keeps the small builds, without CUDA, in an index of its own.
  [ "${SEQUELA_CUDA:-0}" = 1 ] || [ -n "${PIP_NO_INDEX-}${PIP_EXTRA_INDEX_URL-}" ] ||
    export PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu
  $environment/bin/python -m pip install -q --no-cache-dir --disable-pip-version-check "${2:?which wheel}"
  ;;
*)
  echo "usage: install.sh system | install.sh user WHEEL" >&2
  exit 2
  ;;
esac
