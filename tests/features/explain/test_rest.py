"""Why someone reads or does not: the verdict is what happens at the door, the words are those of the facts."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.access.models import EmergencyAccess, Opposition, SharingConsent
from app.access.openings import Narrowing, OnCall, SharedTeam, StatedPurpose
from app.features.alerts.models import Alert
from app.features.explain import labels
from app.features.transmissions.models import Transmission
from app.kernel.clock import now, today
from app.kernel.ids import uuid7
from app.security.principal import Role
from tests.features.consents.people import represent
from tests.world import World

PATH = "/api/v1/access/explain"
HIRED = {"nuit": Role.VEILLEUR, "aide": Role.AIDE_SOIGNANT, "eva": Role.EVALUATEUR, "dora": Role.DPO}


@pytest.fixture(scope="module", autouse=True)
def people(world: World) -> None:
    for who, role in HIRED.items():
        world.hire(who, role, "ime")
    world.hire("ailleurs", Role.EDUCATEUR, "mecs")
    world.accompany("aide", world.ids["lucas"], "ime")
    represent(world, "mere", "lucas", "autorite_parentale")


@pytest.fixture(autouse=True)
def clean(world: World) -> Iterator[None]:
    yield
    for table in (
        "transmission", "stated_purpose", "opposition", "sharing_consent", "emergency_access", "on_call", "shared_team",
        "narrowing", "alert",
    ):  # fmt: skip
        world.rows(f"DELETE FROM {table}")


def at(world: World) -> dict[str, UUID]:
    return {"usager_id": world.ids["lucas"], "structure_id": world.ids["ime"]}


def note(world: World, **more: Any) -> str:
    id = uuid7()
    said = {
        "thread_id": id,
        "kind": "narrative",
        "text": "?",
        "author_id": world.ids["sonia"],
        "visibility": "not_shared",
    }
    world.add(Transmission(id=id, **{**said, **at(world), "category": "support", **more}))
    return str(id)


def asked(world: World, id: str, by: str = "marc", whom: str | None = None, **query: str) -> Any:
    chosen = {"who": whom} if whom else {}
    return world.get(by, PATH, params={"what": f"transmission/{id}", **chosen, **query})


def told(world: World, id: str, whom: str, kind: str = "professional", **query: str) -> tuple[bool, list[str]]:
    answer = asked(world, id, whom=f"{kind}/{world.ids[whom]}", **query)
    assert answer.status_code == 200, answer.text
    [one] = answer.json()["readers"]
    return one["reads"], one["why"]


def consent(world: World, answer: str, **more: Any) -> UUID:
    id = uuid7()
    said = {"kind": "partage", "question": "?", "if_yes": "a", "if_no": "b", "partner_id": world.ids["chu"]}
    world.add(
        SharingConsent(id=id, answer=answer, categories=["support"], starts=today(), **{**said, **at(world), **more})
    )
    return id


class TestWho:
    def test_reads_is_what_happens_at_the_door(self, world: World) -> None:
        consent(world, "yes")
        for more in ({}, {"category": "care"}, {"consigne": True, "category": "care"}, {"category": "judicial"}):
            id = note(world, visibility="shared", **more)
            if asked(world, id, "marc").status_code == 404:
                continue
            answer = asked(world, id).json()["readers"]
            readers = {f"{one['kind']}/{one['id']}" for one in answer}
            for who in ("sonia", "marc", "leila", "odile", "helene", "yann", *HIRED, "ailleurs"):
                status = world.get(who, f"/api/v1/transmissions/{id}").status_code
                assert (f"professional/{world.ids[who]}" in readers) is (status == 200), (who, more)
            partner = world.get("chu", f"/fhir/DocumentReference/{id}").status_code
            assert (f"partner/{world.ids['chu']}" in readers) is (partner == 200)
            mine = [one["id"] for one in world.get("lucas", "/api/v1/me/transmissions").json()["items"]]
            assert (f"usager/{world.ids['lucas']}" in readers) is (id in mine)
            theirs = [one["id"] for one in world.get("mere", "/api/v1/me/transmissions").json()["items"]]
            assert (f"representative/{world.ids['mere']}" in readers) is (id in theirs)

    def test_in_few_statements(self, world: World) -> None:
        id = note(world)
        asked(world, id)
        with world.statements() as sql:
            asked(world, id)
        assert len(sql) <= 5

    @pytest.mark.parametrize(
        ("whom", "reads", "words"),
        [
            ("sonia", True, labels.OPENS["accompanies"]),
            ("aide", True, labels.OPENS["accompanies"]),
            ("nuit", False, labels.LACKS["accompanies"]),
            ("ailleurs", False, labels.LACKS["here"]),
            ("dora", False, labels.NEVER),  # whose role reads no transmission at all
        ],
    )
    def test_of_the_staff(self, world: World, whom: str, reads: bool, words: str) -> None:
        id = note(world)
        assert (told(world, id, whom)[0], words in told(world, id, whom)[1]) == (reads, True)

    def test_of_a_role_that_never_does(self, world: World) -> None:
        id = note(world, category="judicial")
        assert told(world, id, "aide") == (False, [labels.NEVER])

    @pytest.mark.parametrize(
        ("fact", "whom", "reads", "words"),
        [
            ("emergency", "nuit", True, labels.OPENS["emergency"]),
            ("purpose", "helene", True, labels.OPENS["purpose"]),
            ("on_call", "nuit", True, labels.OPENS["on_call"]),
            ("together", "ailleurs", True, labels.OPENS["together"]),
            ("opposed", "sonia", False, labels.STOPS["opposed"]),
            ("narrowed", "aide", False, labels.STOPS["narrowed"]),
        ],
    )
    def test_of_what_opens_or_stops(self, world: World, fact: str, whom: str, reads: bool, words: str) -> None:
        id, who = note(world, important=True), world.ids[whom]
        period = {"starts_at": now(), "ends_at": now() + timedelta(hours=1)}
        both = [world.ids["ime"], world.ids["mecs"]]
        if fact == "together":
            world.accompany(whom, world.ids["lucas"], "mecs")
        world.add(
            {
                "emergency": lambda: EmergencyAccess(professional_id=who, reason="?", **period, **at(world)),
                "purpose": lambda: StatedPurpose(professional_id=who, purpose="controle", **period, **at(world)),
                "on_call": lambda: OnCall(professional_id=who, structure_ids=[world.ids["ime"]], **period),
                "together": lambda: SharedTeam(
                    name="?", structure_ids=both, person_told_on=today(), starts=today(), **at(world)
                ),
                "opposed": lambda: Opposition(professional_id=who, starts=today(), **at(world)),
                "narrowed": lambda: Narrowing(
                    structure_id=world.ids["ime"], role="aide_soignant", category="support", to="none"
                ),
            }[fact]()
        )
        assert (told(world, id, whom)[0], words in told(world, id, whom)[1]) == (reads, True)

    def test_narrowed_to_the_team(self, world: World) -> None:
        world.hire("idec", Role.IDEC, "ime")
        world.add(Narrowing(structure_id=world.ids["ime"], role="chef_de_service", category="support", to="team"))
        world.hire("chef", Role.CHEF_DE_SERVICE, "ime")
        world.accompany("chef", world.ids["lucas"], "ime")
        id = note(world)
        answer = asked(world, id, "chef", whom=f"professional/{world.ids['marc']}").json()["readers"]
        assert [(one["reads"], labels.TEAM_ONLY in one["why"]) for one in answer] == [(False, True)]

    def test_reserved(self, world: World) -> None:
        id = note(world, reserved_to=[world.ids["marc"]])
        assert labels.STOPS["reserved"] in told(world, id, "aide")[1]

    def test_of_the_person_and_who_stands_for_them(self, world: World) -> None:
        id = note(world)
        assert told(world, id, "lucas", "usager") == (False, [labels.LACKS["shown"]])
        assert told(world, id, "mere", "representative") == (False, [labels.LACKS["shown"]])
        shared = note(world, visibility="shared", minor_secret=True)
        assert told(world, shared, "lucas", "usager") == (True, [labels.HERS])
        assert told(world, shared, "mere", "representative") == (False, [labels.SECRET])
        open_to_all = note(world, visibility="shared")
        assert told(world, open_to_all, "mere", "representative") == (True, [labels.HOLDS])


class TestConsent:
    def test_before_and_after_an_answer(self, world: World) -> None:
        id, question = note(world), consent(world, "asked")
        before, after = (
            told(world, id, "chu", "partner"),
            asked(world, id, whom=f"partner/{world.ids['chu']}", consent=str(question), answer="yes"),
        )
        assert before == (False, [labels.LACKS["granted"]])
        [one] = after.json()["after"]
        assert (one["reads"], one["why"]) == (True, [labels.OPENS["granted"]])
        assert after.json()["readers"][0]["reads"] is False

    def test_a_no_opposes_what_another_yes_opens(self, world: World) -> None:
        """As it does at the door: the person's no wins over every other answer of theirs to this partner."""
        id, question = note(world), consent(world, "yes", kinds=["event"])
        consent(world, "yes", kinds=["transmission"])
        answer = asked(world, id, whom=f"partner/{world.ids['chu']}", consent=str(question), answer="no").json()
        assert (answer["readers"][0]["reads"], answer["after"][0]["reads"]) == (True, False)

    def test_a_yes_takes_back_the_opposition_of_the_no(self, world: World) -> None:
        id, question = note(world), consent(world, "no")
        made = {"partner_id": world.ids["chu"], "consent_id": question, "starts": today() - timedelta(days=1)}
        world.add(Opposition(**made, **at(world)))
        answer = asked(world, id, whom=f"partner/{world.ids['chu']}", consent=str(question), answer="yes").json()
        assert (answer["readers"][0]["reads"], answer["after"][0]["reads"]) == (False, True)
        assert world.rows("SELECT ends FROM opposition")[0]["ends"] is None

    def test_a_yes_renews_what_lapsed_at_18(self, world: World) -> None:
        id, question = note(world), consent(world, "yes", lapses_on=today())
        answer = asked(world, id, whom=f"partner/{world.ids['chu']}", consent=str(question), answer="yes").json()
        assert (answer["readers"][0]["reads"], answer["after"][0]["reads"]) == (False, True)

    def test_writes_nothing(self, world: World) -> None:
        id, question = note(world), consent(world, "yes")
        answer = asked(world, id, consent=str(question), answer="no")
        partner = {"kind": "partner", "id": str(world.ids["chu"])}
        ours = [[{k: one[k] for k in partner} for one in answer.json()[name]] for name in ("readers", "after")]
        assert (partner in ours[0], partner in ours[1]) == (True, False)
        assert [row["answer"] for row in world.rows("SELECT answer FROM sharing_consent")] == ["yes"]
        assert world.get("chu", f"/fhir/DocumentReference/{id}").status_code == 200

    def test_a_question_out_of_reach_or_of_another(self, world: World) -> None:
        id, jeanne = note(world), {"usager_id": world.ids["jeanne"], "structure_id": world.ids["ehpad"]}
        for question in (uuid4(), consent(world, "yes", **jeanne)):
            assert asked(world, id, consent=str(question), answer="no").status_code == 404


class TestRefused:
    @pytest.mark.threat("explain-beyond-reach")
    def test_of_a_row_one_does_not_read(self, world: World) -> None:
        care = note(world, category="care")
        answers = [asked(world, id) for id in (care, str(uuid4()))]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert len({answer.json()["detail"] for answer in answers}) == 1

    @pytest.mark.threat("explain-an-alert")
    def test_an_alert_is_never_explained(self, world: World) -> None:
        id = uuid7()
        world.add(Alert(id=id, nature="fait_grave", facts=b"?", reserved_to=[world.ids["marc"]], **at(world)))
        there = world.get("marc", PATH, params={"what": f"alert/{id}"})
        nothing = world.get("marc", PATH, params={"what": f"nonsense/{id}"})
        assert (there.status_code, there.json()["errors"]) == (400, nothing.json()["errors"])

    @pytest.mark.parametrize("who", ["sonia", "odile", "dora", "nuit"])
    def test_by_who_does_not_answer_for_access(self, world: World, who: str) -> None:
        assert asked(world, note(world), who).status_code == 403

    @pytest.mark.parametrize("what", ["transmission", "transmission/x", "setting/1", ""])
    def test_of_nothing(self, world: World, what: str) -> None:
        assert world.get("marc", PATH, params={"what": what}).status_code == 400

    def test_an_answer_without_its_question(self, world: World) -> None:
        assert asked(world, note(world), answer="yes").status_code == 400

    def test_leaves_its_line(self, world: World) -> None:
        answer = asked(world, note(world))
        lines = world.traces(request_id=answer.headers["x-request-id"])
        assert [(line["action"], line["kind"]) for line in lines] == [("explain", "transmission")]

    @pytest.mark.parametrize(
        "whom", ["sonia", "robot/01a2035a-87dd-744f-aaa4-2ee8cd72bf5f", "professional/sonia", "professional/"]
    )
    def test_someone_said_otherwise_than_by_kind_and_number(self, world: World, whom: str) -> None:
        answer = asked(world, note(world), whom=whom)
        assert (answer.status_code, [e["where"] for e in answer.json()["errors"]]) == (400, ["who"])

    def test_someone_who_is_neither_of_the_house_nor_around_the_person(self, world: World) -> None:
        for whom in (f"professional/{uuid7()}", f"professional/{world.ids['yann']}", f"usager/{world.ids['ines']}"):
            answer = asked(world, note(world), whom=whom)
            assert (answer.status_code, [e["where"] for e in answer.json()["errors"]]) == (404, ["/who"])
