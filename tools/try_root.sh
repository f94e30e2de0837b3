#!/usr/bin/env bash
# Tries a wheel where nothing is: makes a bare root of a Debian release, installs the wheel there by the container's
# script, and tries it as an ordinary user without network. Prints the root's size. Run as root; needs debootstrap.
#   tools/try_root.sh WHEEL bookworm|trixie [arguments of try_wheel.py]
#
# apt's mirror and pip's settings are this machine's.
#   DEBIAN_MIRROR          default http://deb.debian.org/debian
#   SEQUELA_ROOT           where the root goes; kept if given, else temporary
#   SEQUELA_ROOT_FOLDERS   folders that pip's settings name, to be seen inside (read-only), separated by spaces
#   SEQUELA_ROOT_LIMIT_MB  fail if the installed root is larger
set -euo pipefail
wheel=$(realpath "${1:?usage: tools/try_root.sh WHEEL RELEASE}")
release=${2:?usage: tools/try_root.sh WHEEL RELEASE}
shift 2
tools=$(dirname "$(realpath "$0")")
if [ "$(id -u)" != 0 ]; then
  echo "tools/try_root.sh makes and enters a root. Fix: run it as root." >&2
  exit 1
fi
# The mounts are those of a second process alone: they have ended before anything is removed.
if [ -z "${SEQUELA_ROOT_MADE:-}" ]; then
  root=${SEQUELA_ROOT:-$(mktemp -d)}
  [ -n "${SEQUELA_ROOT:-}" ] || trap 'rm -rf --one-file-system "$root"' EXIT
  SEQUELA_ROOT_MADE=$root unshare -m "$0" "$wheel" "$release" "$@"
  exit
fi
root=$SEQUELA_ROOT_MADE
mkdir -p "$root"
chmod 755 "$root"

[ -e "$root/etc/debian_version" ] ||
  debootstrap --variant=minbase "$release" "$root" "${DEBIAN_MIRROR:-http://deb.debian.org/debian}" > /dev/null
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"

# This machine's settings. Of pip's, those in files become variables, as those in the environment are.
cp /etc/resolv.conf "$root/etc/resolv.conf"
apt-config dump Acquire > "$root/etc/apt/apt.conf.d/99host"
settings=()
while IFS= read -r setting; do settings+=("$setting"); done < <(python3 - <<'PY'
import ast
import os
import subprocess
import sys

settings = {}
lines = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True).stdout.splitlines()
for key, _, value in (line.partition("=") for line in lines):
    section, _, name = key.rpartition(".")
    if section in ("global", "install") and name != "constraint":
        settings["PIP_" + name.upper().replace("-", "_")] = ast.literal_eval(value).replace("\n", " ")
settings.update({key: value for key, value in os.environ.items() if key.startswith("PIP_") or key.lower().endswith("_proxy")})
settings["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
print(*(f"{key}={value}" for key, value in settings.items()), sep="\n")
PY
)
[ -z "${PIP_CERT:-}" ] || settings+=("PIP_CERT=/mnt/sequela/certificates.pem")
outside=()
for folder in ${SEQUELA_ROOT_FOLDERS:-}; do
  outside+=("--exclude=$root$folder")
  mkdir -p "$root$folder"
  mount --bind -o ro "$folder" "$root$folder"
done

mount -t tmpfs tmpfs "$root/mnt"
mkdir "$root/mnt/sequela"
cp "$wheel" "$tools/try_wheel.py" "$tools/../container/install.sh" "$root/mnt/sequela"
[ -z "${PIP_CERT:-}" ] || install -m 644 "$PIP_CERT" "$root/mnt/sequela/certificates.pem"

inside() {  # as a user of the root, with a bare environment
  local who=$1 home=$2
  shift 2
  "${isolate[@]}" chroot --userspec="$who:$who" "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME="$home" \
    LANG=C.UTF-8 OMP_WAIT_POLICY=passive "${settings[@]}" "$@"
}
isolate=()
inside root /root /mnt/sequela/install.sh system
inside sequela /home/sequela /mnt/sequela/install.sh user "/mnt/sequela/$(basename "$wheel")"
size=$(du -smx "${outside[@]}" "$root" | cut -f1)
echo "--- Debian $(cat "$root/etc/debian_version"): the root takes $size MB"
isolate=(unshare -n)
inside sequela /home/sequela /home/sequela/environment/bin/python /mnt/sequela/try_wheel.py "$@"
if [ "$size" -gt "${SEQUELA_ROOT_LIMIT_MB:-$size}" ]; then
  echo "The root is larger than $SEQUELA_ROOT_LIMIT_MB MB." >&2
  exit 1
fi
