#!/bin/sh
# Before each start: the keys on the first day, the schema of this version.
set -eu
[ -e "$DUI_KEY_FILE" ] || python -m app.cli keys create
exec python -m app.cli migrate
