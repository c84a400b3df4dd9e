# What quickstart and test have in common: a bare Debian 12 becomes one that builds kpid.
# Sourced; changes to the source tree's root.

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1

# packages_missing USE...: those of tools/setup/packages that are not installed.
packages_missing() {
    local use package

    while read -r use package _; do
        case " $* " in *" $use "*) ;; *) continue ;; esac
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
            echo "$package"
    done < <(sed 's/#.*//; /^[[:space:]]*$/d' tools/setup/packages)
}

# packages_install USE...: installs what is missing, and asks for nothing if nothing is.
packages_install() {
    local missing sudo=''

    mapfile -t missing < <(packages_missing "$@")
    [ ${#missing[@]} -gt 0 ] || return 0
    if ! command -v apt-get >/dev/null; then
        echo "This is no Debian: please install what corresponds to: ${missing[*]}" >&2
        return 1
    fi
    [ "$(id -u)" = 0 ] || sudo=sudo
    echo "Installing: ${missing[*]}"
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq update &&
        $sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends \
            install "${missing[@]}" >/dev/null
}
