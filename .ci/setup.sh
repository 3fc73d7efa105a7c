# sh .ci/setup.sh kit|test|lint|docs: put the package, with that extra, into .venv; called by the Makefile.
# A set-up that was killed leaves .venv/.unfinished behind, and the next one starts afresh.
set -eu
cd "$(dirname "$0")/.."
here=$(pwd -P)
extra=$1

say() { echo "setup: $*"; }

stop() {
    say "$*" >&2
    exit 1
}

# Where git made no symbolic links, and in a ZIP unpacked without them, each is a text file that names its target.
if [ -e .git ]; then
    cure="Run \`git config core.symlinks true\`, then \`git checkout -- rramkit/circuits rramkit/netlists rramkit/characterization\`."
else
    cure="Run in $here: \`cd rramkit && rm -rf circuits netlists characterization && ln -s ../circuits ../netlists ../characterization .\`."
fi
for link in rramkit/circuits rramkit/netlists rramkit/characterization; do
    [ -d "$link" ] || stop "$link must be a symbolic link to the folder beside \`rramkit\`; this checkout has a plain file or" \
        "nothing there. $cure"
done

# Python 3.11 to 3.13, with the modules that Debian keeps in a package of their own.
fits() {
    "$1" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

line_to_install() {
    ID='' VERSION_ID=''
    if [ -r /etc/os-release ]; then . /etc/os-release; fi
    as_root='sudo '
    if [ "$(id -u)" = 0 ]; then as_root=''; fi
    case "$ID-$VERSION_ID" in
        debian-1[23] | ubuntu-24.* | ubuntu-25.*)
            echo "Run: ${as_root}apt-get install git make python3 python3-venv" ;;
        ubuntu-22.*)
            echo "Run: ${as_root}apt-get install git make python3.11 python3.11-venv build-essential automake libtool bison flex" ;;
        *)
            echo "Install one of them with its venv module, or name one: make PYTHON=/path/to/python3.12 ..." ;;
    esac
}

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        fits "$PYTHON" || stop "PYTHON must name a Python 3.11, 3.12 or 3.13 that has venv and ensurepip; got $PYTHON." \
            "It is $("$PYTHON" --version 2>&1 || echo "no program that runs"). $(line_to_install)"
        echo "$PYTHON"
        return
    fi
    for candidate in python3 python3.13 python3.12 python3.11; do
        if fits "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    there=$(python3 -c 'import platform, sys; print(sys.executable, "is", platform.python_version())' 2>/dev/null || echo none)
    stop "Python 3.11, 3.12 or 3.13 with venv and ensurepip is needed; got $there. $(line_to_install)"
}

# Whole, made in this folder (its scripts name it, so a moved checkout breaks them), and of a version that fits.
sound() {
    [ ! -e .venv/.unfinished ] && [ "$(cat .venv/.here 2>/dev/null)" = "$here" ] && fits .venv/bin/python &&
        .venv/bin/python -c 'import pip' 2>/dev/null
}

if ! sound; then
    python=$(find_python)
    say "making .venv with $("$python" -c 'import platform, sys; print(sys.executable, platform.python_version())') ..."
    rm -rf .venv
    mkdir .venv
    touch .venv/.unfinished
    "$python" -m venv .venv || stop "$python could not make a virtual environment. $(line_to_install)"
fi

touch .venv/.unfinished
case $extra in
    kit) wanted=. what='the kit and what it needs' ;;
    *) wanted=".[$extra]" what="the kit with what '$extra' needs" ;;
esac
say "installing $what into .venv (a minute or two the first time) ..."
.venv/bin/python -m pip install -qq --disable-pip-version-check --no-input --editable "$wanted" ||
    stop "pip could not install the packages; its reason stands above. Fix the cause (often the network) and run the same command again."
rm .venv/.unfinished
echo "$here" >.venv/.here
touch .venv/.with-kit ".venv/.with-$extra"
