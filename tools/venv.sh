#!/bin/sh
# Make .venv and install what a lock names, every file checked against its hash.
# Usage: tools/venv.sh LOCK STAMP; PYTHON chooses the interpreter.
set -eu
lock=$1 stamp=$2 venv=.venv

if [ -L "$venv" ]; then # a venv kept elsewhere is its owner's to fill
	touch "$venv/$stamp.stamp"
	exit 0
fi

fit() { "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

if ! fit "$venv/bin/python"; then
	for python in ${PYTHON:-python3.13 python3.12 python3.11 python3.14 python3}; do
		fit "$python" && break
		python=
	done
	if [ -z "$python" ]; then
		echo "Il faut Python 3.11 ou plus récent, avec venv (Debian : apt install python3-venv), ou PYTHON=…" >&2
		exit 1
	fi
	"$python" -m venv --clear "$venv"
fi

echo "Installation des dépendances dans $venv…"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
	--require-hashes --only-binary :all: --requirement "$lock"

# The project itself: found from anywhere, installed nowhere, so that an edit is at once what runs.
site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
pwd >"$site/dui-serveur.pth"
cat >"$venv/bin/dui" <<'DUI'
#!/bin/sh
exec "$(dirname "$(readlink -f "$0")")/python" -m app.cli "$@"
DUI
chmod +x "$venv/bin/dui"
touch "$venv/$stamp.stamp"
