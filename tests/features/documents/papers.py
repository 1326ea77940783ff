"""Files as tests send them, and the way to file one."""

from base64 import b64encode
from typing import Any

from tests.world import World

PATH = "/api/v1/documents"
PDF = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer << /Root 1 0 R >>\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + b"\x00" * 64
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + b"\x00" * 64
HTML = b"<!DOCTYPE html><html><script>alert(1)</script></html>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def about(world: World, who: str = "jeanne", place: str = "ehpad", **more: Any) -> dict[str, Any]:
    return {"usager_id": str(world.ids[who]), "structure_id": str(world.ids[place]), "title": "Courrier", **more}


def told(world: World, clear: bytes = PDF, **more: Any) -> dict[str, Any]:
    return {**about(world, **more), "content": b64encode(clear).decode()}


def filed(world: World, clear: bytes = PDF, by: str = "sonia", **more: Any) -> str:
    """The address of a document."""
    answer = world.post(by, PATH, told(world, clear, **more))
    assert answer.status_code == 201, answer.text
    return str(answer.headers["location"])
