"""« Demander à lire mon dossier »: asked, due, signed by two persons, read by who asked and by nobody else."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from dateutil.relativedelta import relativedelta

from app.access.models import Consigne, Mandate, SharingConsent
from app.features.consents.models import ConsentAnswer
from app.features.contacts.models import Contact
from app.features.judicial.models import JudicialDecision
from app.features.settings.shipped import SHIPPED
from app.features.transmissions.models import Transmission
from app.kernel.clock import PARIS, now, today
from app.kernel.ids import uuid7
from app.security.principal import Role
from tests.features.contacts import people as contacts
from tests.world import World

STAFF, MINE = "/api/v1/access/copies", "/api/v1/me/copies"
TABLES = ("copy_file", "copy_request", "transmission", "entry_version", "setting")


@pytest.fixture(autouse=True)
def clean(world: World) -> Iterator[None]:
    yield
    for table in TABLES:
        world.rows(f"DELETE FROM {table}")


@pytest.fixture(scope="module", autouse=True)
def people(world: World) -> None:
    represented(world, "claire", "lucas", kind="autorite_parentale")
    world.hire("far", Role.INFIRMIER, "ehpad")
    world.hire("both", Role.DIRECTION, "ehpad")
    world.appoint("both_nurse", "both", Role.INFIRMIER, "ehpad")
    world.accompany("both", world.ids["jeanne"], "ehpad")


def represented(world: World, name: str, usager: str, **terms: Any) -> UUID:
    """Someone who represents this person by right, signed in under this name; the mandate's id."""
    at = {"usager_id": world.ids[usager], "structure_id": world.ids[contacts.HOUSES[usager]]}
    contact, mandate = uuid7(), uuid7()
    world.add(Contact(id=contact, family_name=name.title(), author_id=world.ids["odile"], **at))
    told = {
        "kind": "tutelle",
        "scope": "both",
        "effect": "representation",
        "opens": ["administrative", "support", "care"],
    }
    told |= {"starts": date(2024, 1, 1), "confirmed_at": now(), **terms}
    world.add(Mandate(id=mandate, contact_id=contact, author_id=world.ids["odile"], **at, **told))
    world.enter(name, world.ids[usager], contact)
    return mandate


def tuned(world: World, key: str, value: int, scope: str = "organisation") -> None:
    world.rows(
        """INSERT INTO setting (organisation_id, id, scope, key, value, since, version, recorded_at, updated_at)
           VALUES ($1, $2, $3, $4, $5, now(), 1, now(), now())""",
        world.organisation, uuid7(), scope, key, str(value),
    )  # fmt: skip


def asked(world: World, who: str = "jeanne", part: str = "rest") -> str:
    answer = world.post(who, MINE, {"part": part})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def note(world: World, text: str, usager: str = "jeanne", **said: Any) -> UUID:
    id = uuid7()
    at = {"usager_id": world.ids[usager], "structure_id": world.ids[contacts.HOUSES[usager]]}
    row = {"id": id, "thread_id": id, "kind": "narrative", "text": text, "author_id": world.ids["sonia"], **said}
    world.add(Transmission(**at, **row))
    return id


def later(world: World, copy: str) -> None:
    """The two days that the law asks for are over."""
    world.rows("UPDATE copy_request SET not_before = now() - interval '1 minute' WHERE id = $1", UUID(copy))


def sign(world: World, copy: str, who: str = "leila") -> Any:
    return world.post(who, f"{STAFF}/{copy}/sign-care", None)


def prepare(world: World, copy: str, who: str = "helene") -> Any:
    return world.post(who, f"{STAFF}/{copy}/prepare", None)


def ready(world: World, who: str = "jeanne", part: str = "rest") -> str:
    copy = asked(world, who, part)
    if part != "rest":
        assert sign(world, copy).status_code == 200
        later(world, copy)
    answer = prepare(world, copy)
    assert answer.status_code == 200, answer.text
    return copy


def read(world: World, copy: str, who: str = "jeanne", name: str = "page") -> str:
    answer = world.get(who, f"{MINE}/{copy}/{name}")
    assert answer.status_code == 200, answer.text
    return str(answer.text)


class TestAsking:
    @pytest.mark.parametrize(
        ("part", "due"),
        [
            ("rest", relativedelta(months=1)),
            ("care", relativedelta(days=8)),
            ("old_care", relativedelta(months=2)),
        ],
    )
    def test_each_part_has_its_clock(self, world: World, part: str, due: relativedelta) -> None:
        said = world.post("jeanne", MINE, {"part": part}).json()
        assert (said["due_on"], said["answer"]) == ((today() + due).isoformat(), None)

    @pytest.mark.parametrize(("part", "hours"), [("rest", None), ("care", 48), ("old_care", 48)])
    def test_health_information_is_not_handed_over_before_two_days(
        self, world: World, part: str, hours: int | None
    ) -> None:
        asked(world, part=part)
        [row] = world.rows("SELECT not_before - recorded_at AS waits FROM copy_request")
        assert (row["waits"] and round(row["waits"].total_seconds() / 3600)) == hours

    @pytest.mark.parametrize(
        ("key", "part", "value", "due"),
        [("care_days", "care", 4, timedelta(days=4)), ("old_care_months", "old_care", 1, relativedelta(months=1))],
    )
    @pytest.mark.parametrize("scope", ["organisation", "structure"])
    def test_a_house_may_answer_sooner(
        self, world: World, key: str, part: str, value: int, due: Any, scope: str
    ) -> None:
        where = "organisation" if scope == "organisation" else f"structure:{world.ids['ehpad']}"
        tuned(world, f"copy.{key}", value, where)
        assert world.post("jeanne", MINE, {"part": part}).json()["due_on"] == (today() + due).isoformat()

    @pytest.mark.parametrize("years", [None, 10])
    def test_care_is_old_after_the_years_that_are_set(self, world: World, years: int | None) -> None:
        if years:
            tuned(world, "copy.old_care_years", years)
        asked(world, part="old_care")
        [row] = world.rows("SELECT old_before FROM copy_request")
        assert row["old_before"] == today() - relativedelta(years=years or 5)

    def test_no_house_may_answer_later_than_the_law(self) -> None:
        longest = {"care_days": 8, "old_care_months": 2, "rest_months": 1}
        assert {key: SHIPPED[f"copy.{key}"].most for key in longest} == longest
        assert all(SHIPPED[key].source for key in SHIPPED if key.startswith("copy."))

    def test_the_same_part_is_asked_once_until_it_is_answered(self, world: World) -> None:
        ready(world)
        asked(world)
        assert world.post("jeanne", MINE, {"part": "rest"}).status_code == 409

    def test_the_parts_are_a_closed_list(self, world: World) -> None:
        assert world.post("jeanne", MINE, {"part": "all"}).status_code == 422

    def test_it_is_traced_under_the_person_s_name(self, world: World) -> None:
        copy = asked(world)
        [line] = world.traces(kind="copy_request", action="create", usager_id=world.ids["jeanne"])[-1:]
        assert (line["entry_ids"], line["principal_kind"], line["door"]) == ([UUID(copy)], "usager", "me")

    def test_asking_costs_five_statements_at_most(self, world: World) -> None:
        asked(world)
        with world.statements() as sql:
            asked(world, part="care")
        assert len(sql) <= 5


class TestWhoAsks:
    def test_who_represents_by_right(self, world: World) -> None:
        assert world.post("claire", MINE, {"part": "rest"}).status_code == 201

    @pytest.mark.threat("copy-asked-by-another")
    @pytest.mark.parametrize(
        "terms",
        [
            {"effect": "assistance", "kind": "curatelle_renforcee", "person_agreed": True},
            {"scope": "biens"},
            {"kind": "subroge"},
        ],
    )
    def test_who_only_assists_or_manages_goods_or_watches_does_not(self, world: World, terms: dict[str, Any]) -> None:
        represented(world, "blanc", "karim", **terms)
        answer = world.post("blanc", MINE, {"part": "rest"})
        assert (answer.status_code, world.rows("SELECT 1 FROM copy_request")) == (403, [])

    @pytest.mark.threat("copy-asked-by-another")
    @pytest.mark.parametrize("who", ["sonia", "helene", "chu"])
    def test_nobody_else_at_this_door(self, world: World, who: str) -> None:
        assert world.post(who, MINE, {"part": "rest"}).status_code == 401

    @pytest.mark.threat("copy-asked-by-another")
    def test_a_parent_sees_nothing_of_what_the_child_asked_nor_the_child_of_theirs(self, world: World) -> None:
        child, parent = asked(world, "lucas"), asked(world, "claire")
        assert [row["id"] for row in world.get("lucas", MINE).json()["items"]] == [child]
        assert [row["id"] for row in world.get("claire", MINE).json()["items"]] == [parent]
        assert world.get("claire", f"{MINE}/{child}").status_code == 404


class TestStaff:
    def test_what_waits_comes_by_its_day(self, world: World) -> None:
        due = [asked(world, part=part) for part in ("old_care", "rest", "care")]
        ready(world, "karim")
        told = world.get("helene", STAFF, params={"state": "waiting"}).json()["items"]
        assert [row["id"] for row in told] == [due[2], due[1], due[0]]
        assert [row["due_on"] for row in told] == sorted(row["due_on"] for row in told)

    def test_page_follows_page(self, world: World) -> None:
        due = [asked(world, part=part) for part in ("care", "rest", "old_care")]
        first = world.get("helene", STAFF, params={"state": "waiting", "limit": 2}).json()
        rest = world.get("helene", STAFF, params={"state": "waiting", "limit": 2, "after": first["next"]}).json()
        assert [row["id"] for row in first["items"] + rest["items"]] == due

    def test_those_of_one_person(self, world: World) -> None:
        mine, _ = asked(world), asked(world, "karim")
        told = world.get("helene", STAFF, params={"usager": str(world.ids["jeanne"])}).json()["items"]
        assert [row["id"] for row in told] == [mine]

    @pytest.mark.threat("copy-asked-read-by-others")
    @pytest.mark.parametrize(
        ("who", "status"),
        [("helene", 200), ("odile", 200), ("marc", 200), ("leila", 200), ("sonia", 404), ("far", 404), ("yann", 404)],
    )
    def test_who_reads_it(self, world: World, who: str, status: int) -> None:
        assert world.get(who, f"{STAFF}/{asked(world)}").status_code == status

    def test_given_by_hand_or_refused_in_words(self, world: World) -> None:
        hand, no = asked(world), asked(world, "karim")
        assert world.post("helene", f"{STAFF}/{hand}/answer", {"answer": "by_hand"}).json()["answer"] == "by_hand"
        assert world.post("helene", f"{STAFF}/{no}/answer", {"answer": "refused"}).status_code == 422
        said = {"answer": "refused", "words": "Déjà remise le 3 mars. Vous pouvez écrire à la CNIL."}
        assert world.post("helene", f"{STAFF}/{no}/answer", said).status_code == 200
        [told] = world.get("karim", MINE).json()["items"]
        assert (told["answer"], told["words"]) == ("refused", said["words"])
        assert world.get("karim", f"{MINE}/{no}/page").status_code == 404

    @pytest.mark.threat("copy-by-one-alone")
    @pytest.mark.parametrize("who", ["leila", "marc", "odile"])
    def test_only_the_direction_answers(self, world: World, who: str) -> None:
        assert world.post(who, f"{STAFF}/{asked(world)}/answer", {"answer": "by_hand"}).status_code == 403

    @pytest.mark.parametrize("again", ["answer", "prepare", "sign-care"])
    def test_what_has_its_answer_keeps_it(self, world: World, again: str) -> None:
        copy = ready(world, part="care")
        who = "leila" if again == "sign-care" else "helene"
        body = {"answer": "by_hand"} if again == "answer" else None
        assert world.post(who, f"{STAFF}/{copy}/{again}", body).status_code == 409


class TestTwoPersons:
    @pytest.mark.threat("copy-by-one-alone")
    @pytest.mark.parametrize("who", ["sonia", "marc", "leila", "odile", "yann"])
    def test_only_the_direction_prepares(self, world: World, who: str) -> None:
        copy = asked(world)
        assert (prepare(world, copy, who).status_code, world.rows("SELECT 1 FROM copy_file")) == (403, [])

    @pytest.mark.threat("copy-by-one-alone")
    @pytest.mark.parametrize(("who", "status"), [("sonia", 403), ("helene", 403), ("marc", 403), ("far", 404)])
    def test_only_a_health_professional_of_theirs_signs_care(self, world: World, who: str, status: int) -> None:
        assert sign(world, asked(world, part="care"), who).status_code == status

    @pytest.mark.threat("copy-by-one-alone")
    def test_care_is_not_prepared_before_it_is_signed(self, world: World) -> None:
        copy = asked(world, part="care")
        later(world, copy)
        assert (prepare(world, copy).json()["code"], read_status(world, copy)) == ("copy.unsigned", 404)

    @pytest.mark.threat("copy-by-one-alone")
    def test_nobody_is_two_persons(self, world: World) -> None:
        """Even with both roles."""
        copy = asked(world, part="care")
        assert sign(world, copy, "both_nurse").status_code == 200
        later(world, copy)
        assert (prepare(world, copy, "both").status_code, prepare(world, copy).status_code) == (403, 200)

    @pytest.mark.threat("copy-by-one-alone")
    def test_nor_under_two_names_of_one_account(self, world: World) -> None:
        copy = asked(world, part="care")
        assert sign(world, copy).status_code == 200
        later(world, copy)
        world.rows(
            "UPDATE professional SET account_id = $2 WHERE id = $1", world.ids["leila"], world.ids["helene_account"]
        )
        try:
            assert prepare(world, copy).status_code == 403
        finally:
            back = "UPDATE professional SET account_id = $2 WHERE id = $1"
            world.rows(back, world.ids["leila"], world.ids["leila_account"])

    @pytest.mark.threat("copy-too-early")
    def test_care_is_not_handed_over_at_once(self, world: World) -> None:
        copy = asked(world, part="care")
        sign(world, copy)
        assert prepare(world, copy).json()["code"] == "copy.too_early"

    def test_what_holds_no_care_is_signed_by_nobody(self, world: World) -> None:
        assert sign(world, asked(world)).status_code == 409

    def test_care_is_signed_once(self, world: World) -> None:
        copy = asked(world, part="care")
        assert [sign(world, copy).status_code for _ in "ab"] == [200, 409]

    def test_each_act_has_its_line(self, world: World) -> None:
        copy = ready(world, part="care")
        lines = [line for line in world.traces(kind="copy_request") if line["entry_ids"] == [UUID(copy)]]
        told = {(line["action"], line["principal_id"]) for line in lines if line["role"]}
        assert told == {
            ("prepare_copy_of_care", world.ids["leila"]),
            ("prepare_copy", world.ids["helene"]),
        }
        assert {line["usager_id"] for line in lines} == {world.ids["jeanne"]}


def read_status(world: World, copy: str, who: str = "jeanne") -> int:
    return int(world.get(who, f"{MINE}/{copy}/page").status_code)


class TestReading:
    def test_who_asked_reads_it_as_a_page_and_for_a_program(self, world: World) -> None:
        note(world, "NOTE-DE-TRAVAIL", visibility="not_shared")
        copy = ready(world)
        answer = world.get("jeanne", f"{MINE}/{copy}/page")
        assert ("NOTE-DE-TRAVAIL" in answer.text, "MOREAU" in answer.text) == (True, True)
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert (answer.headers["cache-control"], answer.headers["x-content-type-options"]) == ("no-store", "nosniff")
        assert (
            world.get("jeanne", f"{MINE}/{copy}/data").json()["sections"]["transmission"][0]["text"]
            == "NOTE-DE-TRAVAIL"
        )

    def test_it_is_as_it_was_signed(self, world: World) -> None:
        copy = ready(world)
        before = read(world, copy)
        note(world, "ECRITE-APRES")
        assert read(world, copy) == before

    @pytest.mark.threat("copy-read-by-others")
    @pytest.mark.parametrize("who", ["karim", "lucas", "claire"])
    def test_nobody_else_reads_it(self, world: World, who: str) -> None:
        assert read_status(world, ready(world), who) == 404

    @pytest.mark.threat("copy-read-by-others")
    def test_neither_the_parent_the_child_s_nor_the_child_the_parent_s(self, world: World) -> None:
        child, parent = ready(world, "lucas"), ready(world, "claire")
        assert (read_status(world, child, "claire"), read_status(world, parent, "lucas")) == (404, 404)
        assert (read_status(world, child, "lucas"), read_status(world, parent, "claire")) == (200, 200)

    @pytest.mark.threat("copy-read-by-others")
    @pytest.mark.parametrize(("part", "prints"), [("rest", "helene"), ("care", "leila")])
    def test_it_is_printed_by_who_prepared_or_signed_it(self, world: World, part: str, prints: str) -> None:
        note(world, "SOIN", category="care")
        copy = ready(world, part=part)
        for name in ("page", "data"):
            answers = {
                who: world.get(who, f"{STAFF}/{copy}/{name}").status_code for who in ("helene", "leila", "odile")
            }
            assert answers == {**dict.fromkeys(answers, 403), prints: 200}

    @pytest.mark.threat("copy-read-by-others")
    @pytest.mark.parametrize(("part", "who"), [("rest", "leila"), ("care", "helene")])
    def test_printing_refused_is_a_line(self, world: World, part: str, who: str) -> None:
        answer = world.get(who, f"{STAFF}/{ready(world, part=part)}/page")
        lines = world.traces(request_id=answer.headers["x-request-id"])
        assert (answer.status_code, [line["action"] for line in lines if line["outcome"] == "refused"]) == (
            403, ["prepare_copy" if part == "rest" else "prepare_copy_of_care"],
        )  # fmt: skip

    @pytest.mark.threat("copy-read-by-others")
    def test_nothing_of_it_is_in_clear_in_the_base(self, world: World) -> None:
        note(world, "CANARI-DE-COPIE")
        ready(world)
        [row] = world.rows("SELECT page, data FROM copy_file")
        assert b"CANARI-DE-COPIE" not in row["page"] + row["data"]
        assert world.rows("DELETE FROM transmission RETURNING 1")
        assert not world.rows("SELECT 1 FROM copy_file f WHERE f::text LIKE '%CANARI%'")

    def test_reading_it_is_a_line(self, world: World) -> None:
        copy = ready(world)
        answer = world.get("jeanne", f"{MINE}/{copy}/page")
        [line] = world.traces(request_id=answer.headers["x-request-id"])
        assert (line["kind"], line["action"], line["entry_ids"]) == ("copy_request", "read", [UUID(copy)])


class TestParts:
    def test_each_holds_what_it_is_named_after(self, world: World) -> None:
        long_ago = now() - timedelta(days=366 * 6)
        note(world, "RESTE")
        note(world, "SOIN-RECENT", category="care")
        note(world, "SOIN-ANCIEN", category="care", occurred_at=long_ago)
        told = {part: read(world, ready(world, part=part)) for part in ("rest", "care", "old_care")}
        held = {part: [w for w in ("RESTE", "SOIN-RECENT", "SOIN-ANCIEN") if w in text] for part, text in told.items()}
        assert held == {"rest": ["RESTE"], "care": ["SOIN-RECENT"], "old_care": ["SOIN-ANCIEN"]}
        assert "La partie soins n'est pas dans cette copie" in told["rest"]
        assert "Cette copie contient seulement les soins" in told["care"]


class TestForAnother:
    """What who represents the person gets: what the mandate opens, and nothing that is kept from them."""

    @pytest.mark.threat("copy-tells-others")
    def test_nothing_the_child_keeps_from_them(self, world: World) -> None:
        note(world, "SECRET-DE-LUCAS", "lucas", minor_secret=True)
        note(
            world, "MOT-DE-LUCAS", "lucas", author_kind="usager", author_id=world.ids["lucas"], visibility="not_shared"
        )
        note(world, "NOTE-DE-TRAVAIL", "lucas", visibility="not_shared")
        told = read(world, ready(world, "claire"), "claire")
        held = [w for w in ("SECRET-DE-LUCAS", "MOT-DE-LUCAS", "NOTE-DE-TRAVAIL") if w in told]
        assert held == ["NOTE-DE-TRAVAIL"]

    @pytest.mark.threat("copy-tells-others")
    def test_of_two_parents_each_gets_their_own_answer_and_none_to_what_the_child_keeps(self, world: World) -> None:
        father, lucas, claire = uuid7(), world.ids["lucas"], world.ids["claire"]
        given = {"usager": lucas, "representative": claire}
        open_, kept = consent(world, "lucas"), consent(world, "lucas", minor_secret=True)
        said = {
            heard(world, "lucas", open_, father, "representative"): False,
            **{heard(world, "lucas", open_, who, kind): True for kind, who in given.items()},
            heard(world, "lucas", kept, lucas, "usager"): False,
        }
        told = read(world, ready(world, "claire"), "claire", "data")
        assert {id: id in told for id in said} == said
        hers = read(world, ready(world, "lucas"), "lucas", "data")
        assert [id for id in said if id not in hers] == []

    @pytest.mark.threat("copy-tells-others")
    def test_nothing_of_a_category_that_the_mandate_does_not_open(self, world: World) -> None:
        [row] = world.rows("SELECT wrapped FROM usager_key WHERE usager_id = $1", world.ids["lucas"])
        key, id = world.keyring.usager_key(row["wrapped"], str(world.ids["lucas"])), uuid7()
        at = {"usager_id": world.ids["lucas"], "structure_id": world.ids["ime"], "author_id": world.ids["odile"]}
        title = key.seal(b"JUGEMENT-SUR-LUCAS", f"judicial_decision:{id}:title")
        world.add(JudicialDecision(id=id, nature="notified", title=title, visibility="shared", **at))
        assert "JUGEMENT-SUR-LUCAS" not in read(world, ready(world, "claire"), "claire")
        assert "JUGEMENT-SUR-LUCAS" in read(world, ready(world, "lucas"), "lucas")
        world.rows("DELETE FROM judicial_decision")

    @pytest.mark.threat("copy-tells-others")
    def test_not_the_house_when_it_is_a_protected_place(self, world: World) -> None:
        world.rows("UPDATE stay SET place_protected = true WHERE usager_id = $1", world.ids["lucas"])
        note(world, "UNE-NOTE", "lucas")
        try:
            told = read(world, ready(world, "claire"), "claire", "data")
        finally:
            world.rows("UPDATE stay SET place_protected = false WHERE usager_id = $1", world.ids["lucas"])
        assert ("UNE-NOTE" in told, '"house": "IME"' in told, "lieu protégé" in told) == (True, False, True)

    @pytest.mark.threat("copy-asked-by-another")
    def test_nothing_once_the_mandate_has_ended(self, world: World) -> None:
        mandate = represented(world, "ex", "karim")
        copy = asked(world, "ex")
        world.rows("UPDATE mandate SET ends = $2 WHERE id = $1", mandate, today())
        assert prepare(world, copy).json()["code"] == "copy.no_mandate"

    @pytest.mark.threat("copy-asked-by-another")
    def test_nothing_once_a_decision_closes_their_access(self, world: World) -> None:
        represented(world, "shut", "karim")
        copy = asked(world, "shut")
        [row] = world.rows("SELECT wrapped FROM usager_key WHERE usager_id = $1", world.ids["karim"])
        key, id = world.keyring.usager_key(row["wrapped"], str(world.ids["karim"])), uuid7()
        at = {"usager_id": world.ids["karim"], "structure_id": world.ids["mas_fam"], "author_id": world.ids["marc"]}
        world.add(
            JudicialDecision(id=id, nature="notified", title=key.seal(b"?", f"judicial_decision:{id}:title"), **at)
        )
        closing = {"decision_id": id, "contact_id": world.ids["shut"], "closes_access": True, "in_doubt": "Le chef"}
        world.add(Consigne(starts=today(), **closing, **at))
        assert prepare(world, copy).json()["code"] == "copy.no_mandate"
        assert world.get("shut", MINE).json()["items"] == []


def consent(world: World, usager: str, **more: Any) -> UUID:
    id = uuid7()
    question = {
        "kind": "image",
        "question": "Une photo ?",
        "if_yes": "Elle est prise.",
        "if_no": "Aucune.",
        "categories": [],
    }
    at = {"usager_id": world.ids[usager], "structure_id": world.ids["ime"], "author_id": world.ids["marc"]}
    world.add(SharingConsent(id=id, starts=today(), visibility="shared", **question, **at, **more))
    return id


def heard(world: World, usager: str, consent: UUID, by: UUID, kind: str) -> str:
    """An answer noted by a professional."""
    id = uuid7()
    at = {"usager_id": world.ids[usager], "structure_id": world.ids["ime"], "author_id": world.ids["marc"]}
    said = {"answer": "yes", "given_by": by, "given_by_kind": kind, "noted_by": world.ids["marc"], "consent_version": 1}
    world.add(ConsentAnswer(id=id, consent_id=consent, visibility="not_shared", **said, **at))
    return str(id)


class TestAskedAloud:
    def entered(self, world: World, who: str = "odile", usager: str = "jeanne", **said: Any) -> Any:
        body = {"usager_id": str(world.ids[usager]), "part": "rest", "how": "oral", **said}
        return world.post(who, STAFF, body)

    def test_is_theirs_to_read_and_says_who_wrote_it_down_how_and_when(self, world: World):
        at = now() - timedelta(days=3)
        answer = self.entered(world, how="letter", asked_at=at.isoformat())
        assert answer.status_code == 201, answer.text
        told = world.get("marc", f"{STAFF}/{answer.json()['id']}").json()
        assert (told["author_kind"], told["author_id"]) == ("usager", str(world.ids["jeanne"]))
        assert (told["entered_by"], told["asked_how"]) == (str(world.ids["odile"]), "letter")
        mine = world.get("jeanne", f"{MINE}/{answer.json()['id']}").json()
        assert (mine["asked_how"], mine["asked_at"]) == ("letter", told["asked_at"])

    def test_the_clocks_start_when_it_was_asked(self, world: World):
        at = now() - timedelta(days=3)
        told = self.entered(world, part="care", asked_at=at.isoformat()).json()
        day = at.astimezone(PARIS).date()
        assert told["due_on"] == str(day + timedelta(days=SHIPPED["copy.care_days"].value))
        later = at + timedelta(hours=SHIPPED["copy.care_hours"].value)
        assert datetime.fromisoformat(told["not_before"]) == later

    def test_said_without_a_day_it_is_now(self, world: World):
        asked_at = datetime.fromisoformat(self.entered(world).json()["asked_at"])
        assert abs(now() - asked_at) < timedelta(minutes=1)

    @pytest.mark.parametrize("who", ["odile", "marc", "helene", "leila", "both_nurse"])
    def test_by_each_of_those_who_see_what_is_due(self, world: World, who: str):
        assert self.entered(world, who).status_code == 201

    @pytest.mark.threat("copy-asked-by-another")
    @pytest.mark.parametrize(("who", "status"), [("sonia", 403), ("far", 404), ("yann", 404)])
    def test_by_nobody_else(self, world: World, who: str, status: int):
        assert self.entered(world, who).status_code == status
        assert world.rows("SELECT count(*) FROM copy_request")[0][0] == 0

    @pytest.mark.threat("copy-asked-read-by-others")
    def test_asked_by_who_represents_a_child_it_is_theirs_alone(self, world: World):
        answer = self.entered(world, usager="lucas", contact_id=str(world.ids["claire"]))
        place = f"{MINE}/{answer.json()['id']}"
        assert answer.json()["author_kind"] == "representative"
        assert [world.get(who, place).status_code for who in ("claire", "lucas")] == [200, 404]

    @pytest.mark.threat("copy-asked-by-another")
    @pytest.mark.parametrize("terms", [{"effect": "assistance"}, {"scope": "biens"}, {"confirmed_at": None}])
    def test_a_contact_without_the_right_asks_nothing(self, world: World, terms: dict[str, Any]):
        represented(world, "another", "karim", **terms)
        answer = self.entered(world, usager="karim", contact_id=str(world.ids["another"]))
        assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, "/contact_id")
        stranger = self.entered(world, usager="karim", contact_id=str(world.ids["claire"]))
        assert stranger.status_code == 422

    @pytest.mark.parametrize("ago", [timedelta(minutes=-10), timedelta(days=367)])
    def test_not_to_come_nor_years_ago(self, world: World, ago: timedelta):
        answer = self.entered(world, asked_at=(now() - ago).isoformat())
        assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, "/asked_at")

    def test_what_waits_already_is_not_asked_twice(self, world: World):
        asked(world)
        assert self.entered(world).status_code == 409

    def test_the_same_key_enters_it_once(self, world: World):
        key, body = {"Idempotency-Key": uuid7().hex}, {"usager_id": str(world.ids["jeanne"]), "part": "rest"}
        first, again = (world.post("odile", STAFF, {**body, "how": "phone"}, headers=key) for _ in range(2))
        assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])

    def test_is_prepared_as_any_other(self, world: World):
        copy = self.entered(world).json()["id"]
        done = world.post("helene", f"{STAFF}/{copy}/answer", {"answer": "by_hand"})
        assert (done.status_code, done.json()["answer"]) == (200, "by_hand")
