"""« Le transfert de nuit vers l'hôpital »: no consent is recorded; who is on duty sends what is needed, and no more (field.md §4)."""

from base64 import b64decode
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.access.models import SharingConsent
from app.kernel.clock import now, today
from app.security.principal import Role
from tests.exchange.sending import sent
from tests.features.consents.people import represent
from tests.features.contacts.people import added
from tests.portal.visitor import visit
from tests.stories import watching
from tests.world import World

PATH = "/api/v1/exchanges/handovers"
HER = "karim"
KEPT = ("ZORGLUB", "BALTHAZAR", "CALYPSO", "DAGOBERT", "ELZEVIR", "4 rue de la Cachette")  # never leaves


@pytest.fixture(scope="module", autouse=True)
def night(world: World) -> None:
    """Karim's dossier as the team keeps it; Nora is the night watch, Ines the nurse called in."""
    world.hire("nora", Role.VEILLEUR, "mas_fam")
    world.hire("nurse", Role.INFIRMIER, "mas_fam")
    world.accompany("nora", world.ids[HER], "mas_fam")
    world.accompany("nurse", world.ids[HER], "mas_fam")
    assert world.patch("odile", f"/api/v1/usagers/{world.ids[HER]}", {"phone": "0102030405"}, 1).status_code == 200
    added(world, HER, family_name="BENSAÏD", given_name="Nadia", phone="0699887766")
    hidden = {"address": "4 rue de la Cachette", "address_protected": True}
    added(world, HER, family_name="BENSAÏD", given_name="Samia", **hidden)
    sheet = {"structure_id": str(world.ids["mas_fam"]), "allergies": "Pénicilline", "soothes": "La musique"}
    assert world.post("sonia", f"/api/v1/usagers/{world.ids[HER]}/emergency-sheet", sheet).status_code == 201
    note(world, "urgent", "nurse", "Fièvre à 39 °C à 2 h.", important=True, category="care")
    note(world, "consigne", "sonia", "Donner à boire épaissi.", consigne=True)
    note(world, "usual", "sonia", "Atelier jardin. BALTHAZAR")
    note(world, "withheld", "sonia", "Sa voisine CALYPSO a dit.", important=True)
    world.rows("UPDATE transmission SET visibility = 'withheld' WHERE id = $1", world.ids["withheld"])
    alert = {**at(world), "nature": "maltraitance", "facts": "ZORGLUB", "named": []}
    assert world.post("sonia", "/api/v1/alerts", alert).status_code == 201
    paper = {**at(world), "nature": "of_house", "title": "DAGOBERT", "text": "ELZEVIR"}
    assert world.post("odile", "/api/v1/judicial", paper).status_code == 201


@pytest.fixture(autouse=True)
def clean(world: World) -> Iterator[None]:
    yield
    for table in ("handover_row", "handover", "opposition", "sharing_consent"):
        world.rows(f"DELETE FROM {table}")


def at(world: World) -> dict[str, str]:
    return {"usager_id": str(world.ids[HER]), "structure_id": str(world.ids["mas_fam"])}


def note(world: World, name: str, who: str, text: str, **more: object) -> None:
    answer = world.post(who, "/api/v1/transmissions", {**at(world), "text": text, **more})
    assert answer.status_code == 201, answer.text
    world.ids[name] = UUID(answer.json()["id"])


def said(world: World, **changes: object) -> dict[str, object]:
    usual = {"partner_id": str(world.ids["chu"]), "ground": "echange", "person_informed": True}
    return {**at(world), **usual, **changes}


def pushed(world: World, who: str = "nora", **changes: object) -> Any:
    return world.post(who, PATH, said(world, **changes))


def planned(world: World, who: str = "nora", **changes: object) -> Any:
    return world.post(who, f"{PATH}?dry-run=true", said(world, **changes))


def reads(world: World, path: str, who: str = "chu") -> int:
    return int(world.get(who, f"/fhir/{path}").status_code)


def notes(world: World, who: str = "chu") -> list[str]:
    """The texts of the DocumentReference that this partner finds of her."""
    found = world.get(who, f"/fhir/DocumentReference?patient={world.ids[HER]}").json().get("entry", ())
    return [b64decode(e["resource"]["content"][0]["attachment"]["data"]).decode() for e in found]


def agreement(world: World, **more: Any) -> None:
    """Where a question of sharing everything with the hospital stands."""
    asked = {"question": "Le CHU ?", "if_yes": "Il lit.", "if_no": "Il demande.", "kind": "partage", "answer": "yes"}
    what = {"partner_id": world.ids["chu"], "categories": ["administrative", "support", "care"], "starts": today()}
    ids = {"usager_id": world.ids[HER], "structure_id": world.ids["mas_fam"]}
    world.add(SharingConsent(**{**asked, **what, **ids, **more}))


class TestBefore:
    @pytest.mark.threat("handover-pulled")
    def test_the_hospital_that_pulls_gets_nothing(self, world: World) -> None:
        assert reads(world, f"Patient/{world.ids[HER]}") == 404
        assert reads(world, f"DocumentReference/{world.ids['urgent']}") == 404
        assert notes(world) == []

    @pytest.mark.threat("handover-dry-run")
    def test_what_would_leave_is_shown_and_nothing_has_left(self, world: World) -> None:
        answer = planned(world, "nurse")
        assert answer.status_code == 200, answer.text
        told = answer.json()
        assert (told["partner"], told["ground"]) == ("CHU", "echange")
        assert sorted((row["kind"], row["told"]) for row in told["rows"]) == [
            ("contact", "Nadia BENSAÏD"),
            ("contact", "Samia BENSAÏD"),
            ("emergency_sheet", "Fiche d'urgence"),
            ("transmission", "Donner à boire épaissi."),
            ("transmission", "Fièvre à 39 °C à 2 h."),
            ("usager", "Identité"),
        ]
        assert world.rows("SELECT 1 FROM handover") == []
        assert world.traces(action="hand_over") == []
        assert reads(world, f"Patient/{world.ids[HER]}") == 404

    @pytest.mark.threat("sending-from-another-house")
    def test_from_a_house_where_one_has_no_place_nothing_is_shown(self, world: World) -> None:
        elsewhere = {"structure_id": str(world.ids["ehpad"])}
        assert [asks(world, "nurse", **elsewhere).status_code for asks in (planned, pushed)] == [403, 403]

    def test_looking_first_spends_no_key_of_the_sending(self, world: World) -> None:
        key = {"idempotency-key": "une-nuit"}
        assert world.post("nora", f"{PATH}?dry-run=true", said(world), headers=key).status_code == 200
        first = world.post("nora", PATH, said(world), headers=key)
        again = world.post("nora", PATH, said(world), headers=key)
        assert (first.status_code, again.status_code) == (201, 201), first.text
        assert first.json()["id"] == again.json()["id"]
        assert again.headers["idempotency-replayed"] == "true"


class TestSent:
    def test_the_hospital_reads_what_was_sent_and_only_that(self, world: World) -> None:
        answer = pushed(world, "nurse")
        assert answer.status_code == 201, answer.text
        patient = world.get("chu", f"/fhir/Patient/{world.ids[HER]}")
        assert (patient.status_code, "0102030405" in patient.text) == (200, True)
        told = sorted(notes(world))
        assert told[:2] == ["Allergies : Pénicilline ({0:%d/%m/%Y})\nCe qui calme : La musique ({0:%d/%m/%Y})".format(today()),
                            "Donner à boire épaissi."]  # fmt: skip
        assert told[2:] == ["Fièvre à 39 °C à 2 h."]
        assert reads(world, f"DocumentReference/{world.ids['usual']}") == 404
        assert reads(world, f"Encounter?patient={world.ids[HER]}&_count=0") == 200
        assert world.get("chu", f"/fhir/Encounter?patient={world.ids[HER]}&_count=0").json()["total"] == 0

    @pytest.mark.threat("handover-too-wide")
    def test_no_byte_of_what_is_told_apart_leaves(self, world: World) -> None:
        assert pushed(world, "nurse").status_code == 201
        answers = watching.api(world, "chu", HER, paths=())
        served = [p for p, _, _, body in answers for secret in KEPT if secret.encode() in body]
        assert served == []
        assert "lieu protégé" in world.get("chu", f"/fhir/RelatedPerson?patient={world.ids[HER]}").text
        assert "0699887766" in world.get("chu", f"/fhir/RelatedPerson?patient={world.ids[HER]}").text

    @pytest.mark.threat("handover-to-another")
    def test_to_this_partner_and_to_no_other(self, world: World) -> None:
        assert pushed(world).status_code == 201
        assert reads(world, f"Patient/{world.ids[HER]}", "mdph") == 404
        assert notes(world, "mdph") == []

    def test_as_of_that_hour(self, world: World) -> None:
        """What the team writes later is theirs."""
        assert pushed(world).status_code == 201
        version = world.get("odile", f"/api/v1/usagers/{world.ids[HER]}").json()["version"]
        moved = world.patch("odile", f"/api/v1/usagers/{world.ids[HER]}", {"phone": "0555555555"}, version)
        assert moved.status_code == 200
        then = world.get("chu", f"/fhir/Patient/{world.ids[HER]}").text
        assert ("0102030405" in then, "0555555555" in then) == (True, False)
        back = world.patch("odile", f"/api/v1/usagers/{world.ids[HER]}", {"phone": "0102030405"}, version + 1)
        assert back.status_code == 200

    @pytest.mark.threat("protected-parent-found")
    def test_a_place_protected_since_is_hidden_in_what_was_sent(self, world: World) -> None:
        place = added(world, HER, family_name="BENSAÏD", given_name="Lila", phone="0611110000")
        assert pushed(world, entry_ids=[place[-36:]]).status_code == 201
        assert "0611110000" in world.get("chu", f"/fhir/RelatedPerson/{place[-36:]}").text
        assert world.patch("odile", place, {"address_protected": True}, 1).status_code == 200
        assert "0611110000" not in world.get("chu", f"/fhir/RelatedPerson/{place[-36:]}").text
        assert world.delete("marc", place, 2).status_code == 204

    def test_strictly_the_rows_chosen(self, world: World) -> None:
        assert pushed(world, entry_ids=[str(world.ids["consigne"])]).status_code == 201
        assert notes(world) == ["Donner à boire épaissi."]
        assert reads(world, f"Patient/{world.ids[HER]}") == 404

    @pytest.mark.threat("handover-beyond-oneself")
    def test_never_what_the_professional_does_not_read(self, world: World) -> None:
        """The night watch reads of care its consignes only."""
        assert "Fièvre" not in planned(world, "nora").text
        answer = pushed(world, "nora", entry_ids=[str(world.ids["urgent"])])
        assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, "/entry_ids")
        withheld = pushed(world, "nurse", entry_ids=[str(world.ids["withheld"])])
        assert withheld.status_code == 422

    @pytest.mark.threat("handover-beyond-oneself")
    def test_nor_a_person_they_do_not(self, world: World) -> None:
        stranger = said(world, usager_id=str(world.ids["jeanne"]), structure_id=str(world.ids["ehpad"]))
        assert world.post("nora", PATH, stranger).status_code == 404
        assert world.post("odile", PATH, said(world)).status_code == 403
        assert world.post("chu", PATH, said(world)).status_code == 401

    def test_under_an_emergency_access_too(self, world: World) -> None:
        """The nurse of another house, called at night, opened the dossier saying why."""
        world.hire("aide", Role.AIDE_SOIGNANT, "mas_fam")
        assert pushed(world, "aide").status_code == 404
        opened = {**at(world), "reason": "Appel de nuit, seule de garde."}
        assert world.post("aide", "/api/v1/access/emergency", opened).status_code == 201
        assert pushed(world, "aide").status_code == 201
        assert reads(world, f"Patient/{world.ids[HER]}") == 200

    def test_costs_four_statements(self, world: World) -> None:
        with world.statements() as sql:
            assert pushed(world).status_code == 201
        assert len(sql) <= 4, sql.sql
        with world.statements() as sql:
            assert reads(world, f"Patient/{world.ids[HER]}") == 200
        assert len(sql) <= 2

    def test_the_same_key_sends_once(self, world: World) -> None:
        key = {"Idempotency-Key": "transfert-1"}
        first = world.post("nurse", PATH, said(world), headers=key)
        again = world.post("nurse", PATH, said(world), headers=key)
        assert (first.status_code, again.status_code) == (201, 201)
        assert first.headers["location"] == again.headers["location"]
        assert len(world.rows("SELECT 1 FROM handover")) == 1


class TestGrounds:
    @pytest.mark.parametrize(
        ("changes", "where"),
        [
            ({"ground": "echange", "person_informed": False}, "/person_informed"),
            ({"ground": "vital"}, "/reason"),
            ({"ground": "loi"}, "/article"),
            ({"ground": "echange", "article": "L226-3 CASF"}, "/article"),
            ({"ground": "accord"}, "/ground"),
            ({"ground": "urgence"}, "/ground"),
            ({"partner_id": "019a0000-0000-7000-8000-000000000000"}, "/partner_id"),
        ],
    )
    @pytest.mark.threat("handover-without-ground")
    def test_says_what_it_needs(self, world: World, changes: dict[str, object], where: str) -> None:
        for answer in (pushed(world, **changes), planned(world, **changes)):
            assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, where), answer.text
        assert world.rows("SELECT 1 FROM handover") == []

    @pytest.mark.threat("handover-beyond-agreement")
    def test_an_agreement_sends_what_it_covers_and_no_more(self, world: World) -> None:
        yes = {
            "answer": "yes",
            "question": "Le CHU ?",
            "if_yes": "?",
            "if_no": "?",
            "kind": "partage",
            "starts": today(),
        }
        here = {"usager_id": world.ids[HER], "structure_id": world.ids["mas_fam"], "partner_id": world.ids["chu"]}
        world.add(SharingConsent(**yes, **here, categories=["support"], kinds=["transmission"]))
        assert [row["told"] for row in planned(world, "nurse", ground="accord").json()["rows"]] == [
            "Donner à boire épaissi."
        ]
        care = pushed(world, "nurse", ground="accord", entry_ids=[str(world.ids["urgent"])])
        assert (care.status_code, care.json()["errors"][0]["where"]) == (422, "/entry_ids")
        assert pushed(world, "nurse", ground="accord", entry_ids=[str(world.ids["usual"])]).status_code == 201
        world.add(SharingConsent(**{**yes, "answer": "disagreement"}, **here, categories=["support"]))
        assert planned(world, "nurse", ground="accord").status_code == 409

    @pytest.mark.threat("handover-mdph-unagreed")
    @pytest.mark.parametrize(
        ("changes", "status"),
        [
            ({}, 422),
            ({"ground": "equipe"}, 422),
            ({"ground": "vital", "reason": "Inconscient, ne respire plus."}, 422),
            ({"ground": "accord"}, 422),
            ({"ground": "loi", "article": "L241-10 CASF"}, 201),
        ],
    )
    def test_the_mdph_has_nothing_without_an_agreement(
        self, world: World, changes: dict[str, object], status: int
    ) -> None:
        answer = pushed(world, partner_id=str(world.ids["mdph"]), **changes)
        assert answer.status_code == status, answer.text
        assert reads(world, f"Patient/{world.ids[HER]}", "mdph") == (200 if status == 201 else 404)

    @pytest.mark.threat("handover-mdph-unagreed")
    def test_the_mdph_has_what_was_agreed(self, world: World) -> None:
        yes = {"answer": "yes", "question": "La MDPH ?", "if_yes": "?", "if_no": "?", "kind": "partage"}
        here = {"usager_id": world.ids[HER], "structure_id": world.ids["mas_fam"], "partner_id": world.ids["mdph"]}
        world.add(SharingConsent(**yes, **here, starts=today(), categories=["support"], kinds=["transmission"]))
        sent = pushed(world, partner_id=str(world.ids["mdph"]), ground="accord", entry_ids=[str(world.ids["usual"])])
        assert sent.status_code == 201, sent.text

    def test_a_partner_that_the_house_did_not_accept(self, world: World) -> None:
        gone = "DELETE FROM partner_structure WHERE partner_id = $1 AND structure_id = $2 RETURNING *"
        [row] = world.rows(gone, world.ids["mdph"], world.ids["mas_fam"])
        answer = pushed(world, partner_id=str(world.ids["mdph"]))
        world.rows(
            "INSERT INTO partner_structure (organisation_id, partner_id, structure_id, accepts) VALUES ($1, $2, $3, true)",
            row["organisation_id"], world.ids["mdph"], world.ids["mas_fam"],
        )  # fmt: skip
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "handover.not_accepted")

    @pytest.mark.threat("handover-despite-opposition")
    @pytest.mark.parametrize(
        ("changes", "status"),
        [
            ({}, 409),
            ({"ground": "equipe"}, 409),
            ({"ground": "accord"}, 409),
            ({"ground": "vital", "reason": "Inconscient, ne respire plus."}, 201),
            ({"ground": "loi", "article": "R4127-9 CSP"}, 201),
        ],
    )
    def test_an_opposition_stops_what_may_be_opposed(
        self, world: World, changes: dict[str, object], status: int
    ) -> None:
        against = {**at(world), "partner_id": str(world.ids["chu"])}
        assert world.post("sonia", "/api/v1/consents/oppositions", against).status_code == 201
        assert pushed(world, **changes).status_code == status
        assert reads(world, f"Patient/{world.ids[HER]}") == (200 if status == 201 else 404)

    @pytest.mark.threat("handover-read-after-opposition")
    @pytest.mark.parametrize(
        ("changes", "still"),
        [
            ({}, 404),
            ({"ground": "vital", "reason": "Inconscient, ne respire plus."}, 200),
            ({"ground": "loi", "article": "R4127-9 CSP"}, 200),
        ],
    )
    def test_an_opposition_closes_our_door_and_stops_the_next(
        self, world: World, changes: dict[str, object], still: int
    ) -> None:
        """« Le CHU ne peut plus lire. Ce qu'il a déjà reçu reste chez lui. »"""
        assert pushed(world, **changes).status_code == 201
        assert reads(world, f"Patient/{world.ids[HER]}") == 200
        assert (
            world.post(HER, "/api/v1/me/consents/oppositions", {"partner_id": str(world.ids["chu"])}).status_code == 201
        )
        assert reads(world, f"Patient/{world.ids[HER]}") == still
        assert pushed(world, entry_ids=[str(world.ids["consigne"])]).status_code == 409

    @pytest.mark.threat("handover-despite-disagreement")
    @pytest.mark.parametrize("answer", ["no", "disagreement"])
    def test_a_no_of_who_decides_for_them_stops_what_an_opposition_stops(self, world: World, answer: str) -> None:
        """« Désaccord entre parents »: nothing leaves, and what had left is read no more."""
        assert pushed(world).status_code == 201
        assert reads(world, f"Patient/{world.ids[HER]}") == 200
        agreement(world, answer=answer, answered_by_kind="representative")
        assert reads(world, f"Patient/{world.ids[HER]}") == 404
        assert pushed(world, entry_ids=[str(world.ids["consigne"])]).status_code == 409
        vital = {"ground": "vital", "reason": "Inconscient."}
        assert pushed(world, **vital).status_code == 201

    @pytest.mark.threat("handover-outlives-agreement")
    @pytest.mark.parametrize(
        "closes", ["ends = current_date", "answer = 'asked', withdrawn_at = now()", "lapses_on = current_date"]
    )
    def test_what_was_sent_by_agreement_is_read_as_long_as_it_holds(self, world: World, closes: str) -> None:
        agreement(world, starts=today() - timedelta(days=1))
        assert pushed(world, ground="accord").status_code == 201
        assert reads(world, f"Patient/{world.ids[HER]}") == 200
        world.rows(f"UPDATE sharing_consent SET {closes}")
        assert reads(world, f"Patient/{world.ids[HER]}") == 404


class TestEnds:
    def given(self, world: World, **changes: object) -> str:
        answer = pushed(world, "nurse", **changes)
        assert answer.status_code == 201, answer.text
        assert reads(world, f"Patient/{world.ids[HER]}") == 200
        return str(answer.json()["id"])

    @pytest.mark.threat("handover-outlives")
    def test_our_door_closes_at_its_end(self, world: World) -> None:
        id = self.given(world)
        [row] = world.rows("SELECT ends_at - recorded_at AS lasts FROM handover WHERE id = $1", UUID(id))
        assert row["lasts"].days in (29, 30)
        world.rows("UPDATE handover SET ends_at = now() WHERE id = $1", UUID(id))
        assert reads(world, f"Patient/{world.ids[HER]}") == 404
        assert notes(world) == []
        assert world.post("nurse", f"{PATH}/{id}/stop", None).status_code == 409

    @pytest.mark.threat("handover-outlives")
    @pytest.mark.parametrize("ground", ["echange", "vital"])
    def test_stopped_it_is_read_no_more(self, world: World, ground: str) -> None:
        id = self.given(world, ground=ground, reason="Inconscient." if ground == "vital" else None)
        stopped = world.post("nurse", f"{PATH}/{id}/stop", None)
        assert (stopped.status_code, stopped.json()["stopped_at"] is not None) == (200, True), stopped.text
        assert reads(world, f"Patient/{world.ids[HER]}") == 404
        assert world.post("nurse", f"{PATH}/{id}/stop", None).status_code == 409
        assert world.traces(action="stop_handover")[-1]["usager_id"] == world.ids[HER]

    @pytest.mark.threat("handover-stopped-by-another")
    @pytest.mark.parametrize(("who", "status"), [("nurse", 200), ("marc", 200), ("sonia", 403), ("yann", 404)])
    def test_by_who_gave_it_or_a_chief(self, world: World, who: str, status: int) -> None:
        assert world.post(who, f"{PATH}/{self.given(world)}/stop", None).status_code == status

    @pytest.mark.threat("handover-outlives")
    @pytest.mark.parametrize("days", [-1, 31])
    def test_no_longer_than_the_house_allows(self, world: World, days: int) -> None:
        answer = pushed(world, "nurse", until=(now() + timedelta(days=days)).isoformat())
        assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, "/until")

    @pytest.mark.threat("handover-outlives")
    def test_a_house_may_allow_less(self, world: World) -> None:
        setting = {"scope": "organisation", "key": "handover.days", "value": 3}
        place = world.post("helene", "/api/v1/settings", setting).headers["location"]
        id = self.given(world)
        beyond = pushed(world, "nurse", until=(now() + timedelta(days=4)).isoformat())
        world.delete("helene", place, 1)
        [row] = world.rows("SELECT ends_at - recorded_at AS lasts FROM handover WHERE id = $1", UUID(id))
        assert (row["lasts"].days in (2, 3), beyond.status_code) == (True, 422)

    def test_the_house_says_how_far_back_a_transfer_looks(self, world: World) -> None:
        setting = {"scope": "organisation", "key": "handover.recent_days", "value": 2}
        assert world.post("helene", "/api/v1/settings", setting).status_code == 201
        before = len(planned(world, "nurse").json()["rows"])
        ago = "UPDATE transmission SET occurred_at = occurred_at {} interval '3 days' WHERE important"
        world.rows(ago.format("-"))
        assert len(planned(world, "nurse").json()["rows"]) < before
        world.rows("DELETE FROM setting WHERE key = 'handover.recent_days'")
        assert len(planned(world, "nurse").json()["rows"]) == before
        world.rows(ago.format("+"))


class TestTold:
    @pytest.mark.threat("handover-untold")
    def test_each_row_that_left_has_its_ground_in_the_journal(self, world: World) -> None:
        told = pushed(world, "nurse").json()
        lines = [line for line in world.traces(action="hand_over") if line["principal_id"] == world.ids["nurse"]]
        kinds = {"usager", "contact", "emergency_sheet", "transmission"}
        last = [line for line in lines if line["request_id"] == lines[-1]["request_id"]]
        assert {line["kind"] for line in last} == kinds
        assert {(line["ground"], line["usager_id"], line["role"]) for line in last} == {
            ("echange", world.ids[HER], "infirmier")
        }
        left = {id for line in last for id in line["entry_ids"]}
        kept = {row["entry_id"] for row in world.rows("SELECT entry_id FROM handover_row WHERE handover_id = $1", UUID(told["id"]))}  # fmt: skip
        assert left == kept
        assert reads(world, f"Patient/{world.ids[HER]}") == 200
        assert world.traces(principal_id=world.ids["chu"])[-1]["ground"] == "echange"

    def test_the_team_reads_what_was_sent(self, world: World) -> None:
        id = pushed(world, "nurse").json()["id"]
        told = world.get("sonia", f"{PATH}?usager={world.ids[HER]}").json()["items"]
        assert [(one["id"], len(one["rows"])) for one in told] == [(id, 6)]
        assert world.get("marc", f"{PATH}/{id}").json()["ground"] == "echange"
        assert world.get("yann", f"{PATH}/{id}").status_code == 404

    def test_the_person_is_told_to_whom_and_why(self, world: World) -> None:
        assert pushed(world, "nurse").status_code == 201
        lines = [line for line in world.get(HER, "/api/v1/me/access").json()["items"] if line["deed"] == "sent"]
        assert lines, "no line tells it"
        assert {(line["to"], line["ground"], line["who"]["role"]) for line in lines[:1]} == {
            ("CHU", "echange", "infirmier")
        }
        page = " ".join(visit(world, HER).see("/mon-dossier/acces").text.split())
        page = page.replace("\u202f", " ").replace("\u00a0", " ")
        assert "Transmis au CHU : " in page
        assert "Pourquoi ? Pour vous soigner." in page

    @pytest.mark.threat("handover-kept-by-law")
    def test_what_the_law_asks_is_held_back(self, world: World) -> None:
        before = len([one for one in world.get(HER, "/api/v1/me/access").json()["items"] if one["deed"] == "sent"])
        assert pushed(world, "nurse", ground="loi", article="L226-3 CASF").status_code == 201
        items = world.get(HER, "/api/v1/me/access").json()["items"]
        assert len([one for one in items if one["deed"] == "sent"]) == before
        assert "L226-3" not in world.get(HER, "/api/v1/me/access").text

    def test_who_represents_the_person_is_told_of_nobody_s_visits(self, world: World) -> None:
        represent(world, "tuteur", HER, "tutelle", opens=("administrative", "support", "care"))
        assert pushed(world, "nurse").status_code == 201
        assert [one for one in world.get("tuteur", "/api/v1/me/access").json()["items"] if one["deed"] == "sent"] == []


def test_what_the_hospital_sends_back_does_not_come_round(world: World) -> None:
    """A row the partner sent itself is not handed to it again."""
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": "urn:uuid:5d1c2f0e-3f6b-4c55-9f61-5f9e6c9d8a12",
                "resource": {"resourceType": "Patient", "name": [{"family": "ESSAI", "given": ["Ana"]}]},
                "request": {"method": "POST", "url": "Patient"},
            }
        ],
    }
    answer = sent(world, bundle)
    assert answer.status_code == 200
    id = answer.json()["entry"][0]["response"]["location"].split("/")[1]
    [row] = world.rows("SELECT structure_id FROM usager WHERE id = $1", UUID(id))
    told = said(
        world, usager_id=id, structure_id=str(row["structure_id"]), ground="vital", reason="Chute, inconsciente."
    )
    assert world.post("marc", f"{PATH}?dry-run=true", told).json()["rows"] == []
