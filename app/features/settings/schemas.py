"""What the REST API hears and says about settings."""

from datetime import datetime
from typing import Annotated, Any, ClassVar

from pydantic import StringConstraints

from app.access.entry import View
from app.features.settings.models import Setting
from app.kernel.fields import Body


class SettingIn(Body):
    scope: Annotated[str, StringConstraints(max_length=60)] = "organisation"
    key: Annotated[str, StringConstraints(max_length=80)]
    value: Any


class SettingPatch(Body):
    value: Any


class SettingOut(View, frozen=True):
    TABLE: ClassVar = Setting

    scope: str
    key: str
    value: str
    since: datetime
    by: str | None
    version: int
