#!/usr/bin/env bash
# Lint, the scan, the suite on PostgreSQL 15, the suite on 18 with its coverage floors: in this order, so that pytest's own
# closing line is the last one said. What failed before is told to that last run, which then fails too. What is marked
# `once` runs on 18 alone, where the floors are counted.
set -u
python=.venv/bin/python
failed=()

bash tools/machine.sh
export DUI_TEST_STATUSES=.venv/statuses.json # what both runs heard: the last one fails by what the OpenAPI document lacks
rm -f "$DUI_TEST_STATUSES"
make --no-print-directory lint || failed+=(lint)
make --no-print-directory scan || failed+=(scan)
if [ -x /usr/lib/postgresql/15/bin/postgres ]; then
	echo "— PostgreSQL 15"
	DUI_TEST_PG=15 $python -m pytest -rs -n "${JOBS:-3}" -m "not long and not browser and not once" -p tests.statuses || failed+=("PostgreSQL 15")
fi
echo "— PostgreSQL 18"
DUI_TEST_FAILED="${failed[*]-}" DUI_TEST_WHOLE=1 exec $python -m pytest -rs -n "${JOBS:-3}" -m "not long" -p tests.floors -p tests.statuses
