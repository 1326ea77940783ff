"""« L'alerte concerne un collègue »: who is not named by an alert lives in a world where it is not (field.md §1)."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from app.access.models import EmergencyAccess, Opposition
from app.features.transmissions.models import Transmission
from app.kernel.clock import now, today
from app.security.principal import Role
from tests.features.consents.people import represent
from tests.portal.visitor import visit
from tests.stories import watching
from tests.world import World

PATH = "/api/v1/alerts"
FACTS = "Zorglub : Lucas a dit « elle m'a serré le bras ». Bleu au bras gauche, 3 cm."
STAFF = ("marc", "odile", "leila", "nadia", "dora", "alex", "yann")


@pytest.fixture(scope="module", autouse=True)
def people(world: World) -> None:
    world.hire("nadia", Role.AIDE_SOIGNANT, "ime")
    world.hire("dora", Role.DPO, "ime")
    world.hire("alex", Role.ADMIN, "ime")
    world.hire("claire", Role.DIRECTION, "ehpad")
    world.accompany("nadia", world.ids["lucas"], "ime")


@pytest.fixture(autouse=True)
def clean(world: World) -> Iterator[None]:
    yield
    world.rows("DELETE FROM alert")


def given(world: World, who: str = "sonia", *named: str, **more: object) -> Any:
    said = {"usager_id": str(world.ids["lucas"]), "structure_id": str(world.ids["ime"]), "nature": "maltraitance"}
    return world.post(who, PATH, {**said, "facts": FACTS, "named": [str(world.ids[n]) for n in named], **more})


def place(answer: Any) -> str:
    assert answer.status_code == 201, answer.text
    return str(answer.headers["location"])


def status(world: World, who: str, path: str) -> int:
    return int(world.get(who, path).status_code)


class TestWhoReads:
    def test_its_author_the_direction_and_who_is_named(self, world: World) -> None:
        alert = place(given(world, "sonia", "marc"))
        assert {who for who in (*STAFF, "sonia", "helene", "claire") if status(world, who, alert) == 200} == {
            "sonia", "helene", "marc",
        }  # fmt: skip

    def test_who_is_named_reads_it_from_wherever_they_work(self, world: World) -> None:
        alert = place(given(world, "sonia", "claire"))
        assert status(world, "claire", alert) == 200

    @pytest.mark.parametrize("who", ["dora", "alex"])
    def test_being_named_gives_no_role(self, world: World, who: str) -> None:
        assert status(world, who, place(given(world, "sonia", who))) == 404

    def test_an_opposition_to_who_must_know_does_not_stop_the_law(self, world: World) -> None:
        common = {"usager_id": world.ids["lucas"], "structure_id": world.ids["ime"], "starts": today()}
        world.add(Opposition(professional_id=world.ids["helene"], **common))
        assert status(world, "helene", place(given(world, "sonia"))) == 200
        world.rows("DELETE FROM opposition")

    def test_its_words_come_back_whole(self, world: World) -> None:
        why = "Contraire à l'intérêt de l'enfant : le père est mis en cause."
        answer = given(world, "sonia", "marc", representatives_not_told_why=why, sent_to="crip", sent_on=str(today()))
        read = world.get("marc", place(answer)).json()
        assert (read["facts"], read["representatives_not_told_why"]) == (FACTS, why)
        assert read == {**answer.json(), "recorded_at": read["recorded_at"], "updated_at": read["updated_at"]}
        assert world.get("marc", PATH).json()["items"] == [read]

    @pytest.mark.threat("alert-at-rest")
    def test_its_words_are_sealed_at_rest(self, world: World) -> None:
        place(given(world))
        [row] = world.rows("SELECT to_jsonb(a)::text AS told FROM alert a")
        assert FACTS.encode().hex()[:14] not in row["told"]  # « Zorglub »

    def test_someone_met_by_nobody_here_cannot_be_written_about(self, world: World) -> None:
        unknown, out_of_reach = str(uuid4()), str(world.ids["jeanne"])
        answers = [given(world, "nadia", usager_id=id).json() for id in (unknown, out_of_reach)]
        assert answers[0]["errors"] == answers[1]["errors"]
        assert answers[0]["errors"][0]["where"] == "/usager_id"


class TestRules:
    @pytest.mark.parametrize(
        ("more", "where"),
        [
            ({"representatives_told_on": str(today()), "representatives_not_told_why": "Contraire à son intérêt."},
             "/representatives_told_on"),
            ({"sent_to": "crip"}, "/sent_on"),
            ({"named": [str(uuid4())]}, "/named"),
        ],
    )  # fmt: skip
    def test_a_contradiction_is_named(self, world: World, more: dict[str, object], where: str) -> None:
        answer = given(world, "sonia", **more)
        assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, where)
        assert world.rows("SELECT 1 FROM alert") == []

    def test_what_is_left_out_stays(self, world: World) -> None:
        alert = place(given(world, "sonia", "marc"))
        answer = world.patch("sonia", alert, {"sent_to": "procureur", "sent_on": str(today())}, 1)
        assert answer.status_code == 200, answer.text
        told = answer.json()
        assert (told["facts"], told["named"], told["sent_to"]) == (FACTS, [str(world.ids["marc"])], "procureur")

    def test_who_is_named_reads_and_does_not_rewrite(self, world: World) -> None:
        alert = place(given(world, "sonia", "marc"))
        assert world.patch("marc", alert, {"facts": "Rien."}, 1).status_code == 403
        assert world.patch("helene", alert, {"facts": "Complété."}, 1).json()["facts"] == "Complété."

    def test_the_price(self, world: World) -> None:
        with world.statements() as sql:
            given(world)
        assert len(sql) <= 4
        with world.statements() as sql:
            world.get("sonia", PATH)
        assert len(sql) <= 2


class TestTakenOut:
    @pytest.mark.threat("alert-of-a-colleague")
    def test_who_is_no_longer_named_reads_nothing_at_the_next_request(self, world: World) -> None:
        """Marc is told; then it appears that it concerns him too."""
        alert = place(given(world, "sonia", "marc"))
        assert status(world, "marc", alert) == 200
        assert world.patch("sonia", alert, {"named": []}, 1).status_code == 200
        absent = world.get("marc", f"{PATH}/{uuid4()}")
        gone = world.get("marc", alert)
        assert gone.status_code == 404
        assert watching.same(gone) == watching.same(absent)
        assert world.get("marc", PATH).json()["items"] == []


@pytest.mark.threat("alert-twins")
def test_the_world_is_the_same_for_who_is_not_named(world: World) -> None:
    """Pages, lists, log, FHIR, counts, ETags: to the byte, for the colleague, the chief, the child, a parent, a partner."""
    father = represent(world, "father", "lucas", "autorite_parentale")
    lucas, parent = visit(world, "lucas"), visit(world, "lucas", father)
    note = uuid4()
    common = {"usager_id": world.ids["lucas"], "structure_id": world.ids["ime"]}
    world.add(
        Transmission(
            id=note, thread_id=note, kind="narrative", text="Piscine.", author_id=world.ids["sonia"], **common
        ),
        EmergencyAccess(
            professional_id=world.ids["leila"],
            reason="Chute.",
            starts_at=now(),
            ends_at=now() + timedelta(hours=9),
            **common,
        ),
    )
    before = world.rows("SELECT max(at) AS at FROM audit_entry")[0]["at"]

    def quiet() -> None:
        """Nobody looked since, but for the alert: what one hears of the others' questions is not the matter."""
        world.rows("DELETE FROM audit_entry WHERE at > $1 AND kind <> 'alert'", before)

    def heard(more: str) -> dict[str, list[Any]]:
        asks = {
            "lucas": lambda: watching.api(world, "lucas", "lucas", paths=watching.OWN),
            "page": lambda: watching.page(lucas),
            "father": lambda: watching.page(parent),
            **{who: partial(watching.api, world, who, "lucas", more) for who in (*STAFF, "chu") if who != "dora"},
        }
        told = {}
        for who, ask in asks.items():
            quiet()
            told[who] = ask()
        return told

    hidden = f"{PATH}/{uuid4()}"
    without = heard(hidden)
    alert = place(given(world, "sonia", "claire"))
    assert world.get("helene", alert).status_code == 200
    assert world.get("helene", f"{PATH}?usager={world.ids['lucas']}").json()["items"] != []
    assert world.patch("helene", alert, {"sent_to": "crip", "sent_on": str(today())}, 1).status_code == 200
    with_it = heard(alert)
    for who, answers in without.items():
        for (path, *one), (_, *other) in zip(answers, with_it[who], strict=True):
            assert one == other, (who, path)
    assert any(status == 200 for _, status, *_ in without["marc"])
