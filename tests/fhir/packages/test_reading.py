"""A package is read from a file that may be hostile: nothing is extracted, every cap holds, refusals name the file."""

import gzip
import tarfile
from pathlib import Path

import orjson
import pytest

from app.fhir.packages import reading
from app.kernel.errors import Invalid, TooLarge
from tests.fhir import official
from tests.fhir.packages.tgz import CODES, GRID, LEVELS, MANIFEST, packed, tgz


def refused(place: Path) -> str:
    with pytest.raises(Invalid) as no:
        reading.read(place)
    return no.value.told


class TestTaken:
    def test_its_definitions_are_kept_and_the_rest_passed_over(self, tmp_path: Path):
        other = {
            "package/example/Patient-x.json": b"not json",
            "package/.index.json": b"{}",
            "package/ImplementationGuide-x.json": b'{"resourceType": "ImplementationGuide"}',
            "package/page.html": b"<p>",
        }
        read = reading.read(tgz(tmp_path / "p.tgz", GRID, CODES, LEVELS, more=other))
        assert (read.name, read.version, read.title) == ("exemple.fhir.grilles", "1.0.0", "Grilles")
        assert [(d.type_name, d.id) for d in read.definitions] == [
            ("CodeSystem", "niveaux"),
            ("Questionnaire", "autonomie"),
            ("ValueSet", "niveaux"),
        ]

    def test_the_order_of_its_files_does_not_change_what_it_is(self, tmp_path: Path):
        one, other = tgz(tmp_path / "a.tgz", GRID, CODES), tgz(tmp_path / "b.tgz", CODES, GRID)
        assert reading.read(one).sha256 == reading.read(other).sha256
        assert reading.read(one).sha256 != reading.read(tgz(tmp_path / "c.tgz", CODES)).sha256

    @pytest.mark.parametrize("ig", ["cdl", "gap", "pdsm", "tde", "cds", "annuaire"])
    def test_official_definitions(self, tmp_path: Path, ig: str):
        roots = [Path(p) / "related-igs" / ig for p in official.PLACES if p and (Path(p) / "related-igs" / ig).is_dir()]
        if not roots:
            pytest.skip("official data absent")
        files = {f"package/{f.name}": f.read_bytes() for f in roots[0].glob("*.json")}
        read = reading.read(tgz(tmp_path / "p.tgz", more=files, manifest={**MANIFEST, "name": f"ans.fhir.fr.{ig}"}))
        assert any(each.type_name == "StructureDefinition" for each in read.definitions)


class TestRefused:
    @pytest.mark.threat("package-traversal")
    @pytest.mark.parametrize(
        "name", ["../package/a.json", "/package/a.json", "package/../../a.json", "package\\..\\a.json"]
    )
    def test_a_path_that_leads_out(self, tmp_path: Path, name: str):
        assert refused(tgz(tmp_path / "p.tgz", GRID, more={name: b"{}"})) == "package.leads_out"

    @pytest.mark.threat("package-traversal")
    @pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
    def test_a_link_or_a_device(self, tmp_path: Path, kind: bytes):
        info = tarfile.TarInfo("package/a.json")
        info.type, info.linkname = kind, "/etc/passwd"
        assert refused(packed(tmp_path / "p.tgz", (info, b""))) == "package.leads_out"

    @pytest.mark.threat("package-bomb")
    def test_more_than_the_caps(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        place = tgz(tmp_path / "p.tgz", GRID, more={"package/big.json": b" " * 200_000})
        for cap, most in (
            ("PACKED_MOST", 10),
            ("UNPACKED_MOST", 50_000),
            ("FILE_MOST", 100_000),
            ("KEPT_MOST", 100_000),
            ("FILES_MOST", 2),
        ):
            with monkeypatch.context() as patched:
                patched.setattr(reading, cap, most)
                with pytest.raises(TooLarge):
                    reading.read(place)

    @pytest.mark.threat("package-bomb")
    def test_a_file_too_deep(self, tmp_path: Path):
        deep = b'{"resourceType":"ValueSet","a":' + b"[" * 20_000 + b"]" * 20_000 + b"}"
        assert refused(tgz(tmp_path / "p.tgz", GRID, more={"package/v.json": deep})) == "package.bad_file"

    @pytest.mark.parametrize(
        "content",
        [b"", b"hello", gzip.compress(b"hello"), gzip.compress(b"x" * 2_000)[:-9]],
        ids=["nothing", "text", "no tar", "cut"],
    )
    def test_what_is_no_archive(self, tmp_path: Path, content: bytes):
        (tmp_path / "p.tgz").write_bytes(content)
        assert refused(tmp_path / "p.tgz") == "package.not_one"

    @pytest.mark.parametrize(
        ("manifest", "code"),
        [
            ({"version": "1"}, "package.unnamed"),
            ({"name": "../x", "version": "1"}, "package.unnamed"),
            ({"name": "x", "version": 1}, "package.unnamed"),
            ({**MANIFEST, "fhirVersions": ["5.0.0"]}, "package.other_fhir"),
            ({**MANIFEST, "fhirVersions": "4.0.1"}, "package.other_fhir"),
        ],
    )
    def test_a_manifest_that_names_nothing(self, tmp_path: Path, manifest: dict[str, object], code: str):
        assert refused(tgz(tmp_path / "p.tgz", GRID, manifest=manifest)) == code

    def test_a_package_without_manifest_or_definitions(self, tmp_path: Path):
        assert refused(packed(tmp_path / "a.tgz", (tarfile.TarInfo("package/a.json"), b"{}"))) == "package.not_one"
        assert refused(tgz(tmp_path / "b.tgz")) == "package.empty"

    @pytest.mark.parametrize(
        "wrong",
        [
            {**GRID, "url": None},
            {**GRID, "id": "a/b"},
            {**GRID, "version": 2},
            {**GRID, "item": [{"type": "string"}]},
            {**CODES, "url": "niveaux"},
        ],
    )
    def test_a_definition_that_is_none_names_its_file(self, tmp_path: Path, wrong: dict[str, object]):
        place = tgz(tmp_path / "p.tgz", more={"package/wrong.json": orjson.dumps(wrong)})
        with pytest.raises(Invalid) as no:
            reading.read(place)
        assert no.value.message.startswith("wrong.json : ")
