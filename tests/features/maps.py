"""A map tried by itself: a view with defaults, a resource on its way in, what comes back to its sender."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from app.fhir.mapping import Arrived, Inbound, ResourceMap, as_read, plain
from app.kernel.crypto import Keyring, UsagerKey

WHEN = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Bench:
    """Keys of a server and of one person."""

    keyring: Keyring
    key: UsagerKey
    wrapped: bytes
    usager: UUID
    id: UUID

    @classmethod
    def laid(cls, folder: Path) -> "Bench":
        keyring, usager = Keyring.create(folder / "keys.json", demo=True), uuid4()
        key, wrapped = keyring.new_usager_key(str(usager))
        return cls(keyring, key, wrapped, usager, usager)

    def inbound(self) -> Inbound:
        return Inbound(self.id, self.usager, uuid4(), uuid4(), self.key, self.keyring, "Bundle.entry[0].resource")

    def view(self, its: ResourceMap[Any], **values: object) -> Any:
        common = {"id": str(self.id), "usager_id": str(self.usager), "version": 1, "updated_at": WHEN, "held": False}
        names = set(its.view.__struct_fields__)
        empty = dict.fromkeys(names - set(its.view.COMPUTED) - common.keys() - values.keys())
        return its.view(**{**common, **empty, **values})

    def arrived(self, its: ResourceMap[Any], resource: dict[str, Any], inbound: Inbound | None = None) -> Arrived:
        return its.received(resource, inbound or self.inbound())

    def back(self, its: ResourceMap[Any], arrived: Arrived, **reader: Any) -> dict[str, Any]:
        """What goes out of a row that arrived; to its sender unless `reader` says otherwise."""
        view = as_read(its.view, arrived.row, {**arrived.told, "wrapped_key": self.wrapped})
        return plain(its.out(view, self.keyring, **{"own": True, **reader}))


def same_but_ours(back: dict[str, Any], received: dict[str, Any]) -> bool:
    """Equal as JSON without what is this server's: the id, the version, when it changed."""

    def told(resource: dict[str, Any]) -> dict[str, Any]:
        about = {k: v for k, v in resource.get("meta", {}).items() if k not in ("versionId", "lastUpdated")}
        return {**{k: v for k, v in resource.items() if k != "id"}, "meta": about}

    return told(back) == told(received)
