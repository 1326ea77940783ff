#!/bin/sh
# Every night: save, prove that it restores, and only then let go of the oldest ones.
# BACKUPS: the folder. KEEP: how many. AT: the hour, UTC; "now": once, and leave.
set -eu
BACKUPS=${BACKUPS:-/backups}
KEEP=${KEEP:-14}
AT=${AT:-2}

night() {
	file="$BACKUPS/dui-$(date -u +%Y-%m-%dT%H%M%S).backup"
	python -m app.cli backup "$file" && python -m app.cli restore --check --scratch "$BACKUPS" "$file" || return 1
	ls -1 "$BACKUPS" | grep -E '^dui-[0-9T-]+\.backup$' | sort -r | tail -n "+$((KEEP + 1))" | while read -r old; do
		rm -f "$BACKUPS/$old" "$BACKUPS/$old.report.json"
	done
}

if [ "$AT" = now ]; then
	night
	exit
fi
trap 'exit 0' TERM INT
while :; do
	passed=$(($(date -u +%s) % 86400))
	sleep $(((AT * 3600 - passed + 86400) % 86400 + 1)) &
	wait $!
	night || echo "La sauvegarde de cette nuit a échoué : voyez ci-dessus." >&2
done
