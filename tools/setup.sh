#!/bin/sh
# Makes .venv: a virtual environment with the pinned packages, this package, and what drawing pictures needs.
# Runs again at no cost where nothing has changed. PYTHON=/path/to/python chooses the interpreter.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"
pins=requirements/known-good.txt
stamp=.venv/set-up-from
drawing_works=.venv/drawing-works

say() { printf '%s\n' "$*"; }
fail() { printf 'make setup: %s\n' "$*" >&2; exit 1; }

is_supported() {
    "$1" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1
}

can_make_venv() {
    "$1" -c 'import ensurepip, venv' >/dev/null 2>&1
}

# A Python that can make a virtual environment comes before one that cannot yet.
find_python() {
    candidates=${PYTHON:-python3.13 python3.12 python3.11 python3.10 python3}
    for check in can_make_venv is_supported; do
        for python in $candidates; do
            if is_supported "$python" && $check "$python"; then
                say "$python"
                return
            fi
        done
    done
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif [ -t 0 ]; then
        sudo "$@"
    else
        sudo -n "$@"
    fi
}

# Installs Debian packages; false where that is not possible here.
apt_install() {
    command -v apt-get >/dev/null 2>&1 || return 1
    [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null 2>&1 || return 1
    say "Installing system packages: $*"
    as_root env DEBIAN_FRONTEND=noninteractive DEBCONF_NOWARNINGS=yes apt-get update -q >/dev/null || say "(the package lists could not be updated)"
    as_root env DEBIAN_FRONTEND=noninteractive DEBCONF_NOWARNINGS=yes apt-get install -q -y --no-install-recommends "$@" >/dev/null
}

make_venv() {
    python=$(find_python)
    [ -n "$python" ] || fail "found no Python 3.10 to 3.13. Install one (Debian: apt-get install python3 python3-venv)" \
        "or name it: make setup PYTHON=/path/to/python3"
    if ! can_make_venv "$python"; then
        package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
        apt_install "$package" || true
        can_make_venv "$python" || fail "$python cannot make virtual environments. As root: apt-get install $package"
    fi
    say "Making .venv with $("$python" --version)"
    "$python" -m venv --clear .venv
}

install_packages() {
    say "Installing the Python packages (about 1.5 GB on disk, a minute or more)"
    .venv/bin/python -m pip install --disable-pip-version-check --quiet --use-pep517 \
        --constraint "$pins" --editable ".[review,test]" ||
        fail "the Python packages could not be installed; the reason stands above"
}

# Draws one picture in a process of its own: where a system library is missing, that process is killed.
can_draw() {
    .venv/bin/python -c '
import vtk
window = vtk.vtkRenderWindow()
window.SetOffScreenRendering(1)
window.SetSize(64, 64)
window.AddRenderer(vtk.vtkRenderer())
window.Render()
' >/dev/null 2>&1
}

prepare_drawing() {
    if (can_draw) 2>/dev/null; then return; fi
    apt_install libegl1 libgl1-mesa-dri || true
    if (can_draw) 2>/dev/null; then return; fi
    say "NOTE: pictures and the Slicer scene cannot be drawn on this machine: two system libraries are missing."
    say "      As root: apt-get install --no-install-recommends libegl1 libgl1-mesa-dri   then make setup again."
    say "      Everything else works without them."
    return 1
}

can_show_widgets() {
    .venv/bin/python -c 'from PySide6 import QtUiTools, QtWidgets' >/dev/null 2>&1
}

# What Qt links to: only the tests of the Slicer panel need it, and they say so where it is missing.
prepare_widgets() {
    can_show_widgets && return
    apt_install libgl1 libegl1 libdbus-1-3 libfontconfig1 libglib2.0-0 libxkbcommon0 || true
    can_show_widgets || say "NOTE: the tests of the Slicer panel cannot run here: Qt's system libraries are missing."
}

has_browser() {
    command -v chromium >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1
}

# Only the tests of the web review drive a browser, and they say so where there is none.
prepare_browser() {
    has_browser && return
    apt_install chromium || true
    has_browser || say "NOTE: the browser tests of the web review cannot run here. As root: apt-get install chromium"
}

# What the environment was made from: it is renewed where one of these has changed, or the folder has moved.
fingerprint() {
    say "$root"
    cksum pyproject.toml "$pins" tools/setup.sh ReirradiationReview/ReirradiationReviewLib/__init__.py
}

if ! is_supported .venv/bin/python || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    make_venv
fi
if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$(fingerprint)" ]; then
    rm -f "$stamp"
    install_packages
    fingerprint >"$stamp"
    prepare_widgets
    prepare_browser
    say "Ready: .venv/bin/reirradiation-review"
fi
if [ ! -f "$drawing_works" ] && prepare_drawing; then
    touch "$drawing_works"
fi
