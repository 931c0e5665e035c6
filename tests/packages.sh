# shellcheck shell=bash
# Sourced by tests/run and examples/demo: finds what a machine lacks and, as root on Debian, installs it.
#
#     need meson command -v meson      the package meson, unless the command after it succeeds
#     install_missing || exit 1

missing=()

need() {
    local package=$1

    shift
    "$@" >/dev/null 2>&1 || missing+=("$package")
}

# Tells whether a compiler (perhaps with options) builds a program: compiles COMPILER TEXT OPTION...
compiles() {
    local text=$2
    local -a compiler

    read -r -a compiler <<<"$1"
    shift 2
    printf '%s\n' "$text" | "${compiler[@]}" -x c -o /dev/null - "$@" >/dev/null 2>&1
}

need_compiler() {
    need meson command -v meson
    need ninja-build command -v ninja
    need gcc command -v gcc
    need libc6-dev compiles gcc 'int main(void) { return 0; }'
    need pkg-config command -v pkg-config
    need zlib1g-dev compiles gcc $'#include <zlib.h>\nint main(void) { return 0; }' -lz
    need python3 command -v python3
}

# Installs packages that the caller can do without, unless the command succeeds: want PACKAGES COMMAND...
want() {
    local -a packages

    read -r -a packages <<<"$1"
    shift
    "$@" >/dev/null 2>&1 || [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null ||
        DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends --no-remove \
            "${packages[@]}" >/dev/null 2>&1 || true
}

install_missing() {
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        echo "This machine lacks: ${missing[*]}"
        echo "Install it and try again, on Debian by: apt-get install ${missing[*]}"
        return 1
    fi
    local log

    echo "Installing: ${missing[*]}"
    log=$(mktemp)
    if ! { apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q -y install \
        --no-install-recommends --no-remove "${missing[@]}"; } >"$log" 2>&1; then
        tail -n 20 "$log"
        rm -f "$log"
        echo "apt-get could not install it: ${missing[*]}"
        return 1
    fi
    rm -f "$log"
    missing=()
}
