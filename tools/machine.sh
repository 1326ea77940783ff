#!/usr/bin/env bash
# What the tests use and the venv can't hold: Debian's Chromium and PostgreSQL 15. As root, installed when absent;
# else what is missing is said, and the tests that need it are skipped with that reason.
set -u
server=/usr/lib/postgresql/15/bin/postgres
missing=()
[ -x "$server" ] || missing+=(postgresql-15)
command -v chromium >/dev/null || missing+=(chromium)
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
	only_files=/etc/postgresql-common/createcluster.d/dui.conf # the binaries only: no cluster, no service
	mkdir -p "${only_files%/*}" && echo "create_main_cluster = false" >"$only_files"
	apt-get -qq update
	for package in "${missing[@]}"; do
		DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$package" >/dev/null
	done
	rm -f "$only_files"
fi

[ -x "$server" ] || echo "PostgreSQL 15 is not here and could not be installed: the suite runs on 18 only."
command -v chromium >/dev/null || echo "Chromium is not here and could not be installed: browser tests are skipped."
exit 0
