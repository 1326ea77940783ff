"""Write openapi/openapi.json from the app: `make openapi`."""

import json
from pathlib import Path

from app.config import Settings
from app.main import create_app

PLACE = Path(__file__).parents[1] / "openapi" / "openapi.json"


def text() -> str:
    return json.dumps(create_app(Settings()).openapi(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    PLACE.parent.mkdir(exist_ok=True)
    PLACE.write_text(text())
