"""How deep a JSON body is, told before it is parsed and without holding the event loop on a hostile one."""

_ONE_KIND = bytes.maketrans(b"{}", b"[]")
_NOT_BRACKETS = bytes(byte for byte in range(256) if byte not in b"{}[]")
MAX_DEPTH = 64


def outside_strings(body: bytes) -> bytes:
    """The JSON without its strings."""
    if b"\\" in body:
        body = body.replace(rb"\\", b"").replace(rb"\"", b"")
    return b"".join(body.split(b'"')[::2])


def deeper(bare: bytes, depth: int = MAX_DEPTH) -> bool:
    """Is this JSON, without its strings, deeper? Each round takes away the innermost level.

    What no round shortens is unbalanced: no JSON, as the reader will say.
    """
    left = bare.translate(_ONE_KIND, _NOT_BRACKETS)
    for _ in range(depth):
        before, left = left, left.replace(b"[]", b"")
        if len(left) == len(before):
            return False
    return bool(left)
