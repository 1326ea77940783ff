"""What a field of a body may hold: text without NUL, trimmed, of a bounded length; codes as `system|code`."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints

_NO_NUL = r"^[^\x00]*$"


def _without_defaults(schema: dict[str, Any], body: type[BaseModel]) -> None:
    """What a correction leaves out stays: a client that filled in a default would change what it never named."""
    if body.__name__.endswith("Patch"):
        for field in schema["properties"].values():
            field.pop("default", None)


class Body(BaseModel):
    """What REST hears: an unknown field is refused, never dropped in silence. A correction is named `…Patch`."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_without_defaults)


Line = Annotated[str, StringConstraints(min_length=1, max_length=120, strip_whitespace=True, pattern=_NO_NUL)]
Note = Annotated[str, StringConstraints(min_length=1, max_length=2_000, strip_whitespace=True, pattern=_NO_NUL)]
# A code keeps its system: value sets are loaded by who deploys, so a code is never checked against a list here.
Code = Annotated[str, StringConstraints(max_length=300, strip_whitespace=True, pattern=r"^[^\s|\x00]+\|[^\s|\x00]+$")]
Phone = Annotated[str, StringConstraints(max_length=25, strip_whitespace=True, pattern=r"^\+?[0-9 .()-]{3,24}$")]
Email = Annotated[str, StringConstraints(max_length=200, strip_whitespace=True, pattern=r"^[^@\s\x00]+@[^@\s\x00]+$")]
