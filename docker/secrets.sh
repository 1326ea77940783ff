#!/bin/sh
# Make the secrets of compose.yaml, once: docker/secrets.sh [FOLDER]. A second call changes nothing.
# The folder is closed (0700); the files in it must be readable by the accounts of the containers.
set -eu
folder=${1:-secrets}
umask 022
[ -d "$folder" ] || { mkdir -p "$folder" && chmod 0700 "$folder"; }
password() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
keep() { [ -e "$folder/$1" ] || printf '%s' "$2" >"$folder/$1"; }

keep postgres_password "$(password)"
keep dui_owner_database_url "postgresql://dui_owner:$(password)@db:5432/dui"
keep dui_database_url "postgresql://dui_app:$(password)@db:5432/dui"
keep dui_sealer_database_url "postgresql://dui_sealer:$(password)@db:5432/dui"
