#!/bin/sh
# Before each start: the keys on the first day, the schema of this version.
set -eu
if [ ! -e "$DUI_KEY_FILE" ]; then
	python -c 'import os, pathlib; from app.kernel.crypto import Keyring; Keyring.create(pathlib.Path(os.environ["DUI_KEY_FILE"]))'
	echo "Clés créées dans $DUI_KEY_FILE : sauvegardez-les ailleurs que la base, sans elles rien ne se relit."
fi
exec python -m app.cli migrate
