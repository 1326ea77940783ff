"""FHIR XML and FHIR JSON are one tree; what XML can do beyond that is refused before it is done."""

import time
from typing import Any
from xml.etree import ElementTree

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.fhir import xml
from app.fhir.checking import faults_of
from app.fhir.known_types import CARRIED
from app.fhir.reading import Json, read_bundle
from app.fhir.shapes import shape
from app.kernel.errors import DuiError, TooLarge, Unreadable
from tests.fhir import official, r4

FHIR = 'xmlns="http://hl7.org/fhir"'
DIV = '<div xmlns="http://www.w3.org/1999/xhtml">Bonjour<br/>&#233;</div>'
WRITTEN = f"""<?xml version="1.0" encoding="UTF-8"?>
<Patient {FHIR} xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://hl7.org/fhir x.xsd">
  <!-- a comment says nothing -->
  <id value="p"/>
  <text><status value="generated"/>{DIV}</text>
  <contained><Organization><id value="o"/><active value="true"/><name value="n"/><partOf><reference value="#"/></partOf></Organization></contained>
  <extension url="http://x.test/e"><valueDecimal value="1.50"/></extension>
  <identifier id="i1"><value value="a&#10;b &amp; &quot;c&quot;"/></identifier>
  <name><given value="Ana"/><given><extension url="http://x.test/no"><valueCode value="unknown"/></extension></given></name>
  <birthDate id="b" value="1950-02-03"><extension url="http://x.test/o"><valuePositiveInt value="2"/></extension></birthDate>
  <multipleBirthInteger value="2"/>
</Patient>"""
READ: Json = {
    "resourceType": "Patient",
    "id": "p",
    "text": {"status": "generated", "div": DIV},
    "contained": [
        {"resourceType": "Organization", "id": "o", "active": True, "name": "n", "partOf": {"reference": "#"}}
    ],
    "extension": [{"url": "http://x.test/e", "valueDecimal": 1.5}],
    "identifier": [{"id": "i1", "value": 'a\nb & "c"'}],
    "name": [
        {
            "given": ["Ana", None],
            "_given": [None, {"extension": [{"url": "http://x.test/no", "valueCode": "unknown"}]}],
        }
    ],
    "birthDate": "1950-02-03",
    "_birthDate": {"id": "b", "extension": [{"url": "http://x.test/o", "valuePositiveInt": 2}]},
    "multipleBirthInteger": 2,
}


def patient(inside: str, head: str = "", **told: str) -> bytes:
    return f"{head}<Patient {told.get('space', FHIR)}>{inside}</Patient>".encode()


def faults(inside: str) -> list[tuple[str, str]]:
    return [(fault.where, fault.code) for fault in faults_of(xml.read(patient(inside)))]


def test_each_way_of_saying_an_element_is_read() -> None:
    assert xml.read(WRITTEN.encode()) == READ
    assert faults_of(READ) == []


def test_what_is_written_is_read_again_by_another_reader() -> None:
    root = ElementTree.fromstring(xml.write(READ))  # noqa: S314  our own words
    space = "{http://hl7.org/fhir}"
    assert root.tag == f"{space}Patient"
    assert [child.tag.removeprefix(space) for child in root] == [
        "id", "text", "contained", "extension", "identifier", "name", "birthDate", "multipleBirthInteger",
    ]  # fmt: skip
    assert root.find(f"{space}identifier/{space}value").get("value") == 'a\nb & "c"'  # type: ignore[union-attr]
    assert root.find(f"{space}birthDate/{space}extension").get("url") == "http://x.test/o"  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", sorted(CARRIED))
def test_the_official_examples_come_back_as_they_were(kind: str) -> None:
    changed = []
    for path in r4.files(f"{kind}-*.json")[:20]:
        example = r4.read(path) if path.stat().st_size < 200_000 else READ
        if xml.read(xml.write(example)) != example:
            changed.append(path.name)
    assert changed == []


@pytest.mark.parametrize("name", official.BUNDLES)
def test_the_official_bundles_come_back_as_they_were(name: str) -> None:
    whole = official.bundle(name)
    assert read_bundle(xml.write(whole), parse=xml.read).whole == whole


@pytest.mark.parametrize(
    "kind", ["Bundle", "Patient", "Task", "Goal", "Encounter", "Timing", "DocumentReference", "Questionnaire"]
)
def test_elements_are_written_in_the_order_of_r4(kind: str) -> None:
    order: list[str] = []
    for element in r4.one("StructureDefinition", kind)["snapshot"]["element"][1:]:
        if element["path"].count(".") == 1:
            order.append(element["path"].rpartition(".")[2])
    parts = shape(kind).parts
    told = [part.choice + "[x]" if part.choice else name for name, part in parts.items()]
    assert list(dict.fromkeys(told)) == order


@given(st.text(min_size=1))
def test_any_text_that_xml_can_say_comes_back(text: str) -> None:
    told = {"resourceType": "Basic", "code": {"text": text}}
    back = xml.read(xml.write(told))["code"]["text"]
    assert back == "".join(c if c >= " " or c in "\t\n\r" else "�" for c in text).replace("￾", "�").replace("￿", "�")


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**63), 2**64 - 1))
def test_any_number_comes_back(number: float) -> None:
    told = {"resourceType": "Observation", "valueQuantity": {"value": number}}
    assert xml.read(xml.write(told)) == told


@pytest.mark.parametrize("said", ["18446744073709551616", "-9223372036854775809", "1" * 40])
def test_a_number_past_64_bits_is_read_as_in_json(said: str) -> None:
    told = patient(f'<extension url="http://x.test/e"><valueDecimal value="{said}"/></extension>')
    assert xml.read(told)["extension"] == [{"url": "http://x.test/e", "valueDecimal": orjson.loads(said)}]


class TestNarrative:
    @pytest.mark.parametrize(
        "div",
        [
            "<div>no namespace</div>",
            '<div xmlns="http://www.w3.org/1999/xhtml">&nbsp;</div>',
            '<div xmlns="http://www.w3.org/1999/xhtml">open<br></div>',
            '<!DOCTYPE x><div xmlns="http://www.w3.org/1999/xhtml"/>',
            '<div xmlns="http://www.w3.org/1999/xhtml"/><Patient/>',
            "</div></text><active value='true'/><text><div>",
            f'<div xmlns="http://www.w3.org/1999/xhtml">{"<b>" * 60}x{"</b>" * 60}</div>',
        ],
    )
    def test_what_is_no_xhtml_leaves_as_words(self, div: str) -> None:
        told = {"resourceType": "Basic", "text": {"status": "generated", "div": div}}
        back = xml.read(xml.write(told))
        assert back.keys() == told.keys()
        assert ElementTree.fromstring(back["text"]["div"]).text == div  # noqa: S314

    def test_blanks_around_it_are_none_of_it(self) -> None:
        told = {"resourceType": "Basic", "text": {"status": "generated", "div": f"\n {DIV} "}}
        assert xml.read(xml.write(told))["text"]["div"] == DIV

    @pytest.mark.parametrize(
        "div",
        [
            '<div xmlns="http://www.w3.org/1999/xhtml"/>',
            '<div xmlns="http://www.w3.org/1999/xhtml" title="a>b" />',
            '<div xmlns="http://www.w3.org/1999/xhtml"></div >',
            '<div xmlns="http://www.w3.org/1999/xhtml"><!-- c/> --></div>',
            '<div xmlns="http://www.w3.org/1999/xhtml"><br/></div>',
            '<div xmlns="http://www.w3.org/1999/xhtml" title="/>"><p title="a>b"/></div>',
        ],
    )
    def test_is_told_as_it_was_written(self, div: str) -> None:
        assert xml.read(patient(f"<text>{div}</text>"))["text"]["div"] == div

    def test_one_said_by_a_prefix_is_told_without(self) -> None:
        said = '<text><h:div><h:b class="x">a &lt; b</h:b></h:div></text>'
        head = f'{FHIR} xmlns:h="http://www.w3.org/1999/xhtml"'
        div = xml.read(patient(said, space=head))["text"]["div"]
        assert div == '<div xmlns="http://www.w3.org/1999/xhtml"><b class="x">a &lt; b</b></div>'


class TestFaults:
    """The same as those of JSON, at the same place."""

    @pytest.mark.parametrize(
        ("inside", "where", "code"),
        [
            ('<gender value="banana"/>', "Patient.gender", "unknown_code"),
            ('<active value="yes"/>', "Patient.active", "bad_type"),
            ("<active/>", "Patient.active", "bad_type"),
            ('<birthDate value="2025-02-30"/>', "Patient.birthDate", "bad_date"),
            ('<birthDate value=""/>', "Patient.birthDate", "empty"),
            ('<multipleBirthInteger value="1e3"/>', "Patient.multipleBirth.ofType(integer)", "bad_type"),
            ("<name/>", "Patient.name[0]", "empty"),
            ('<nom value="x"/>', "Patient", "unknown_field"),
            ('<_birthDate id="x"/>', "Patient", "unknown_field"),
            ('<resourceType value="Group"/>', "Patient", "unknown_field"),
            ('<name value="x"/>', "Patient.name[0]", "unknown_field"),
            ('<name><id value="x"/></name>', "Patient.name[0]", "unknown_field"),
            ("<name>words</name>", "Patient.name[0]", "unknown_field"),
            ('<a:active xmlns:a="urn:a" value="true"/>', "Patient", "unknown_field"),
            ('<active value="true"/><active value="false"/>', "Patient.active", "duplicate_key"),
            ('<birthDate id="a"/><birthDate id="b"/>', "Patient.birthDate", "duplicate_key"),
            ("<contained/>", "Patient.contained[0].resourceType", "required"),
            ("<contained><Nobody/></contained>", "Patient.contained[0].resourceType", "unknown_type"),
            ('<contained><Group/><Group/></contained>', "Patient.contained[0]", "duplicate_key"),
            ("<text><status value='empty'/><p/></text>", "Patient.text", "unknown_field"),
        ],
    )  # fmt: skip
    def test_at_their_element(self, inside: str, where: str, code: str) -> None:
        assert (where, code) in faults(inside)

    def test_what_is_inside_something_unknown_is_not_read(self) -> None:
        assert faults('<who><name><given value="a"/></name></who>') == [("Patient", "unknown_field")]


class TestRefused:
    @pytest.mark.parametrize(
        "body",
        [
            b"", b"{}", b"<Patient", patient("</name>"), patient("<name>\x00</name>"), patient("<a b='1' b='2'/>"),
            '<?xml version="1.0" encoding="UTF-16"?><Patient/>'.encode("utf-16"), patient("\xff").replace(b"\xc3", b""),
            patient("&nbsp;"),
        ],
    )  # fmt: skip
    def test_what_is_no_xml_in_utf8(self, body: bytes) -> None:
        with pytest.raises(Unreadable):
            xml.read(body)

    @pytest.mark.parametrize("encoding", ["ISO-8859-1", "UTF-16"])
    def test_another_encoding(self, encoding: str) -> None:
        with pytest.raises(Unreadable, match="UTF-8"):
            xml.read(patient("", f'<?xml version="1.0" encoding="{encoding}"?>'))

    @pytest.mark.parametrize("space", ["", 'xmlns="urn:hl7-org:v3"'])
    def test_what_is_not_fhir(self, space: str) -> None:
        with pytest.raises(Unreadable, match="FHIR"):
            xml.read(patient("", space=space))

    @pytest.mark.threat("input-xml-doctype")
    @pytest.mark.parametrize(
        "head",
        [
            "<!DOCTYPE Patient>",
            '<!DOCTYPE Patient SYSTEM "http://127.0.0.1:9/x.dtd">',
            '<!DOCTYPE Patient [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
            '<!DOCTYPE Patient [<!ENTITY % x SYSTEM "http://127.0.0.1:9/x">%x;]>',
            '<?xml-stylesheet href="http://127.0.0.1:9/x"?>',
        ],
    )
    def test_a_document_type_or_an_instruction(self, head: str) -> None:
        with pytest.raises(Unreadable) as refused:
            xml.read(patient('<id value="&x;"/>', head))
        assert refused.value.told == "xml_refused"

    @pytest.mark.threat("input-xml-doctype")
    @pytest.mark.parametrize(
        "inside", ["<?php x?>", '<text><div xmlns="http://www.w3.org/1999/xhtml"><?x?></div></text>']
    )
    def test_an_instruction_inside(self, inside: str) -> None:
        with pytest.raises(Unreadable) as refused:
            xml.read(patient(inside))
        assert refused.value.told == "xml_refused"

    @pytest.mark.threat("input-xml-entities")
    def test_entities_that_multiply(self) -> None:
        lines = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
        body = patient('<id value="&l9;"/>', f'<!DOCTYPE x [<!ENTITY l0 "ha">{lines}]>')
        began = time.process_time()
        with pytest.raises(Unreadable) as refused:
            xml.read(body)
        assert refused.value.told == "xml_refused"
        assert time.process_time() - began < 1

    @pytest.mark.threat("input-xml-depth")
    @pytest.mark.parametrize(
        "inside",
        [
            "<name>" * 20_000,
            "<contained><Group>" * 20_000,
            '<extension url="a">' * 20_000,
            '<text><div xmlns="http://www.w3.org/1999/xhtml">' + "<b>" * 20_000,
        ],
    )
    def test_what_is_too_deep(self, inside: str) -> None:
        began = time.process_time()
        with pytest.raises(Unreadable) as refused:
            xml.read(patient(inside))
        assert refused.value.told == "too_deep"
        assert time.process_time() - began < 1

    @pytest.mark.threat("input-xml-depth")
    def test_too_many_elements(self) -> None:
        with pytest.raises(TooLarge):
            xml.read(patient("<name/>" * 1_000_001))

    @given(st.binary(max_size=300))
    def test_any_bytes_are_a_resource_or_a_refusal(self, body: bytes) -> None:
        for told in (body, patient("").replace(b"></", b">" + body + b"</")):
            try:
                faults_of(xml.read(told))
            except DuiError:
                pass

    @given(st.integers(1, 20))
    def test_depth_is_counted_as_in_json(self, depth: int) -> None:
        told: dict[str, Any] = {"url": "a", "valueCode": "b"}
        for _ in range(depth):
            told = {"url": "a", "extension": [told]}
        body = xml.write({"resourceType": "Basic", "extension": [told]})
        xml.read(body, 2 * depth + 3)
        with pytest.raises(Unreadable):
            xml.read(body, 2 * depth + 2)


def test_a_bundle_is_read_with_the_caps_and_the_faults_of_json() -> None:
    body = f'<Bundle {FHIR}><type value="transaction"/><entry><resource><Patient/></resource></entry></Bundle>'.encode()
    with pytest.raises(Unreadable) as refused:
        read_bundle(body, parse=xml.read)
    assert [fault.where for fault in refused.value.faults] == ["Bundle.entry[0].request"]
    with pytest.raises(TooLarge):
        read_bundle(body, 0, parse=xml.read)
