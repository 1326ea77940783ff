"""What waits for the secretary: stored, read by its sender alone, until she attaches, creates or refuses."""

import asyncio
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from app.access.models import Mandate, SharingConsent
from app.kernel.clock import now, today
from app.kernel.db import Database
from app.security import sessions
from app.security.principal import Role
from tests.exchange.bundles import bundle, entry, goal, patient, plan, project
from tests.exchange.sending import fresh, read_back, row_of, said, sent, taken, written_by_the_team
from tests.exchange.test_acts import change, patch
from tests.fhir.test_read import grant
from tests.world import LONG, ORIGIN, SCOPES, World

PATH = "/api/v1/exchanges"
MEMBER = """INSERT INTO team_member SELECT (m).* FROM (SELECT jsonb_populate_record(t, jsonb_build_object(
    'id', gen_random_uuid(), 'usager_id', $1::uuid, 'structure_id', $2::uuid)) m
    FROM team_member t WHERE professional_id = $3 LIMIT 1) x"""


@pytest.fixture(autouse=True, scope="module")
def _what_the_mdph_sends_waits(world: World) -> None:
    world.rows("UPDATE partner_structure SET accepts = false WHERE partner_id = $1", world.ids["mdph"])
    world.hire("nadia", Role.SECRETARIAT, "ime")
    towards(world, "mdph", "mecs")


def towards(world: World, name: str, place: str) -> None:
    """The same partner, with a token for another structure."""

    async def ask() -> None:
        base = Database(world.database.owner_url, 1)
        async with base.session(world.organisation) as session:
            who, where = (world.organisation, world.ids[name]), world.ids[place]
            opened = await sessions.open_partner(session, world.keyring, ORIGIN, who, where, SCOPES, ttl=LONG)
            await session.commit()
        await base.close()
        world.bearers[f"{name}_{place}"] = {"Authorization": f"Bearer {opened.token}"}

    asyncio.run(ask())


def waiting(world: World, body: Any, who: str = "mdph") -> tuple[UUID, list[tuple[str, UUID, int]]]:
    """The exchange, and what its entries became."""
    told = taken(world, body, who=who)
    [row] = world.rows(
        "SELECT exchange_id FROM exchange_row WHERE row_id = $1 ORDER BY exchange_id DESC LIMIT 1", told[0][1]
    )
    return row["exchange_id"], told


def accompanied(world: World, who: str, usager: UUID) -> None:
    world.rows(MEMBER, usager, world.ids["ime"], world.ids[who])


def two_persons(plans_of: str = "q") -> Any:
    """Two persons, and the projects of some of them."""
    local = fresh()
    plans = [
        {
            **plan(f"{local}{whose}", id=f"p{whose}"),
            "subject": {"reference": f"Patient/{whose}"},
            "supportingInfo": [{"display": "x"}],
        }
        for whose in plans_of
    ]
    return bundle(entry(patient(local)), entry(patient(fresh(), "q", "PETIT")), *map(entry, plans))


def identity(world: World, id: UUID) -> set[tuple[str, bool]]:
    """What their sender declares of someone, and whether it is its word alone."""
    rows = world.rows(
        """SELECT 'usager' AS kind, held FROM usager WHERE id = $1
        UNION ALL SELECT 'number', held FROM usager_identifier WHERE usager_id = $1""",
        id,
    )
    return {(row["kind"], row["held"]) for row in rows}


THEIR_WORD = {("usager", True), ("number", True)}


def decide(world: World, act: str, exchange: UUID, who: str = "odile", body: Any = None) -> Any:
    return world.post(who, f"{PATH}/{exchange}/{act}", body)


class TestHeld:
    @pytest.mark.threat("partner-reads-held-rows")
    def test_is_read_by_its_sender_alone(self, world: World):
        _, told = waiting(world, project(fresh()))
        accompanied(world, "leila", told[-1][1])
        for kind, id, _ in told:
            assert read_back(world, kind, id, "mdph")
            assert world.get("leila", f"/fhir/{kind}/{id}").status_code == 404

    def test_the_answer_is_the_same_as_when_it_is_taken_at_once(self, world: World):
        shape = [
            {name for name in each["response"]}
            for who in ("mdph", "chu")
            for each in sent(world, project(fresh()), who).json()["entry"]
        ]
        assert shape[:5] == shape[5:]

    def test_its_sender_reads_where_it_stands(self, world: World):
        _, told = waiting(world, project(fresh()))
        assert [tag["code"] for tag in read_back(world, *told[0][:2], "mdph")["meta"]["tag"]] == ["to_attach"]

    @pytest.mark.parametrize(("act", "state"), [(None, "to_attach"), ("refuse", "to_attach"), ("accept", "accepted")])
    def test_what_waits_still_keeps_a_bundle_waiting_once_all_is_accepted(
        self, world: World, act: str | None, state: str
    ):
        local = fresh()
        id, _ = waiting(world, project(local))
        if act:
            decide(world, act, id)
        world.rows("UPDATE partner_structure SET accepts = true WHERE partner_id = $1", world.ids["mdph"])
        again, _ = waiting(world, project(local, title="Changé"))
        world.rows("UPDATE partner_structure SET accepts = false WHERE partner_id = $1", world.ids["mdph"])
        [row] = world.rows("SELECT state FROM exchange WHERE id = $1", again)
        assert row["state"] == state


class TestJournal:
    def test_lists_what_waits(self, world: World):
        id, _ = waiting(world, project(fresh()))
        items = world.get("odile", f"{PATH}?state=to_attach&limit=200").json()["items"]
        [line] = [each for each in items if each["id"] == str(id)]
        assert (line["partner"], line["entries"], line["state"]) == ("MDPH", 5, "to_attach")
        assert {each["state"] for each in items} == {"to_attach"}

    def test_tells_the_rows_and_the_persons_of_one(self, world: World):
        body = project(fresh())
        body["entry"][0]["request"]["url"] = "TDDUIGoalObjectif"
        id, told = waiting(world, body)
        whole = world.get("odile", f"{PATH}/{id}").json()
        assert [(row["type"], row["id"]) for row in whole["rows"]] == [(kind, str(i)) for kind, i, _ in told]
        [person] = whole["persons"]
        assert (person["family_name"], person["birth_date"], person["usager_id"]) == (
            "LEROUX",
            "1955-08-14",
            str(told[-1][1]),
        )
        assert [w["code"] for w in whole["rows"][0]["warnings"]] == ["wrong_url"]

    def test_says_whether_someone_like_them_is_here(self, world: World):
        body = bundle(entry({**patient(fresh(), family="MOREAU"), "birthDate": "1944-05-12"}))
        body["entry"][0]["resource"]["name"][0]["given"] = ["Jeanne"]
        like, _ = waiting(world, body)
        unlike, _ = waiting(world, bundle(entry(patient(fresh(), family="Zygmuntowicz"))))
        alike = [world.get("odile", f"{PATH}/{id}").json()["persons"][0]["alike"] for id in (like, unlike)]
        assert alike == [True, False]

    def test_tells_of_each_in_one_question(self, world: World):
        jeanne = {**patient(fresh(), "q", "MOREAU"), "birthDate": "1944-05-12"}
        jeanne["name"][0]["given"] = ["Jeanne"]
        nameless = {k: v for k, v in patient(fresh(), "r").items() if k not in ("name", "birthDate", "_birthDate")}
        one, _ = waiting(world, bundle(entry(patient(fresh(), family="Zygmuntowicz"))))
        three, _ = waiting(
            world, bundle(entry(patient(fresh(), family="Zygmuntowicz")), entry(jeanne), entry(nameless))
        )
        with world.statements() as for_one:
            world.get("odile", f"{PATH}/{one}")
        with world.statements() as for_three:
            persons = world.get("odile", f"{PATH}/{three}").json()["persons"]
        assert [person["alike"] for person in persons] == [False, True, False]
        asked = [
            [sql for sql in each.sql if "set_config" not in sql] for each in (for_one, for_three)
        ]  # told once a line
        assert len(asked[0]) == len(asked[1])

    def test_who_may_not_look_for_doubles_is_not_told_of_them(self, world: World):
        id, _ = waiting(world, project(fresh()))
        answers = {who: world.get(who, f"{PATH}/{id}") for who in ("odile", "marc", "helene")}
        told = {who for who, each in answers.items() if each.json()["persons"][0]["alike"] is not None}
        assert told == {"odile", "marc"}
        request = answers["helene"].headers["x-request-id"]
        assert "look_for_double" not in {line["action"] for line in world.traces(request_id=request)}

    def test_names_from_their_row_who_is_patched(self, world: World):
        _, [(_, person, _)] = waiting(world, bundle(entry(patient(fresh(), family="Zygmuntowicz"))))
        body = bundle(change("PATCH", f"Patient/{person}", patch({"op": "remove", "path": "/gender"})))
        id, _ = waiting(world, body)
        [told] = world.get("odile", f"{PATH}/{id}").json()["persons"]
        assert (told["family_name"], told["birth_date"], told["alike"]) == ("Zygmuntowicz", "1955-08-14", None)

    def test_tells_nobody_of_who_is_named_too_little(self, world: World):
        nameless = {k: v for k, v in patient(fresh()).items() if k not in ("name", "birthDate", "_birthDate")}
        id, _ = waiting(world, bundle(entry(nameless)))
        [person] = world.get("odile", f"{PATH}/{id}").json()["persons"]
        assert (person["family_name"], person["birth_date"], person["alike"]) == ("", None, False)

    def test_leaves_a_trace_naming_who_was_told_of(self, world: World):
        id, told = waiting(world, project(fresh()))
        answer = world.get("odile", f"{PATH}/{id}")
        lines = world.traces(request_id=answer.headers["x-request-id"], kind="usager")
        assert told[-1][1] in {line["usager_id"] for line in lines}

    @pytest.mark.parametrize(("who", "status"), [("marc", 200), ("helene", 200), ("sonia", 403), ("leila", 403)])
    def test_is_read_by_role(self, world: World, who: str, status: int):
        assert world.get(who, PATH).status_code == status
        assert world.get(who, f"{PATH}/{waiting(world, project(fresh()))[0]}").status_code == status

    def test_is_closed_to_another_organisation(self, world: World):
        id, _ = waiting(world, project(fresh()))
        assert world.get("yann", f"{PATH}/{id}").status_code == 403

    def test_a_refused_bundle_is_in_it_without_rows(self, world: World):
        sent(world, b"{", "mdph")
        lines = world.get("odile", f"{PATH}?state=refused&limit=200").json()["items"]
        assert {line["outcome"] for line in lines} >= {"unreadable"}
        assert world.get("odile", f"{PATH}/{lines[0]['id']}").json()["rows"] == []


class TestAccept:
    def test_opens_the_rows_to_the_team_in_one_gesture(self, world: World):
        id, told = waiting(world, project(fresh()))
        accompanied(world, "leila", told[-1][1])
        answer = decide(world, "accept", id)
        assert (answer.status_code, answer.json()["state"]) == (200, "accepted")
        assert {world.get("leila", f"/fhir/{kind}/{i}").status_code for kind, i, _ in told} == {200}

    def test_the_sender_reads_the_same_as_before(self, world: World):
        body = project(fresh())
        id, told = waiting(world, body)
        decide(world, "accept", id)
        for each, (kind, i, _) in zip(body["entry"], told, strict=True):
            assert said(read_back(world, kind, i, "mdph")) == said(each["resource"])

    @pytest.mark.threat("sas-decided-by-others")
    def test_is_a_decision_of_the_secretary_or_the_chief(self, world: World):
        id, _ = waiting(world, project(fresh()))
        assert [decide(world, "accept", id, who).status_code for who in ("sonia", "helene", "yann")] == [403] * 3

    @pytest.mark.threat("sas-decided-by-others")
    def test_is_taken_once(self, world: World):
        id, _ = waiting(world, project(fresh()))
        assert [decide(world, "accept", id).status_code for _ in "ab"] == [200, 409]

    def test_the_same_key_is_served_once(self, world: World):
        id, _ = waiting(world, project(fresh()))
        key = {"Idempotency-Key": str(uuid4())}
        first, again = (world.post("odile", f"{PATH}/{id}/accept", None, headers=key) for _ in "ab")
        assert (first.status_code, again.status_code, again.json()["state"]) == (200, 200, "accepted")

    def test_leaves_its_line_of_trail(self, world: World):
        id, _ = waiting(world, project(fresh()))
        answer = decide(world, "accept", id)
        acts = {(t["action"], t["kind"]) for t in world.traces(request_id=answer.headers["x-request-id"])}
        assert {("accept", "exchange"), ("update", "usager"), ("update", "project"), ("update", "goal")} <= acts

    def test_of_another_organisation_s_is_not_found(self, world: World):
        assert decide(world, "accept", uuid4()).status_code == 404

    def test_the_next_sending_waits_too(self, world: World):
        local = fresh()
        id, _ = waiting(world, project(local))
        decide(world, "accept", id)
        again, told = waiting(world, project(local, title="Changé"))
        assert again != id
        row = row_of(world, told[1][1])
        assert (row["held"], row["version"]) == (False, told[1][2] + 1)

    @pytest.mark.threat("object-after-death")
    @pytest.mark.parametrize("beside", [False, True], ids=["again", "after_the_team_wrote"])
    def test_a_death_told_by_it_closes_what_was_open_then_and_not_before(self, world: World, beside: bool):
        local, (_, id, _) = self.someone(world)
        if beside:
            written_by_the_team(world, id)
        exchange, _ = waiting(world, bundle(entry({**patient(local), "deceasedDateTime": str(today())})))
        assert self.open_still(world, id) == {"mandate": None, "sharing_consent": None, "personal_access": None}
        answer = decide(world, "accept", exchange)
        assert answer.status_code == 200, answer.text
        ended = self.open_still(world, id)
        assert (ended["mandate"], ended["sharing_consent"]) == (today(), today())
        assert ended["personal_access"] is not None

    def someone(self, world: World) -> tuple[str, tuple[str, UUID, int]]:
        """A newcomer, accepted, with a mandate, a yes and a card."""
        local = fresh()
        exchange, [told] = waiting(world, bundle(entry(patient(local))))
        decide(world, "accept", exchange)
        at = {"usager_id": told[1], "structure_id": world.ids["ime"]}
        yes = {"kind": "partage", "question": "?", "if_yes": "a", "if_no": "b", "answer": "yes", "categories": ["care"]}
        mandate = {"contact_id": uuid4(), "kind": "tutelle", "scope": "both", "effect": "representation", "opens": []}
        world.add(
            SharingConsent(partner_id=world.ids["chu"], starts=date(2026, 1, 1), **yes, **at),
            Mandate(starts=date(2026, 1, 1), confirmed_at=now(), **mandate, **at),
        )
        world.ids["newcomer"] = told[1]
        world.card("newcomer")
        return local, told

    def open_still(self, world: World, id: UUID) -> dict[str, Any]:
        ends = {"mandate": "ends", "sharing_consent": "ends", "personal_access": "revoked_at"}
        return {
            table: world.rows(f"SELECT {day} FROM {table} WHERE usager_id = $1", id)[0][0]
            for table, day in ends.items()
        }


class TestRefuse:
    def test_leaves_the_rows_to_their_sender(self, world: World):
        id, told = waiting(world, project(fresh()))
        accompanied(world, "leila", told[-1][1])
        assert decide(world, "refuse", id).json()["state"] == "refused"
        assert read_back(world, *told[0][:2], "mdph")
        assert world.get("leila", f"/fhir/{told[0][0]}/{told[0][1]}").status_code == 404

    def test_is_final(self, world: World):
        id, _ = waiting(world, project(fresh()))
        decide(world, "refuse", id)
        assert decide(world, "accept", id).status_code == 409


class TestAttach:
    def to(self, world: World, id: UUID, usager: str = "lucas", **more: Any) -> Any:
        return decide(world, "attach", id, body={"usager_id": str(world.ids[usager]), **more})

    def test_gives_the_rows_to_the_person_who_is_here(self, world: World):
        id, told = waiting(world, project(fresh()))
        assert self.to(world, id).json()["state"] == "accepted"
        accompanied(world, "leila", world.ids["lucas"])
        rows = [row_of(world, i) for _, i, _ in told[:3]]
        assert {(row["usager_id"], row["held"]) for row in rows} == {(world.ids["lucas"], False)}
        assert world.get("leila", f"/fhir/Goal/{told[0][1]}").status_code == 200

    @pytest.mark.threat("partner-learns-by-sending")
    def test_the_sender_reads_the_same_and_learns_nothing(self, world: World):
        body = project(fresh())
        id, told = waiting(world, body)
        self.to(world, id)
        for each, (kind, i, _) in zip(body["entry"], told, strict=True):
            back = read_back(world, kind, i, "mdph")
            assert said(back) == said(each["resource"])
            assert str(world.ids["lucas"]) not in str(back)

    def test_the_sender_learns_nothing_once_the_team_has_written(self, world: World):
        body = project(fresh())
        id, told = waiting(world, body)
        self.to(world, id)
        written_by_the_team(world, told[0][1])
        back = read_back(world, "Goal", told[0][1], "mdph")
        assert said(back) == said(body["entry"][0]["resource"])
        assert back["subject"] == {"reference": f"Patient/{told[-1][1]}"}
        for query in (
            "Goal?patient={0}",
            "Goal?patient={0},{0}",
            "Patient?_id={0}&_revinclude=Goal:patient",
            "Goal?patient._id={0}",
            "Goal?patient:Patient._id={0}&_include=Goal:patient",
        ):
            found = world.get("mdph", f"/fhir/{query.format(told[-1][1])}").json()
            if "._id" not in query:  # of a former version nobody can tell what it led to
                assert str(told[0][1]) in str(found)
            assert str(world.ids["lucas"]) not in str(found)

    @pytest.mark.threat("partner-learns-by-sending", "search-chain", "search-include")
    def test_the_sender_chains_by_the_person_it_knows(self, world: World):
        id, told = waiting(world, project(fresh()))
        self.to(world, id)
        person, goal = str(told[-1][1]), str(told[0][1])
        found = world.get("mdph", f"/fhir/Goal?patient._id={person}&_include=Goal:patient").json()
        entries = [(entry["resource"]["resourceType"], entry["resource"]["id"]) for entry in found["entry"]]
        assert ("Goal", goal) in entries
        assert ("Patient", person) in entries
        assert str(world.ids["lucas"]) not in str(found)

    @pytest.mark.threat("partner-learns-by-sending", "search-chain", "search-include")
    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ("Goal?patient={person},{other}", {"goal"}),
            ("Goal?patient={person},{person}", {"goal"}),
            ("Goal?subject=Patient/{other},Patient/{person}", {"goal"}),
            ("Goal?patient={person}&subject={person},{other}", {"goal"}),
            ("Goal?patient={other},{other}", set()),
            ("Goal?patient._has:Goal:patient:_id={goal}", {"goal"}),
            ("Patient?_has:Goal:patient:_id={goal}", {"person"}),
            ("Patient?_has:Goal:subject:patient={person},{other}", {"person"}),
            ("Patient?_has:Goal:subject:patient={person}", {"person"}),
            ("Patient?_has:Goal:patient:_id={other}", set()),
            ("Patient?_id={person}&_revinclude=Goal:patient", {"person", "goal"}),
            ("Patient?_id={person}&_revinclude=Goal:subject&_include:iterate=Goal:patient", {"person", "goal"}),
        ],
    )
    def test_the_sender_finds_by_the_person_it_knows_in_every_form(self, world: World, query: str, names: set[str]):
        id, told = waiting(world, project(fresh()))
        self.to(world, id)
        ids = {"person": str(told[-1][1]), "goal": str(told[0][1]), "other": str(world.ids["karim"])}
        answer = world.get("mdph", f"/fhir/{query.format(**ids)}")
        found = [entry["resource"]["id"] for entry in answer.json().get("entry", [])]  # with what tests sent before
        assert {name for name, one in ids.items() if one in found} == names
        assert len(found) == len({*found})
        assert str(world.ids["lucas"]) not in answer.text

    @pytest.mark.threat("partner-learns-by-sending", "search-chain", "search-include")
    def test_who_reads_both_is_not_told_that_they_are_one(self, world: World):
        """Allowed to read the person who is here, the sender finds what it sent by the one it knows, and the team's by
        the other."""
        lucas = str(world.ids["lucas"])
        sent_as = []
        for _ in range(2):
            id, told = waiting(world, project(fresh()))
            self.to(world, id)
            sent_as.append((str(told[-1][1]), told[0][1]))
        (person, goal), (_, theirs) = sent_as
        world.rows("UPDATE goal SET origin_partner_id = NULL, extra = NULL WHERE id = $1", theirs)
        grant(world, who="mdph")
        world.rows("UPDATE sharing_consent SET categories = ARRAY['administrative', 'support']")
        asked = {
            f"Patient?_has:Goal:patient:_id={goal}": {person},
            f"Patient?_has:Goal:patient:_id={theirs}": {lucas},
            f"Patient?_id={person}&_revinclude=Goal:patient": {person, str(goal)},
        }
        answers = {query: world.get("mdph", f"/fhir/{query}") for query in asked}
        back = world.get("mdph", f"/fhir/Patient?_id={lucas}&_revinclude=Goal:patient").json()
        world.rows("DELETE FROM sharing_consent")
        found = {
            query: {entry["resource"]["id"] for entry in a.json().get("entry", ())} for query, a in answers.items()
        }
        assert found == asked
        brought = {entry["resource"]["id"] for entry in back["entry"]}
        assert str(theirs) in brought
        assert str(goal) not in brought
        last = answers[f"Patient?_id={person}&_revinclude=Goal:patient"].headers["x-request-id"]
        assert not any(theirs in line["entry_ids"] for line in world.traces(request_id=last))

    def test_finding_whom_it_knows_is_one_statement_more_however_many(self, world: World):
        id, told = waiting(world, project(fresh()))
        self.to(world, id)
        person, goal, karim = told[-1][1], told[0][1], world.ids["karim"]
        statements = {
            f"Goal?_id={goal}": 1,
            f"Goal?patient={person}": 2,
            f"Goal?patient={person},{karim}&subject={karim},{person}": 2,
            f"Patient?_has:Goal:patient:_id={goal}": 1,
            f"Patient?_id={person}&_revinclude=Goal:patient": 3,
            f"Goal?_id={goal}&_include=Goal:patient": 2,
        }
        for query, most in statements.items():
            world.get("mdph", f"/fhir/{query}")
            with world.statements() as counted:
                world.get("mdph", f"/fhir/{query}")
            assert len(counted) == most, (query, counted.sql)

    @pytest.mark.parametrize("edited", [False, True])
    def test_two_persons_of_a_sender_keep_each_their_id(self, world: World, edited: bool):
        id, both = waiting(world, two_persons("qp"))
        for person in both[:2]:
            self.to(world, id, person_id=str(person[1]))
        if edited:
            for _, row, _ in both[2:]:
                written_by_the_team(world, row)
        named = [read_back(world, kind, i, "mdph")["subject"]["reference"] for kind, i, _ in both[2:]]
        assert named == [f"Patient/{both[1][1]}", f"Patient/{both[0][1]}"]

    @pytest.mark.parametrize("edited", [False, True])
    def test_and_so_do_their_later_sendings(self, world: World, edited: bool):
        sent_as = []
        for local in (fresh(), fresh()):
            id, _ = waiting(world, bundle(entry(goal(1, local)), entry(patient(local))))
            assert self.to(world, id).status_code == 200
            again, told = waiting(world, bundle(entry(goal(2, local)), entry(patient(local))))
            decide(world, "accept", again)
            sent_as.append(told)
        for [(kind, i, _), (_, person, _)] in sent_as:
            if edited:
                written_by_the_team(world, i)
            assert read_back(world, kind, i, "mdph")["subject"]["reference"] == f"Patient/{person}"

    def test_the_identity_declared_stays_its_sender_s_word(self, world: World):
        id, told = waiting(world, project(fresh()))
        self.to(world, id)
        [row] = world.rows("SELECT held FROM usager WHERE id = $1", told[-1][1])
        assert row["held"]

    def test_the_next_sending_of_the_same_person_goes_there(self, world: World):
        local = fresh()
        id, _ = waiting(world, project(local))
        self.to(world, id)
        again, told = waiting(world, bundle(entry(goal(9, local)), entry(patient(local))))
        decide(world, "accept", again)
        row = row_of(world, told[0][1])
        assert (row["usager_id"], row["held"]) == (world.ids["lucas"], False)
        assert identity(world, told[1][1]) == THEIR_WORD
        read = {who: world.get(who, f"/fhir/Goal/{told[0][1]}").json() for who in ("marc", "mdph")}
        assert read["marc"]["subject"]["reference"] == f"Patient/{world.ids['lucas']}"
        assert read["mdph"]["subject"]["reference"] == f"Patient/{told[1][1]}"

    def test_a_number_that_they_declare_later_is_their_word_too(self, world: World):
        local = fresh()
        id, told = waiting(world, project(local))
        self.to(world, id)
        more = patient(local)
        more["identifier"] = [*more["identifier"], {"system": "https://chu.test/dossiers", "value": local}]
        world.rows("UPDATE partner_structure SET accepts = true WHERE partner_id = $1", world.ids["mdph"])
        taken(world, bundle(entry(more)), who="mdph")
        world.rows("UPDATE partner_structure SET accepts = false WHERE partner_id = $1", world.ids["mdph"])
        numbers = world.rows("SELECT held FROM usager_identifier WHERE usager_id = $1", told[-1][1])
        assert [row["held"] for row in numbers] == [True, True]

    def test_takes_the_earlier_bundles_of_that_person_along(self, world: World):
        local = fresh()
        first, _ = waiting(world, project(local))
        second, told = waiting(world, bundle(entry(goal(9, local))))
        self.to(world, second)
        states = world.rows("SELECT state FROM exchange WHERE id = ANY($1)", [first, second])
        assert [row["state"] for row in states] == ["accepted", "accepted"]
        row = row_of(world, told[0][1])
        assert row["usager_id"] == world.ids["lucas"]

    def test_of_two_persons_asks_which(self, world: World):
        id, told = waiting(world, two_persons())
        assert self.to(world, id).status_code == 422
        answer = self.to(world, id, person_id=str(told[1][1]))
        assert (answer.status_code, answer.json()["state"]) == (200, "to_attach")
        row = row_of(world, told[2][1])
        assert row["usager_id"] == world.ids["lucas"]

    def test_of_two_persons_the_other_may_be_created(self, world: World):
        id, told = waiting(world, two_persons())
        self.to(world, id, person_id=str(told[1][1]))
        assert decide(world, "accept", id).json()["state"] == "accepted"
        assert identity(world, told[0][1]) == {("usager", False), ("number", False)}
        assert identity(world, told[1][1]) == THEIR_WORD

    def test_of_two_persons_the_other_may_be_refused(self, world: World):
        id, told = waiting(world, two_persons())
        self.to(world, id, person_id=str(told[1][1]))
        assert decide(world, "refuse", id).json()["state"] == "accepted"
        assert identity(world, told[0][1]) == THEIR_WORD
        row = row_of(world, told[2][1])
        assert not row["held"]

    def test_of_two_persons_the_sender_reads_what_became_of_each(self, world: World):
        id, told = waiting(world, two_persons())
        self.to(world, id, person_id=str(told[1][1]))
        decide(world, "refuse", id)
        tags = [read_back(world, kind, i, "mdph")["meta"]["tag"] for kind, i, _ in told]
        assert [tag["code"] for [tag] in tags] == ["refused", "accepted", "accepted"]

    def test_who_waits_for_nothing_does_not_keep_the_bundle_waiting(self, world: World):
        first = fresh()
        id, _ = waiting(world, project(first))
        self.to(world, id)
        id, told = waiting(world, bundle(entry(patient(first)), entry(patient(fresh(), "q", "PETIT"))))
        assert self.to(world, id, "karim").json()["state"] == "accepted"
        assert identity(world, told[0][1]) == identity(world, told[1][1]) == THEIR_WORD

    def test_what_waits_of_the_same_person_keeps_the_bundle_waiting(self, world: World):
        first = fresh()
        id, _ = waiting(world, project(first))
        self.to(world, id)
        later = bundle(entry(goal(9, first)), entry(patient(first)), entry(patient(fresh(), "q", "PETIT")))
        id, told = waiting(world, later)
        assert self.to(world, id, person_id=str(told[2][1])).json()["state"] == "to_attach"
        assert decide(world, "accept", id).json()["state"] == "accepted"
        row = row_of(world, told[0][1])
        assert (row["usager_id"], row["held"]) == (world.ids["lucas"], False)

    def test_what_waits_beside_keeps_the_bundle_waiting(self, world: World):
        first = fresh()
        id, told = waiting(world, project(first))
        decide(world, "accept", id)
        written_by_the_team(world, told[0][1])
        changed = {**goal(1, first), "description": {"text": "Autrement."}}
        later = bundle(entry(changed), entry(patient(first)), entry(patient(fresh(), "q", "PETIT")))
        id, _ = waiting(world, later)
        assert self.to(world, id).json()["state"] == "to_attach"
        decide(world, "accept", id)
        row = row_of(world, told[0][1])
        assert row["version"] == row["origin_version"]

    def test_what_was_refused_before_goes_along_and_stays_refused(self, world: World):
        local = fresh()
        refused, before = waiting(world, project(local))
        decide(world, "refuse", refused)
        id, told = waiting(world, bundle(entry(goal(9, local)), entry(patient(local))))
        assert self.to(world, id).json()["state"] == "accepted"
        rows = [row_of(world, i) for i in (before[0][1], told[0][1])]
        assert [(row["usager_id"], row["held"]) for row in rows] == [
            (world.ids["lucas"], True),
            (world.ids["lucas"], False),
        ]
        back = read_back(world, *before[0][:2], "mdph")
        assert (back["meta"]["tag"][0]["code"], back["subject"]["reference"]) == ("refused", f"Patient/{told[1][1]}")

    def test_to_nobody_is_not_found(self, world: World):
        id, _ = waiting(world, project(fresh()))
        answer = decide(world, "attach", id, body={"usager_id": str(uuid4())})
        assert answer.status_code == 404

    def test_who_has_a_dossier_already_is_not_attached(self, world: World):
        local = fresh()
        id, _ = waiting(world, project(local))
        decide(world, "accept", id)
        again, _ = waiting(world, project(local, title="Changé"))
        assert self.to(world, again).status_code == 409


class TestTwoStructures:
    """A partner that sends to two structures; a secretary who decides in one of them."""

    def to(self, world: World, id: UUID, who: str) -> Any:
        return decide(world, "attach", id, who, {"usager_id": str(world.ids["lucas"])})

    def both(self, world: World, *order: str) -> tuple[list[UUID], list[UUID]]:
        """The two bundles, the second with one more goal and another word; the goals."""
        local = fresh()
        first = bundle(entry(goal(1, local)), entry(patient(local)))
        changed = {**goal(1, local), "description": {"text": "Autrement."}}
        second = bundle(entry(changed), entry(goal(2, local)), entry(patient(local)))
        one, _ = waiting(world, first, order[0])
        two, told = waiting(world, second, order[1])
        return [one, two], [told[0][1], told[1][1]]

    @pytest.mark.parametrize(("order", "mine"), [(("mdph", "mdph_mecs"), 0), (("mdph_mecs", "mdph"), 1)])
    def test_who_decides_in_one_is_told_to_ask(self, world: World, order: tuple[str, str], mine: int):
        bundles, goals = self.both(world, *order)
        answer = self.to(world, bundles[mine], "nadia")
        assert (answer.status_code, answer.json()["code"]) == (409, "exchange.elsewhere")
        states = world.rows("SELECT state FROM exchange WHERE id = ANY($1)", bundles)
        assert {row["state"] for row in states} == {"to_attach"}
        assert all(row_of(world, id)["held"] for id in goals)

    def test_what_was_refused_in_the_other_is_not_moved_without_it(self, world: World):
        bundles, _ = self.both(world, "mdph", "mdph_mecs")
        decide(world, "refuse", bundles[1])
        answer = self.to(world, bundles[0], "nadia")
        assert (answer.status_code, answer.json()["code"]) == (409, "exchange.elsewhere")

    def test_who_decides_in_both_attaches_all_of_it_as_it_came_last(self, world: World):
        bundles, goals = self.both(world, "mdph_mecs", "mdph")
        assert self.to(world, bundles[1], "odile").json()["state"] == "accepted"
        states = world.rows("SELECT state FROM exchange WHERE id = ANY($1)", bundles)
        assert [row["state"] for row in states] == ["accepted", "accepted"]
        rows = [row_of(world, id) for id in goals]
        assert {(row["usager_id"], row["held"]) for row in rows} == {(world.ids["lucas"], False)}
        assert all(row["version"] == row["origin_version"] for row in rows)
        assert read_back(world, "Goal", goals[0], "mdph")["description"]["text"] == "Autrement."


class TestErasing:
    def test_a_person_takes_their_bundles_bodies_along(self, world: World):
        id, told = waiting(world, project(fresh()))
        world.rows("DELETE FROM usager_key WHERE usager_id = $1", told[-1][1])
        [line] = world.rows("SELECT body, body_key FROM exchange WHERE id = $1", id)
        assert (line["body"], line["body_key"]) == (None, None)
        assert world.rows("SELECT * FROM external_id WHERE usager_id = $1", told[-1][1]) == []
        assert world.get("odile", f"{PATH}/{id}").json()["persons"] == []

    def test_takes_along_who_was_attached_to_them(self, world: World):
        id, told = waiting(world, project(fresh()))
        decide(world, "attach", id, body={"usager_id": str(world.ids["ines"])})
        world.rows("DELETE FROM usager_key WHERE usager_id = $1", world.ids["ines"])
        assert world.rows("SELECT * FROM usager_key WHERE usager_id = $1", told[-1][1]) == []


class TestOvertaken:
    """The team has written since: what comes again stands beside, and waits."""

    def overtaken(self, world: World) -> tuple[str, tuple[str, UUID, int]]:
        local = fresh()
        told = taken(world, project(local))
        goal_row = told[0]
        written_by_the_team(world, goal_row[1])
        return local, goal_row

    def again(self, world: World, local: str, text: str = "Autrement.") -> Any:
        return taken(world, self.said(local, text))[0]

    def said(self, local: str, text: str) -> Any:
        return bundle(entry({**goal(1, local), "description": {"text": text}}))

    def twice(self, world: World) -> tuple[str, UUID, list[UUID]]:
        """Said again, and yet again: the row, and the two bundles that wait."""
        local, (_, id, _) = self.overtaken(world)
        for text in ("D'abord.", "Ensuite."):
            self.again(world, local, text)
        waits = world.rows("SELECT exchange_id FROM exchange_row WHERE row_id = $1 AND beside ORDER BY version", id)
        return local, id, [row["exchange_id"] for row in waits]

    @pytest.mark.threat("partner-overwrites-the-team")
    def test_it_never_replaces_the_team_s(self, world: World):
        local, (_, id, _) = self.overtaken(world)
        before = row_of(world, id)
        _, same, version = self.again(world, local)
        after = row_of(world, id)
        assert (same, version) == (id, 3)
        assert (after["extra"], after["version"], after["origin_version"]) == (before["extra"], 4, 3)

    def test_its_sender_reads_its_own(self, world: World):
        local, (kind, id, _) = self.overtaken(world)
        self.again(world, local)
        assert read_back(world, kind, id)["description"]["text"] == "Autrement."

    def test_accepting_puts_it_in_place(self, world: World):
        local, (kind, id, _) = self.overtaken(world)
        self.again(world, local)
        [row] = world.rows("SELECT exchange_id FROM exchange_row WHERE row_id = $1 AND beside", id)
        assert decide(world, "accept", row["exchange_id"]).status_code == 200
        after = row_of(world, id)
        assert (after["version"], after["origin_version"], after["held"]) == (5, 5, False)
        assert read_back(world, kind, id)["description"]["text"] == "Autrement."

    def test_each_version_is_kept_once(self, world: World):
        local, (_, id, _) = self.overtaken(world)
        self.again(world, local)
        kept = world.rows("SELECT version, held FROM entry_version WHERE entry_id = $1 ORDER BY version", id)
        assert [tuple(row) for row in kept] == [(1, False), (3, True), (4, False)]

    @pytest.mark.threat("partner-overwrites-the-team")
    @pytest.mark.parametrize("edited", [False, True], ids=["as_accepted", "edited_since"])
    def test_an_older_word_never_replaces_a_later_one(self, world: World, edited: bool):
        _, id, [first, second] = self.twice(world)
        assert decide(world, "accept", second).json()["left_out"] == []
        if edited:
            written_by_the_team(world, id)
        before = row_of(world, id)
        answer = decide(world, "accept", first)
        assert (answer.status_code, answer.json()["state"]) == (200, "accepted")
        assert answer.json()["left_out"] == [str(id)]
        assert row_of(world, id) == before
        assert read_back(world, "Goal", id)["description"]["text"] == "Ensuite."

    def test_the_journal_says_what_was_left_out_and_its_sender_is_answered_as_before(self, world: World):
        local, _, [first, second] = self.twice(world)
        for exchange in (second, first):
            decide(world, "accept", exchange)
        whole = [world.get("odile", f"{PATH}/{exchange}").json() for exchange in (first, second)]
        codes = [[w["code"] for w in each["rows"][0]["warnings"]] for each in whole]
        assert "overtaken" in codes[0]
        assert [len(each) for each in codes] == [each["exchange"]["warnings"] for each in whole]
        assert "overtaken" not in codes[1]
        again = sent(world, self.said(local, "D'abord."), "chu")
        assert again.status_code == 200
        assert "overtaken" not in again.text

    def test_in_the_order_they_came_each_takes_its_place(self, world: World):
        _, id, bundles = self.twice(world)
        told = []
        for exchange in bundles:
            assert decide(world, "accept", exchange).json()["left_out"] == []
            told.append(read_back(world, "Goal", id)["description"]["text"])
        assert told == ["D'abord.", "Ensuite."]

    def test_an_older_word_takes_its_place_when_the_later_was_refused(self, world: World):
        _, id, [first, second] = self.twice(world)
        decide(world, "refuse", second)
        assert decide(world, "accept", first).json()["left_out"] == []
        assert read_back(world, "Goal", id)["description"]["text"] == "D'abord."

    def test_what_was_deleted_by_a_later_word_stays_so(self, world: World):
        local, (_, id, _) = self.overtaken(world)
        self.again(world, local)
        assert world.client.delete(f"/fhir/Goal/{id}", headers=world.bearers["chu"]).status_code in (200, 204)
        waits = world.rows("SELECT exchange_id FROM exchange_row WHERE row_id = $1 AND beside ORDER BY version", id)
        said, deleted = (row["exchange_id"] for row in waits)
        decide(world, "accept", deleted)
        assert decide(world, "accept", said).json()["left_out"] == [str(id)]
        assert row_of(world, id)["deleted_at"] is not None

    def test_a_word_taken_at_once_is_a_later_one_too(self, world: World):
        """The second is accepted, a third takes its place by itself; the first has waited."""
        local, id, [first, second] = self.twice(world)
        decide(world, "accept", second)
        self.again(world, local, "Enfin.")
        assert decide(world, "accept", first).json()["left_out"] == [str(id)]
        assert read_back(world, "Goal", id)["description"]["text"] == "Enfin."

    def test_to_say_what_waits_already_is_no_later_word_taken(self, world: World):
        _, id, [first, _] = self.twice(world)
        headers = {**world.bearers["chu"], "Content-Type": "application/fhir+json"}
        body = orjson.dumps(read_back(world, "Goal", id))
        assert world.client.put(f"/fhir/Goal/{id}", content=body, headers=headers).status_code == 200
        assert decide(world, "accept", first).json()["left_out"] == []
