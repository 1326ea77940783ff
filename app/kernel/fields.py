"""What a field of a body may hold: text without NUL, trimmed, of a bounded length; codes as `system|code`."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

_NO_NUL = r"^[^\x00]*$"


class Body(BaseModel):
    """What REST hears: an unknown field is refused, never dropped in silence."""

    model_config = ConfigDict(extra="forbid")


Line = Annotated[str, StringConstraints(min_length=1, max_length=120, strip_whitespace=True, pattern=_NO_NUL)]
Note = Annotated[str, StringConstraints(min_length=1, max_length=2_000, strip_whitespace=True, pattern=_NO_NUL)]
# A code keeps its system: value sets are loaded by who deploys, so a code is never checked against a list here.
Code = Annotated[str, StringConstraints(max_length=300, strip_whitespace=True, pattern=r"^[^\s|\x00]+\|[^\s|\x00]+$")]
Phone = Annotated[str, StringConstraints(max_length=25, strip_whitespace=True, pattern=r"^\+?[0-9 .()-]{3,24}$")]
Email = Annotated[str, StringConstraints(max_length=200, strip_whitespace=True, pattern=r"^[^@\s\x00]+@[^@\s\x00]+$")]
