"""The text of a resource that a person reads: layout, and nothing that acts.

What is allowed: chapters 7 to 11 (but 9.4) and 15 of HTML 4.0, links, images. A name out of these lists is refused, so
nothing need be known of what may act. Source: https://hl7.org/fhir/R4/narrative.html#xhtml
"""

import re
from xml.parsers import expat

SPACE = "http://www.w3.org/1999/xhtml"
_ELEMENTS = """a abbr acronym address area b bdo big blockquote br caption cite code col colgroup dd dfn div dl dt em
h1 h2 h3 h4 h5 h6 hr i img kbd li map ol p pre q samp small span strong sub sup table tbody td tfoot th thead tr tt ul
var"""
_ATTRIBUTES = """abbr accesskey align axis border cellpadding cellspacing char charoff class colspan dir frame headers
height id lang nowrap rowspan rules scope span style summary tabindex title valign width"""
ELEMENTS, ATTRIBUTES = frozenset(_ELEMENTS.split()), frozenset(_ATTRIBUTES.split())
OF_ELEMENT = {
    "a": "charset coords href hreflang name rel rev shape type",
    "area": "alt coords href nohref shape",
    "blockquote": "cite",
    "img": "alt ismap longdesc src usemap",
    "map": "name",
    "q": "cite",
}
OWN = {name: frozenset(said.split()) for name, said in OF_ELEMENT.items()}
NONE = frozenset[str]()
LINKS = frozenset({"href", "src", "cite", "longdesc", "usemap"})
XML = "http://www.w3.org/XML/1998/namespace"
BLANK = " \t\r\n"
_acts = re.compile(r"(?:java|vb|live)script:|data:", re.IGNORECASE).match
_shows = re.compile(r"data:image/[a-z+.\-]+[;,]", re.IGNORECASE).match  # an image never acts, where it is shown as one
_unread = re.compile(r"[\x00-\x20]+").sub  # what a browser skips inside an address


class _Refused(Exception):
    """An element or an attribute that is not layout."""


class _Reader:
    def __init__(self) -> None:
        self.depth, self.says = 0, False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        space, _, name = name.rpartition(" ")
        if space not in ("", SPACE) or name not in ELEMENTS or (not self.depth and name != "div"):
            raise _Refused
        self.depth += 1
        for said, value in attributes.items():
            of, _, said = said.rpartition(" ")
            if (said not in ("lang", "space")) if of == XML else (of or said not in ATTRIBUTES | OWN.get(name, NONE)):
                raise _Refused
            to = _unread("", value) if said in LINKS else ""
            if _acts(to) and not (said == "src" and _shows(to)):
                raise _Refused
        self.says = self.says or name == "img"

    def text(self, said: str) -> None:
        self.says = self.says or said.strip(BLANK) != ""


def _refused(*_: object) -> None:
    raise _Refused


def read(div: object) -> tuple[bool, bool]:
    """Is it layout alone (txt-1), and does it say something (txt-2)? Of what is not layout, the second is not asked."""
    if not isinstance(div, str):
        return True, True
    reader, parser = _Reader(), expat.ParserCreate("utf-8", " ")
    parser.StartElementHandler, parser.CharacterDataHandler = reader.start, reader.text
    parser.StartDoctypeDeclHandler = parser.ProcessingInstructionHandler = _refused
    try:
        parser.Parse(div, True)
    except (_Refused, expat.ExpatError, UnicodeEncodeError):
        return False, True
    return True, reader.says
