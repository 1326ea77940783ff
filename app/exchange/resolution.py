"""What this organisation already knows of a partner's names, asked once for a whole bundle, whatever its size."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Boolean, Uuid, text

from app.fhir.packages.held import STAMP

# Each name is looked up by itself, whatever the statistics say: a house that imports everyone has none yet.
_X = """SELECT x.fingerprint, x.kind, x.row_id, x.usager_id FROM unnest(CAST(:fingerprints AS bytea[])) AS f (said), LATERAL (
        SELECT * FROM external_id x WHERE x.organisation_id = :organisation AND x.partner_id = :me
            AND x.fingerprint = f.said OFFSET 0) x
    UNION ALL SELECT x.fingerprint, x.kind, x.row_id, x.usager_id FROM unnest(CAST(:ids AS uuid[])) AS i (said), LATERAL (
        SELECT * FROM external_id x WHERE x.organisation_id = :organisation AND x.row_id = i.said OFFSET 0) x
    WHERE x.partner_id = :me"""
# A row that this partner sent without a name, by the id it was given.
_SENT = """SELECT NULL::bytea, v.kind, v.entry_id, v.usager_id FROM (
        SELECT DISTINCT ON (entry_id) kind, entry_id, usager_id FROM entry_version
        WHERE organisation_id = :organisation AND entry_id = ANY(:ids) AND origin_partner_id = :me
            AND version = origin_version ORDER BY entry_id, version DESC) v
    UNION ALL SELECT NULL::bytea, 'outside_party', p.id, NULL::uuid FROM outside_party p
    WHERE p.organisation_id = :organisation AND p.origin_partner_id = :me AND p.id = ANY(:ids)"""
# One row whatever is known. `same`: these very bytes, taken less than a day ago, by this partner, for this structure; to the
# letter, taken without a doubt.
ASK = text(
    f"""WITH x (fingerprint, kind, row_id, usager_id) AS MATERIALIZED ({_SENT} UNION ALL {_X}) SELECT
    coalesce((SELECT s.accepts FROM partner_structure s WHERE s.organisation_id = :organisation
        AND s.partner_id = :me AND s.structure_id = :receiver), false) AS accepts,
    (SELECT e.id FROM exchange e WHERE e.organisation_id = :organisation AND e.partner_id = :me
        AND e.structure_id = :receiver AND e.sha256 = :sha256 AND e.outcome = 'success' AND e.direction = 'received' AND (e.warnings = 0 OR NOT :strict)
        AND e.recorded_at > clock_timestamp() - interval '24 hours' ORDER BY e.id DESC LIMIT 1) AS same,
    coalesce((SELECT json_agg(json_build_array(encode(x.fingerprint, 'hex'), x.kind, x.row_id, x.usager_id))
        FROM x), '[]') AS named,
    coalesce((SELECT json_agg(json_build_array(k.usager_id, encode(k.wrapped, 'hex')))
        FROM usager_key k WHERE k.organisation_id = :organisation AND k.usager_id IN (
            SELECT unnest(ARRAY[x.usager_id, x.row_id]) FROM x)), '[]') AS keys, {STAMP} AS packages"""  # noqa: S608  constants
).columns(accepts=Boolean(), same=Uuid(), named=JSON(), keys=JSON())


@dataclass(frozen=True, slots=True)
class Named:
    """A row that this partner sent before."""

    kind: str
    id: UUID
    usager_id: UUID | None


@dataclass(frozen=True, slots=True)
class Known:
    accepts: bool = False
    same: UUID | None = None
    by_name: dict[bytes, Named] = field(default_factory=dict)
    by_id: dict[UUID, Named] = field(default_factory=dict)
    keys: dict[UUID, bytes] = field(default_factory=dict)  # of the usagers of these rows, wrapped
    packages: str = ""  # the stamp of those installed


def read(answer: Any) -> Known:
    by_name, by_id = dict[bytes, Named](), dict[UUID, Named]()
    for fingerprint, kind, row, usager in sorted(answer["named"], key=lambda line: line[0] is not None):
        named = Named(kind, UUID(row), UUID(usager) if usager else None)
        by_id[named.id] = named  # what a name tells comes last: it knows whom the secretary attached
        if fingerprint:
            by_name[bytes.fromhex(fingerprint)] = named
    keys = {UUID(usager): bytes.fromhex(wrapped) for usager, wrapped in answer["keys"]}
    return Known(answer["accepts"], answer["same"], by_name, by_id, keys, answer["packages"])
