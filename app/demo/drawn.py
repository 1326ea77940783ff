"""A picture and a page, made here: files of the demo that a reader really opens."""

import zlib

WIDTH, HEIGHT = 240, 160
SKY, HILL, SUN = (214, 232, 245), (122, 168, 116), (250, 202, 92)


def picture() -> bytes:
    """A hill under the sun, as PNG. Source: https://www.w3.org/TR/png-3/"""
    rows = b"".join(b"\0" + b"".join(bytes(_dot(x, y)) for x in range(WIDTH)) for y in range(HEIGHT))
    head = WIDTH.to_bytes(4) + HEIGHT.to_bytes(4) + bytes((8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(rows, 9)) + _chunk(b"IEND", b"")


def _dot(x: int, y: int) -> tuple[int, int, int]:
    if (x - 180) ** 2 + (y - 45) ** 2 < 26**2:
        return SUN
    return HILL if y > 110 - x * (WIDTH - x) // 400 else SKY


def _chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)


def page(lines: list[str]) -> bytes:
    """One sheet of plain text, as PDF. Source: ISO 32000-1, 7.5"""
    text = b"BT /F1 14 Tf 60 780 Td 22 TL "
    for line in lines:
        told = line.encode("cp1252").replace(b"\\", rb"\\").replace(b"(", rb"\(").replace(b")", rb"\)")
        text += b"(" + told + b") Tj T* "
    text += b"ET"
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(text), text),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    )
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(objects) + 1
    return out + b"xref\n0 %d\n0000000000 65535 f \n%btrailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        count,
        table,
        count,
        len(out),
    )
