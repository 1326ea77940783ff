"""How long the page stays open: as the house of the person says. Asked at their door, before any gate is open."""

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Integer, Interval, Select, Uuid, bindparam, cast, literal_column, select

from app.features.settings.chosen import chosen
from app.features.usagers.models import Usager

SHARED, OWN = "page.shared_device_minutes", "page.own_device_days"


def _times(key: str, unit: ColumnElement[Any]) -> ColumnElement[timedelta]:
    return cast(cast(chosen(key, "usager"), Integer) * unit, Interval)


LASTING: Select[timedelta, timedelta] = select(
    _times(SHARED, literal_column("interval '1 minute'")), _times(OWN, literal_column("interval '24 hours'"))
).where(Usager.id == bindparam("usager", type_=Uuid()))
