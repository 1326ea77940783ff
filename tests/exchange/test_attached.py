"""What was attached is the person's own: their files open, references lead to them, who arrived may be forgotten."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import orjson
import pytest

from app.api import fhir_sent
from app.api.resources import REGISTRY
from app.fhir import references
from app.fhir.registry import Registry
from app.kernel import objects
from app.vault import forgetting
from tests.exchange.bundles import BASE, TDDUI, bundle, entry, patient, resource
from tests.exchange.sending import fresh, read_back, row_of, said, written_by_the_team
from tests.exchange.test_remap import moved
from tests.exchange.test_sas import _what_the_mdph_sends_waits, decide, waiting  # noqa: F401  a fixture of the module
from tests.features.documents.papers import PDF, PNG
from tests.features.documents.test_fhir import attached, inline
from tests.features.life_projects.test_fhir import life
from tests.vault.leaving import acted
from tests.world import World

NEWCOMER = {"reference": "Patient/p"}
SENT = "/api/v1/exchanges/sent"
Told = list[tuple[str, UUID, int]]


@pytest.fixture(autouse=True, scope="module")
def _in_her_team(world: World) -> None:
    world.accompany("leila", world.ids["lucas"], "ime")


@pytest.fixture(params=["in_the_base", "in_a_folder"])
def kept(request: pytest.FixtureRequest, world: World, tmp_path: Path) -> Iterator[Path | None]:
    """Where the bytes of documents lie, as long as the test lasts."""
    folder = tmp_path / "là" if request.param == "in_a_folder" else None
    state = world.client.app.state  # type: ignore[attr-defined]
    before, state.objects = state.objects, objects.opened(f"file://{quote(str(folder))}") if folder else None
    yield folder
    state.objects = before
    world.rows("DELETE FROM document WHERE content_id IN (SELECT id FROM content WHERE object IS NOT NULL)")
    world.rows("DELETE FROM content WHERE object IS NOT NULL")


def arriving(world: World, *resources: Any, local: str = "") -> tuple[UUID, Told]:
    """Sent by the MDPH of someone new; the exchange and its entries, the person first."""
    doctor = resource("Practitioner", "a", name=[{"family": "Lenoir"}])
    exchange, told = waiting(world, bundle(*map(entry, (patient(local or fresh()), *resources, doctor))))
    return exchange, told[:-1]


def given(world: World, *resources: Any, local: str = "") -> Told:
    """The same, then attached to Lucas."""
    exchange, told = arriving(world, *resources, local=local)
    answer = decide(world, "attach", exchange, body={"usager_id": str(world.ids["lucas"])})
    assert answer.status_code == 200, answer.text
    return told


def left(world: World) -> str:
    """The dossier of Lucas, as his nurse hands it to the CHU."""
    at = {"usager_id": str(world.ids["lucas"]), "structure_id": str(world.ids["ime"])}
    why = {"partner_id": str(world.ids["chu"]), "ground": "loi", "article": "CSP L1110-4"}
    answer = world.post("leila", SENT, {**at, **why})
    assert answer.status_code == 201, answer.text
    return world.get("leila", answer.headers["location"] + "/bundle").text


def forgotten(world: World, person: UUID) -> None:
    acted(world, lambda session: forgetting.forget(session, world.organisation, person))


class TestFiles:
    def sent(self, world: World) -> tuple[UUID, UUID, UUID]:
        """Who arrived, a document with its bytes, another whose bytes are a Binary of the bundle."""
        paper = attached({"data": inline(PDF), "contentType": "application/pdf"})
        photo = attached({"url": f"{BASE}/Binary/b"}, id="e")
        binary = resource("Binary", "b", contentType="image/png", data=inline(PNG))
        (_, person, _), (_, one, _), (_, other, _), _ = given(world, paper, photo, binary)
        return person, one, other

    def test_they_open_for_the_team_and_for_their_sender(self, world: World, kept: Path | None):
        _, one, other = self.sent(world)
        for id, clear in ((one, PDF), (other, PNG)):
            assert world.get("leila", f"/api/v1/documents/{id}/content").content == clear
            for who in ("leila", "mdph"):
                assert world.get(who, f"/fhir/Binary/{id}", headers={"Accept": "*/*"}).content == clear

    def test_they_leave_with_the_dossier(self, world: World, kept: Path | None):
        _, one, other = self.sent(world)
        bundle = left(world)
        assert inline(PDF) in bundle
        assert inline(PNG) in bundle
        assert {str(one), str(other)} <= set(bundle.replace('"', "/").split("/"))

    @pytest.mark.threat("file-after-erasure")
    def test_they_outlive_who_arrived(self, world: World, kept: Path | None):
        person, one, _ = self.sent(world)
        forgotten(world, person)
        assert world.rows("SELECT 1 FROM content WHERE usager_id = $1", person) == []
        assert world.get("leila", f"/api/v1/documents/{one}/content").content == PDF
        assert inline(PDF) in left(world)

    def test_whom_they_name_outlives_who_arrived(self, world: World):
        """The doctor whom a row given to Lucas names is still told; what its sender sends again is someone who arrives."""
        flag = resource(
            "Flag", "f", status="active", code={"text": "x"}, subject=NEWCOMER, author={"reference": "Practitioner/a"}
        )
        local = fresh()
        (_, person, _), (_, one, _) = given(world, flag, local=local)
        forgotten(world, person)
        [mention] = world.rows("SELECT party_id FROM outside_party_mention WHERE entry_id = $1", one)
        assert world.rows("SELECT 1 FROM outside_party WHERE id = $1", mention["party_id"])
        (_, again, _), _ = arriving(world, {**flag, "code": {"text": "y"}}, local=local)[1]
        assert again != person

    def test_what_its_sender_had_sent_before_still_opens_to_it(self, world: World, kept: Path | None):
        _, one, _ = self.sent(world)
        earlier = world.get("mdph", f"/fhir/DocumentReference/{one}/_history/1")
        assert earlier.status_code == 200
        assert read_back(world, "DocumentReference", one, "mdph")["content"][0]["attachment"]["size"] == len(PDF)

    @pytest.mark.parametrize("kept", ["in_a_folder"], indirect=True)
    def test_none_is_moved_when_the_bytes_cannot_be_put_away(
        self, world: World, kept: Path | None, monkeypatch: pytest.MonkeyPatch
    ):
        paper = attached({"data": inline(PDF), "contentType": "application/pdf"})
        exchange, [(_, person, _), (_, id, _)] = arriving(world, paper)

        async def full(*_: object) -> None:
            raise OSError("no space left")

        monkeypatch.setattr(objects.Objects, "put", full)
        answer = decide(world, "attach", exchange, body={"usager_id": str(world.ids["lucas"])})
        assert answer.status_code == 503
        row = row_of(world, id)
        assert (row["usager_id"], row["held"]) == (person, True)
        assert world.get("mdph", f"/fhir/Binary/{id}", headers={"Accept": "*/*"}).content == PDF


def naming(local: str) -> list[Any]:
    """A condition, kept whole, and a life project: each names the person as more than whose it is."""
    told = {"subject": NEWCOMER, "asserter": NEWCOMER, "recorder": {"reference": "Patient/p#tel"}}
    seen = [{"detail": [NEWCOMER, {"display": "Un courrier"}]}]
    condition = resource("Condition", "k", identifier=numbered(local), evidence=seen, **told)
    status = {"extension": [{"url": f"{TDDUI}/tddui-status-author", "valueReference": NEWCOMER}]}
    return [condition, life(identifier=numbered(local), expressedBy=NEWCOMER, _lifecycleStatus=status)]


def numbered(local: str) -> list[Any]:
    return [{"system": "https://mdph.test/dossiers", "value": local}]


def persons(thing: Any) -> list[str]:
    """Whom it refers to, each time."""
    return [found.target for found in references.found(thing) if found.target.startswith("Patient/")]


class TestReferences:
    """The same of what is attached as it waits, and of what its sender tells later."""

    @pytest.fixture(params=["attached", "sent_later", "sent_again"])
    def told(self, request: pytest.FixtureRequest, world: World) -> tuple[UUID, Told]:
        local = fresh()
        if request.param == "attached":
            (_, person, _), *rows = given(world, *naming(local), local=local)
            return person, rows
        first = naming(local) if request.param == "sent_again" else []
        given(world, *first, local=local)
        changed = [{**each, "language": "fr"} for each in naming(local)]
        exchange, [(_, person, _), *rows] = arriving(world, *changed, local=local)
        assert decide(world, "accept", exchange).status_code == 200
        return person, rows

    def test_who_is_here_is_named_to_the_team(self, world: World, told: tuple[UUID, Told]):
        here = f"Patient/{world.ids['lucas']}"
        condition, goal = (read_back(world, kind, id, "leila") for kind, id, _ in told[1])
        assert persons(condition) == [here, here, here, f"{here}#tel"]
        assert persons(goal) == [here] * 3

    def test_and_to_who_takes_the_dossier(self, world: World, told: tuple[UUID, Told]):
        entries = {each["resource"]["id"]: each["resource"] for each in orjson.loads(left(world))["entry"]}
        for _, id, _ in told[1]:
            assert set(persons(entries[str(id)])) >= {f"Patient/{world.ids['lucas']}"}
            assert "non transmis" not in orjson.dumps(entries[str(id)], option=orjson.OPT_SORT_KEYS).decode()

    @pytest.mark.threat("partner-learns-by-sending")
    @pytest.mark.parametrize("edited", [False, True])
    def test_its_sender_reads_the_id_it_was_given(self, world: World, told: tuple[UUID, Told], edited: bool):
        person, rows = told
        if edited:
            for _, id, _ in rows:
                written_by_the_team(world, id)
        backs = [read_back(world, kind, id, "mdph") for kind, id, _ in rows]
        theirs = f"Patient/{person}"
        assert [persons(back) for back in backs] == [[theirs, theirs, theirs, f"{theirs}#tel"], [theirs] * 3]
        for back, each in zip(backs, naming(""), strict=True):
            again = {name: back[name] for name in ("identifier", "language") if name in back}
            assert said(back) == said({**each, **again})

    def test_the_columns_say_who_is_here(self, world: World, told: tuple[UUID, Told]):
        row = row_of(world, told[1][1][1])
        assert row["said_by_id"] == world.ids["lucas"]

    def test_said_again_as_it_was_read_back_nothing_changes(self, world: World, told: tuple[UUID, Told]):
        kind, id, _ = told[1][0]
        before = row_of(world, id)["version"]
        headers = {**world.bearers["mdph"], "Content-Type": "application/fhir+json"}
        body = orjson.dumps(read_back(world, kind, id, "mdph"))
        assert world.client.put(f"/fhir/{kind}/{id}", content=body, headers=headers).status_code == 200
        assert row_of(world, id)["version"] == before

    def test_a_map_that_lands_later_finds_who_is_here(self, world: World, monkeypatch: pytest.MonkeyPatch):
        local = fresh()
        earlier = Registry([each for each in REGISTRY.maps if each.type_name != "Goal"], kept=REGISTRY.kept)
        with monkeypatch.context() as then:
            then.setattr(fhir_sent, "REGISTRY", earlier)
            (_, person, _), (_, _, _), (kind, id, _) = given(world, *naming(local), local=local)
        assert moved(world, REGISTRY)[0] >= 1
        [row] = world.rows("SELECT usager_id, said_by_id FROM life_project WHERE id = $1", id)
        assert set(row) == {world.ids["lucas"]}
        reads = {who: set(persons(read_back(world, kind, id, who))) for who in ("leila", "mdph")}
        assert reads == {"leila": {f"Patient/{world.ids['lucas']}"}, "mdph": {f"Patient/{person}"}}
