"""What reading and writing share: a parser that refuses what could make it fetch or multiply (a document type, an entity,
a processing instruction), attributes, escapes.
"""

from xml.parsers import expat

from app.fhir.known_types import CARRIED
from app.fhir.shapes import Shape
from app.kernel.errors import Unreadable

FHIR, XHTML = "http://hl7.org/fhir", "http://www.w3.org/1999/xhtml"
REFUSED = "Ce XML contient une déclaration de type (DOCTYPE), une entité ou une instruction : retirez-les."
OTHER_ENCODING = "Le XML s'écrit ici en UTF-8."


def opened() -> expat.XMLParserType:
    parser = expat.ParserCreate("utf-8", " ")
    parser.namespace_prefixes, parser.buffer_text = True, True
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = _refused  # before anything of it is read
    parser.ProcessingInstructionHandler = parser.SkippedEntityHandler = _refused
    parser.XmlDeclHandler = _encoded
    return parser


def _refused(*_: object) -> None:
    raise Unreadable(REFUSED, code="xml_refused")


def _encoded(_version: str, encoding: str | None, _standalone: int) -> None:
    if encoding is not None and encoding.lower() != "utf-8":
        raise Unreadable(OTHER_ENCODING)


def attributes_of(inside: Shape) -> tuple[str, ...]:
    """What XML says of a type by attributes: its id, unless it is a resource; of an extension, its address."""
    if inside.name in CARRIED:
        return ()
    return ("id", "url") if inside.name == "Extension" else ("id",)


_MARKS = {
    ord(c): f"&{n};"
    for c, n in {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "\n": "#10", "\r": "#13", "\t": "#9"}.items()
}
_NO_XML = dict.fromkeys([*(n for n in range(32) if n not in (9, 10, 13)), 0xFFFE, 0xFFFF], "�")  # no XML may hold them
_ESCAPES = {**_NO_XML, **_MARKS}


def escaped(text: str) -> str:
    return text.translate(_ESCAPES)
