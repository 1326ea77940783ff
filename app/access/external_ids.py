"""How partners name rows, as the conditions of a statement ask it: the table belongs to a room above this floor."""

from sqlalchemy import LargeBinary, Text, Uuid, column, table

EXTERNAL_ID = table(
    "external_id",
    column("organisation_id", Uuid()),
    column("partner_id", Uuid()),
    column("fingerprint", LargeBinary()),
    column("kind", Text()),
    column("row_id", Uuid()),
    column("usager_id", Uuid()),
)
