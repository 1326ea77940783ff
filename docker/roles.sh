#!/bin/sh
# Run once by the postgres image, on an empty volume: the three roles (app/kernel/roles.py says the same) and the base.
set -eu
secrets=${SECRETS:-/run/secrets}
password() { sed -E 's#^[^:]+://[^:]+:([^@]+)@.*#\1#' "$secrets/$1"; }

psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
	--set owner="$(password dui_owner_database_url)" \
	--set app="$(password dui_database_url)" \
	--set sealer="$(password dui_sealer_database_url)" <<'SQL'
CREATE ROLE dui_owner LOGIN BYPASSRLS PASSWORD :'owner';
CREATE ROLE dui_app LOGIN NOBYPASSRLS PASSWORD :'app';
CREATE ROLE dui_sealer LOGIN NOBYPASSRLS PASSWORD :'sealer';
CREATE DATABASE dui OWNER dui_owner;
REVOKE ALL ON DATABASE dui FROM PUBLIC;
GRANT CONNECT ON DATABASE dui TO dui_app, dui_sealer;
SQL
