# Helpers shared by script/run and script/test. Sourced, never run.
# shellcheck shell=bash

# The oldest Swift that can build Beanrow (swift-tools-version in Package.swift).
swift_needed="6.2"

# One line on stderr about what is going on.
say() {
    printf 'beanrow: %s\n' "$*" >&2
}

# One sentence on stderr, then the end.
die() {
    say "$*"
    exit 1
}

# "6.3" for Swift 6.3.1; nothing when swift cannot even start (libraries it needs may be missing).
swift_version() {
    local text
    text="$(swift --version 2>/dev/null)" || return 0
    if [[ "$text" =~ Swift\ version\ ([0-9]+\.[0-9]+) ]]; then
        printf '%s\n' "${BASH_REMATCH[1]}"
    fi
}

# Whether version $1 is at least version $2 (both MAJOR.MINOR).
version_at_least() {
    local major="${1%%.*}" minor="${1#*.}" needed_major="${2%%.*}" needed_minor="${2#*.}"
    ((major > needed_major || (major == needed_major && minor >= needed_minor)))
}

# Stops unless a new enough Swift is on PATH. A Swift that does not start passes here: the packages come first.
require_swift() {
    command -v swift >/dev/null ||
        die "Swift $swift_needed or newer is needed on PATH; install it from https://www.swift.org/install/."
    local found
    found="$(swift_version)"
    if [[ -n "$found" ]] && ! version_at_least "$found" "$swift_needed"; then
        die "Swift $swift_needed or newer is needed on PATH, but this is Swift $found ($(command -v swift))."
    fi
}

# `swift build` with a folder of its own for temporary files: it leaves one behind there for each module.
swift_build() (
    TMPDIR="$(mktemp -d)"
    export TMPDIR
    trap 'rm -rf "$TMPDIR"' EXIT
    swift build "$@"
)

# Stops when Swift cannot start although its packages are there.
require_working_swift() {
    [[ -n "$(swift_version)" ]] || die "Swift does not start; see the error of: swift --version"
}

# Whether PostgreSQL's server programs are in PATH or in the distributions' usual places.
has_postgres_programs() {
    local directory
    for directory in ${PATH//:/ } /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/local/pgsql/bin \
        /opt/homebrew/opt/postgresql@*/bin /usr/local/opt/postgresql@*/bin; do
        if [[ -x "$directory/initdb" && -x "$directory/postgres" ]]; then
            return 0
        fi
    done
    return 1
}

# The names of all installed Debian packages and of what they provide, one a line.
installed_packages() {
    dpkg-query -W -f '${db:Status-Status} ${Package}, ${Provides}\n' |
        awk '$1 == "installed" { sub(/^installed /, ""); gsub(/ *\([^)]*\)/, ""); gsub(/, */, "\n"); print }'
}

# Each argument is a Debian package, or "capability=package": the package is installed if nothing provides the
# capability yet. Installs what is missing, as root or through a sudo that asks for no password.
require_packages() {
    local installed entry missing=()
    installed="$(installed_packages)"
    for entry in "$@"; do
        grep -qxF -e "${entry%%=*}" <<<"$installed" || missing+=("${entry#*=}")
    done
    if ((${#missing[@]} == 0)); then
        return 0
    fi

    local command=(apt-get install -y --no-install-recommends "${missing[@]}")
    local by_hand="sudo apt-get update && sudo ${command[*]}"
    local as_root=()
    if ((EUID != 0)); then
        if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then
            die "system packages are missing and need root; run: $by_hand"
        fi
        as_root=(sudo)
    fi
    say "installing system packages: ${missing[*]}"
    if [[ " ${missing[*]} " == *" postgresql "* ]]; then
        say "(Debian's postgresql also sets up a cluster of its own on port 5432; Beanrow does not use it)"
    fi
    "${as_root[@]}" apt-get update -q >&2 ||
        say "the package lists could not be refreshed; going on with the present ones"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive "${command[@]}" >&2 ||
        die "the packages could not be installed, see the lines above; by hand: $by_hand"
    # Where systemd runs, Debian starts what it installs; the tests start their own.
    if [[ " ${missing[*]} " == *" prometheus "* && -d /run/systemd/system ]]; then
        "${as_root[@]}" systemctl disable --now --quiet prometheus >&2 || true
    fi
}

# What building and running Beanrow takes from the system: libpq, PostgreSQL's programs, and what Swift itself needs
# (pkg-config too: without it SwiftPM does not look where Debian keeps libpq.pc). Further arguments are more packages.
require_system() {
    if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
        if ! command -v pkg-config >/dev/null || ! pkg-config --exists libpq || ! has_postgres_programs; then
            die "this is not Debian: install pkg-config, libpq with its headers, and PostgreSQL's server programs" \
                "(initdb, postgres) on PATH, then run this again."
        fi
        return 0
    fi
    local packages=(
        ca-certificates git binutils libc-dev=libc6-dev libstdc++-dev=g++
        libcurl4 libncurses6 libsqlite3-0 libxml2
        pkg-config libpq-dev
    )
    has_postgres_programs || packages+=(postgresql)
    require_packages "${packages[@]}" "$@"
}

# The first Python that can make a virtual environment, of at least this version: find_python [MAJOR MINOR].
find_python() {
    local python
    for python in python3 /usr/bin/python3; do
        if "$python" -c "import ensurepip, sys, venv; sys.exit(sys.version_info < (${1-3}, ${2-0}))" 2>/dev/null; then
            printf '%s\n' "$python"
            return 0
        fi
    done
    return 1
}
