"""What a file is, as its first bytes say it: a closed list of types, and none that lies about itself.

What a browser would run (HTML, SVG, scripts) is not in the list; what is in it leaves as an attachment all the same.
"""

import re
from collections.abc import Collection

import puremagic

from app.kernel.errors import Fault, Invalid, TooLarge

MIB = 1024 * 1024
LARGEST = 20 * MIB
TEXT, CSV, XML, CDA = "text/plain", "text/csv", "application/xml", "text/xml"
OFFICE = "application/vnd.openxmlformats-officedocument"
ODF = "application/vnd.oasis.opendocument"
# Type → the end of the file's name.
EXTENSIONS = {
    "application/pdf": "pdf",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/tiff": "tiff",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/heic": "heic",
    "audio/mpeg": "mp3",
    "application/msword": "doc",
    "application/rtf": "rtf",
    f"{OFFICE}.wordprocessingml.document": "docx",
    f"{OFFICE}.spreadsheetml.sheet": "xlsx",
    f"{OFFICE}.presentationml.presentation": "pptx",
    f"{ODF}.text": "odt",
    f"{ODF}.spreadsheet": "ods",
    f"{ODF}.presentation": "odp",
    TEXT: "txt",
    CSV: "csv",
    XML: "xml",
    CDA: "xml",
}
ALIASES = {
    "image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "image/heif": "image/heic", "image/heif-sequence": "image/heic",
    "audio/mp3": "audio/mpeg", "text/rtf": "application/rtf", "application/x-pdf": "application/pdf",
}  # fmt: skip
UNSAID = "application/octet-stream"  # how a program tells a type it does not know
WORDS = frozenset({TEXT, CSV, XML, CDA})  # told by no magic number
# What a person adds to their own dossier.
PAPERS = frozenset({"application/pdf", *(kind for kind in EXTENSIONS if kind.startswith("image/"))})
_RUNS = re.compile(rb"\s*<(?:!doctype\s+html|html|head|body|script|svg|iframe|\?php)", re.IGNORECASE)
_XML = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?!!doctype)[?!A-Za-z]", re.IGNORECASE)
_PARAMETERS = re.compile(r"\s*;.*", re.DOTALL)


def checked(
    declared: str | None, content: bytes, where: str = "/content", kinds: Collection[str] = EXTENSIONS.keys()
) -> str:
    """The type of these bytes, one of `kinds`: that declared, when they are of it. Raises Invalid, TooLarge."""
    return of_type(declared, looked_at(content, where), where, kinds)


def looked_at(content: bytes, where: str) -> frozenset[str]:
    """The types that these bytes may be. Raises Invalid, TooLarge."""
    if not content:
        raise Invalid("Ce fichier est vide.", where=where, code="document.empty")
    if len(content) > LARGEST:
        raise TooLarge(f"Un document compte {LARGEST // MIB} Mio au plus.", where=where)
    return _found(content)


def of_type(declared: str | None, found: frozenset[str], where: str, kinds: Collection[str] = EXTENSIONS.keys()) -> str:
    """As `checked`, of bytes that may be of the types `found`."""
    told = base(declared) if declared and declared != UNSAID else next(iter(sorted(found & set(kinds))), "")
    if told not in kinds:
        accepted = "une image ou un PDF" if kinds is PAPERS else "PDF, image, texte, ou document bureautique"
        raise Invalid(
            f"Ce type de fichier n'est pas gardé ici : {accepted}.",
            faults=[Fault(where, "document.type", "Enregistrez-le par exemple en PDF.")],
            code="document.type",
        )
    if told not in found:
        raise Invalid("Ce fichier n'est pas du type annoncé.", where=where, code="document.other_type")
    return told


def base(declared: str) -> str:
    """A type without its parameters, by its usual name."""
    bare = _PARAMETERS.sub("", declared).strip().lower()
    return ALIASES.get(bare, bare)


def _found(content: bytes) -> frozenset[str]:
    """The types that these bytes may be."""
    if _RUNS.match(content):
        return frozenset()
    try:
        matches = {base(match.mime_type) for match in puremagic.magic_string(content) if match.mime_type}
    except (puremagic.PureError, ValueError):
        matches = set()
    binary = {kind for kind in matches & EXTENSIONS.keys() if kind not in WORDS}
    if binary:
        return frozenset(binary)
    if not _is_text(content):
        return frozenset()
    return frozenset({XML, CDA} if _XML.match(content) else {TEXT, CSV})


def _is_text(content: bytes) -> bool:
    if b"\0" in content:
        return False
    try:
        content.decode()
    except ValueError:
        return False
    return True
