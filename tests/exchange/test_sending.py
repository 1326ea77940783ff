"""« Envoyer le dossier »: who sends sees first what leaves and what stays, then a bundle leaves under a ground, and is kept."""

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from app.access.models import Opposition, SharingConsent
from app.exchange import sending
from app.fhir import xml
from app.kernel.clock import now, today
from app.security.principal import Role
from tests.exchange.sending import fresh, sent
from tests.portal.visitor import visit
from tests.world import World

PATH = "/api/v1/exchanges/sent"
HER = "karim"


def at(world: World) -> dict[str, str]:
    return {"usager_id": str(world.ids[HER]), "structure_id": str(world.ids["mas_fam"])}


@pytest.fixture(scope="module", autouse=True)
def lived(world: World) -> None:
    """Karim's dossier: notes to the team, one withheld, one for some, an alert, an event."""
    for name, text in (("team", "Atelier jardin."), ("kept", "Sa voisine CALYPSO a dit."), ("some", "DAGOBERT")):
        answer = world.post("sonia", "/api/v1/transmissions", {**at(world), "text": text})
        assert answer.status_code == 201, answer.text
        world.ids[name] = answer.json()["id"]
    world.rows("UPDATE transmission SET visibility = 'withheld' WHERE id = $1", world.ids["kept"])
    world.rows("UPDATE transmission SET reserved_to = $2 WHERE id = $1", world.ids["some"], [world.ids["sonia"]])
    alert = {**at(world), "nature": "maltraitance", "facts": "ZORGLUB", "named": []}
    assert world.post("sonia", "/api/v1/alerts", alert).status_code == 201


@pytest.fixture(autouse=True)
def clean(world: World) -> Iterator[None]:
    yield
    for table in ("opposition", "sharing_consent"):
        world.rows(f"DELETE FROM {table}")


def said(world: World, **changes: Any) -> dict[str, Any]:
    usual = {"partner_id": str(world.ids["chu"]), "ground": "loi", "article": "CSP L1110-4"}
    return {k: v for k, v in {**at(world), **usual, **changes}.items() if v is not None}


def planned(world: World, who: str = "sonia", **changes: Any) -> Any:
    return world.post(who, f"{PATH}?dry-run=true", said(world, **changes))


def left(world: World, who: str = "sonia", **changes: Any) -> Any:
    return world.post(who, PATH, said(world, **changes))


def agreed(world: World, **more: Any) -> None:
    asked = {"question": "Le CHU ?", "if_yes": "Il lit.", "if_no": "Il demande.", "kind": "partage", "answer": "yes"}
    what = {"partner_id": world.ids["chu"], "categories": ["administrative"], "starts": today()}
    ids = {"usager_id": world.ids[HER], "structure_id": world.ids["mas_fam"]}
    world.add(SharingConsent(**{**asked, **what, **ids, **more}))


class TestSeenFirst:
    def test_what_leaves_and_what_stays_with_the_reason(self, world: World):
        told = planned(world).json()
        assert {row["type"] for row in told["rows"]} >= {"Patient", "Encounter", "DocumentReference"}
        assert told["entries"] == len(told["rows"]) == sum(told["profiles"].values())
        assert {(s["kind"], s["why"], s["count"]) for s in told["staying"]} == {
            ("transmission", "withheld", 1),
            ("transmission", "reserved", 1),
        }
        assert all(s["words"] for s in told["staying"])

    @pytest.mark.parametrize(
        ("period", "stays"),
        [
            ({"start": -1}, {"transmission", "stay"}),
            ({"start": -1, "end": 1}, {"transmission", "stay"}),
            ({"start": 1}, {"stay"}),
            ({"end": -1}, {"stay"}),
        ],
        ids=["since yesterday", "these days", "from tomorrow", "until yesterday"],
    )
    def test_what_stays_is_counted_over_the_dates_asked_for(
        self, world: World, period: dict[str, int], stays: set[str]
    ):
        """But what lasts: it is of every day."""
        asked = {name: (now() + timedelta(days=days)).isoformat() for name, days in period.items()}
        world.rows("UPDATE stay SET visibility = 'withheld' WHERE usager_id = $1", world.ids[HER])
        told = planned(world, **asked).json()["staying"]
        world.rows("UPDATE stay SET visibility = 'shared' WHERE usager_id = $1", world.ids[HER])
        assert {s["kind"] for s in told} == stays

    @pytest.mark.parametrize("at_once", [1, 2, 3])
    def test_what_stays_is_counted_whole_however_much_it_is(
        self, world: World, monkeypatch: pytest.MonkeyPatch, at_once: int
    ):
        whole = planned(world).json()["staying"]
        monkeypatch.setattr(sending, "MANY", at_once)
        answer = planned(world)
        assert (answer.json()["staying"], sum(s["count"] for s in whole)) == (whole, 2)
        told = world.traces(request_id=answer.headers["x-request-id"])
        assert not [line for line in told if line["outcome"] == "empty"]

    @pytest.mark.threat("sending-by-looking")
    def test_nothing_left_nor_was_kept(self, world: World):
        answer = planned(world)
        assert world.rows("SELECT 1 FROM exchange WHERE request_id = $1", answer.headers["x-request-id"]) == []
        assert not [t for t in world.traces(request_id=answer.headers["x-request-id"]) if t["action"] == "send"]

    @pytest.mark.threat("sending-beyond-agreement")
    def test_by_agreement_what_it_covers(self, world: World):
        agreed(world)
        told = planned(world, ground="accord", article=None).json()
        assert {row["kind"] for row in told["rows"]} <= {"usager", "stay", "contact", "structure"}
        assert ("transmission", "not_agreed") in {(s["kind"], s["why"]) for s in told["staying"]}

    def test_what_the_partner_sent_and_what_it_may_not_read_stay(self, world: World):
        scopes = world.rows("SELECT scopes FROM partner WHERE id = $1", world.ids["chu"])[0][0]
        world.rows("UPDATE partner SET scopes = $1 WHERE id = $2", ["Patient.r"], world.ids["chu"])
        told = planned(world).json()
        world.rows("UPDATE partner SET scopes = $1 WHERE id = $2", scopes, world.ids["chu"])
        assert {row["type"] for row in told["rows"]} == {"Patient"}
        assert ("stay", "out_of_scope") in {(s["kind"], s["why"]) for s in told["staying"]}

    @pytest.mark.threat("sending-too-wide")
    def test_someone_else_reads_nothing_more_by_it(self, world: World):
        assert planned(world, "odile").status_code == 403
        whole = left(world, "marc")
        told = world.get("marc", whole.headers["location"] + "/bundle").text
        assert not any(word in told for word in ("CALYPSO", "DAGOBERT", "ZORGLUB", str(world.ids["kept"])))

    @pytest.mark.threat("sending-from-another-house")
    def test_from_where_one_works_only(self, world: World):
        """The other house accepts this partner; who sends has no place there."""
        world.hire("nora", Role.CHEF_DE_SERVICE, "mas_fam")
        answers = [left(world, "nora"), planned(world, "nora")]
        assert [answer.status_code for answer in answers] == [201, 200]
        elsewhere = {"structure_id": str(world.ids["ehpad"])}
        answers = [left(world, "nora", **elsewhere), planned(world, "nora", **elsewhere)]
        assert [answer.status_code for answer in answers] == [403, 403]
        assert (
            world.rows("SELECT id FROM exchange WHERE direction = 'sent' AND structure_id = $1", world.ids["ehpad"])
            == []
        )


class TestGrounds:
    @pytest.mark.threat("sending-without-ground")
    @pytest.mark.parametrize(
        ("changes", "status", "where"),
        [
            ({"ground": "echange", "article": None, "person_informed": True}, 422, "/kinds"),
            ({"ground": "vital", "article": None, "reason": "Inconscient."}, 422, "/kinds"),
            ({"article": None}, 422, "/article"),
            ({"ground": "accord", "article": None}, 422, "/ground"),
            ({"ground": "habitude"}, 422, "/ground"),
            ({"kinds": ["nothing"]}, 422, "/kinds/0"),
        ],
    )
    def test_each_asks_for_what_makes_it_one(self, world: World, changes: dict[str, Any], status: int, where: str):
        answer = left(world, **changes)
        assert (answer.status_code, answer.json()["errors"][0]["where"]) == (status, where)

    def test_an_exchange_takes_what_was_chosen(self, world: World):
        told = left(world, ground="echange", article=None, person_informed=True, kinds=["usager", "stay"])
        resources = world.get("sonia", told.headers["location"] + "/bundle").json()["entry"]
        assert {e["resource"]["resourceType"] for e in resources} == {"Patient", "Encounter", "Organization"}

    @pytest.mark.threat("sending-despite-opposition")
    def test_against_their_no_nothing_leaves_but_by_law(self, world: World):
        ids = {"usager_id": world.ids[HER], "structure_id": world.ids["mas_fam"], "partner_id": world.ids["chu"]}
        world.add(Opposition(**ids, starts=today()))
        assert left(world, ground="equipe", article=None).status_code == 409
        assert left(world).status_code == 201

    def test_nothing_to_send_says_so(self, world: World):
        answer = left(world, kinds=["goal"])
        assert (answer.status_code, answer.json()["code"]) == (422, "sending.nothing")


class TestLeft:
    def test_the_manifest_signs_the_bundle(self, world: World):
        answer = left(world)
        body = world.get("sonia", answer.headers["location"] + "/bundle")
        told = answer.json()
        assert (told["sha256"], told["size"]) == (hashlib.sha256(body.content).hexdigest(), len(body.content))
        assert (told["entries"], told["partner"], told["ground"]) == (len(body.json()["entry"]), "CHU", "loi")
        assert sum(told["profiles"].values()) == told["entries"]
        seen = planned(world).json()
        assert (seen["entries"], seen["profiles"]) == (told["entries"], told["profiles"])
        assert body.headers["content-disposition"].startswith("attachment")

    def test_in_xml_when_asked(self, world: World):
        answer = left(world, format="xml")
        body = world.get("sonia", answer.headers["location"] + "/bundle")
        assert body.headers["content-type"].startswith("application/fhir+xml")
        assert xml.read(body.content)["type"] == "transaction"
        assert answer.json()["profiles"] == left(world).json()["profiles"]

    @pytest.mark.threat("sending-untold")
    def test_each_kind_leaves_its_line_under_the_ground(self, world: World):
        answer = left(world)
        lines = [t for t in world.traces(request_id=answer.headers["x-request-id"]) if t["action"] == "send"]
        assert {t["ground"] for t in lines} == {"loi"}
        assert {t["kind"] for t in lines if t["usager_id"]} >= {"usager", "stay", "transmission"}

    @pytest.mark.threat("sending-read-by-another")
    def test_the_bundle_is_given_back_to_who_sent_it_alone(self, world: World):
        place = left(world).headers["location"]
        assert {who: world.get(who, place + "/bundle").status_code for who in ("sonia", "marc")} == {
            "sonia": 200,
            "marc": 404,
        }
        assert {who: world.get(who, place).status_code for who in ("sonia", "marc")} == {"sonia": 200, "marc": 404}

    def test_asked_again_it_leaves_once(self, world: World):
        key = {"Idempotency-Key": fresh()}
        first, second = (world.post("sonia", PATH, said(world), headers=key) for _ in range(2))
        assert (first.status_code, second.status_code, first.json()) == (201, 201, second.json())

    def test_the_person_sees_it_unless_a_law_asked_for_it(self, world: World):
        by_law, to_team = left(world), left(world, ground="equipe", article=None)
        assert (by_law.status_code, to_team.status_code) == (201, 201)
        mine = {e["id"]: e for e in world.get(HER, "/api/v1/me/exchanges").json()["items"]}
        assert by_law.json()["id"] not in mine
        told = mine[to_team.json()["id"]]
        assert (told["partner"], told["direction"], told["ground"]) == ("CHU", "sent", "equipe")

    @pytest.mark.threat("sending-untold")
    def test_the_person_is_told_to_whom_why_and_what(self, world: World):
        assert (
            left(world, ground="echange", article=None, person_informed=True, kinds=["transmission"]).status_code == 201
        )
        [line] = [v for v in world.get(HER, "/api/v1/me/access").json()["items"] if v["deed"] == "sent"][:1]
        assert {k: line[k] for k in ("to", "ground", "what")} == {
            "to": "CHU", "ground": "echange", "what": ["transmission"],
        }  # fmt: skip
        page = " ".join(visit(world, HER).see("/mon-dossier/acces").text.replace("\u202f", " ").split())
        assert "Transmis au CHU : vos notes" in page
        assert "Pourquoi ? Pour vous soigner." in page

    @pytest.mark.threat("handover-kept-by-law")
    def test_what_a_law_asked_for_is_no_line_of_theirs(self, world: World):
        def told() -> list[Any]:
            return [v for v in world.get(HER, "/api/v1/me/access").json()["items"] if v["deed"] == "sent"]

        before = told()
        assert left(world).status_code == 201
        assert told() == before

    def test_a_partner_that_takes_it_has_received_it_once(self, world: World):
        agreed(world)
        before = [v for v in world.get(HER, "/api/v1/me/access").json()["items"] if v["who"]["kind"] == "partner"]
        assert world.get("chu", f"/fhir/Patient/{world.ids[HER]}/$tddui-export").status_code == 200
        told = [v for v in world.get(HER, "/api/v1/me/access").json()["items"] if v["who"]["kind"] == "partner"]
        [line] = told[: len(told) - len(before)]
        assert (line["deed"], line["who"]["name"], line["ground"]) == ("received", "CHU", "accord")
        assert "usager" in line["what"]


class TestWhatTheReceiverCouldRefuse:
    def test_a_part_without_the_person_says_so_and_what_to_do(self, world: World):
        agreed(world, categories=["support"])
        told = planned(world, ground="accord", article=None)
        assert told.status_code == 200, told.text
        assert "Patient" not in {row["type"] for row in told.json()["rows"]}
        first = told.json()["advice"][0]
        assert first["code"] == "no_person"
        assert "l'accord pour la partie administrative" in first["message"].replace("son accord", "l'accord")

    def test_so_does_a_choice_that_leaves_the_person_out(self, world: World):
        told = planned(world, kinds=["transmission"]).json()["advice"]
        assert "(usager)" in next(one["message"] for one in told if one["code"] == "no_person")

    def test_what_they_warn_of_is_what_this_server_refuses_to_the_letter(self, world: World):
        plan = planned(world).json()
        assert "no_person" not in {one["code"] for one in plan["advice"]}
        warned = {one["message"] for one in plan["advice"]}
        bundle = world.get("sonia", left(world).headers["location"] + "/bundle").json()
        strict = sent(world, bundle, path="/fhir?dry-run=true", Prefer="handling=strict")
        lacking = {issue["expression"][0] for issue in strict.json()["issue"]}
        assert any(where.endswith("birthDate.extension") for where in lacking)
        assert any("rang de naissance" in words for words in warned)

    def test_an_identity_with_its_birth_order_lacks_nothing(self, world: World):
        world.rows("UPDATE usager SET birth_order = 2 WHERE id = $1", world.ids[HER])
        assert not [one for one in planned(world).json()["advice"] if "rang de naissance" in one["message"]]
        world.rows("UPDATE usager SET birth_order = NULL WHERE id = $1", world.ids[HER])
        assert [one for one in planned(world).json()["advice"] if "rang de naissance" in one["message"]]
