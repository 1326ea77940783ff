"""The copy of a dossier: all that the person may get, counted against SQL; nothing of an alert, of others, of care alone."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.access.acts import ACTS, Act
from app.access.models import Handover, TeamMember
from app.features.alerts.models import Alert
from app.features.contacts.models import Contact
from app.features.judicial.models import JudicialDecision
from app.features.transmissions.models import Transmission
from app.kernel.db import Base, Database
from app.kernel.errors import Forbidden, NotFound
from app.kernel.ids import uuid7
from app.security.principal import Role
from app.vault import restore
from app.vault.copy import rules
from app.vault.copy.gather import Copy, prepare
from app.vault.copy.page import ALWAYS, page
from app.vault.copy.places import LEFT_OUT, TECHNICAL, TOLD, label
from tests.cli.conftest import typed  # noqa: F401  the package of commands is imported once
from tests.postgres import TestDatabase, ask
from tests.vault.leaving import acted
from tests.vault.test_upgrade import OLDER, keyring
from tests.world import World

TODAY = date(2026, 11, 22)
# Ids, names of persons by their id, and codes: for a program, in the JSON only.
FOR_PROGRAMS = re.compile(r"id|.*_(id|ids|by|kind)|sealed|extra|zone|on_behalf_of|version")
# What SQL counts of the older demonstration, written apart from the rules: nothing there is withheld, held or an alert.
EARLIER = """SELECT array_agg(v.entry_id || ' ' || v.version) FROM entry_version v JOIN {0} t
    ON t.organisation_id = v.organisation_id AND t.id = v.entry_id AND v.version < t.version WHERE t.usager_id = '{1}'
    AND v.kind <> 'alert'"""
COUNT = "SELECT count(*) FROM {} WHERE usager_id = '{}' {}"


def copied(world: World, who: str = "jeanne", by: str = "helene", care: str | None = "leila") -> Copy:
    account = world.ids[f"{by}_account"]
    other = world.ids[f"{care}_account"] if care else None
    return acted(world, lambda s: prepare(s, world.keyring, world.ids[who], account, other))


def texts(copy: Copy) -> str:
    return copy.json().decode() + page(copy)


def note(world: World, text: str, **said: Any) -> None:
    """A note as the base holds it, whatever the doors allow."""
    id = uuid7()
    common = {"usager_id": world.ids["jeanne"], "structure_id": world.ids["ehpad"], "author_id": world.ids["sonia"]}
    world.add(Transmission(**{"id": id, "thread_id": id, "kind": "narrative", "text": text, **common, **said}))


class TestPlaces:
    @pytest.mark.threat("copy-incomplete")
    def test_every_table_about_a_person_is_told_or_left_out_for_a_reason(self) -> None:
        known = {name for name, table in Base.metadata.tables.items() if "usager_id" in table.columns}
        assert known == set(TOLD) | set(LEFT_OUT)
        assert not set(TOLD) & set(LEFT_OUT)
        assert all(LEFT_OUT.values())

    @pytest.mark.threat("copy-incomplete")
    def test_every_column_told_has_its_words(self) -> None:
        columns = {c.name for name in TOLD for c in Base.metadata.tables[name].columns} - TECHNICAL
        assert sorted(c for c in columns if not label(c) and not FOR_PROGRAMS.fullmatch(c)) == []


@pytest.mark.threat("copy-incomplete")
def test_each_row_of_a_rich_dossier_is_counted_by_sql(empty: TestDatabase, tmp_path: Path) -> None:
    """The demonstration of an older version: a project, an agenda, questions, contacts, an emergency."""
    file = next(path for path in OLDER if path.stem == "0012")
    ring = keyring(file, tmp_path)
    restore.restore(empty.owner_url, file, ring, tmp_path)
    find = "SELECT account_id FROM professional JOIN membership m ON m.professional_id = professional.id WHERE m.role = '{}'"
    direction = UUID(str(ask(empty.owner_url, find.format("direction"))))
    nurse = UUID(str(ask(empty.owner_url, find.format("infirmier"))))

    async def all_of(work: Callable[[Any], Awaitable[Copy]]) -> Copy:
        base = Database(empty.owner_url, 1)
        try:
            async with base.session(None) as session:
                return await work(session)
        finally:
            await base.close()

    seen: dict[str, int] = {}
    earlier = 0
    for id in str(ask(empty.owner_url, "SELECT string_agg(id::text, ' ') FROM usager")).split():
        copy = asyncio.run(all_of(lambda s, id=id: prepare(s, ring, UUID(id), direction, nurse)))  # type: ignore[misc]
        for table, rows in copy.sections.items():
            dossier = "author_kind" in Base.metadata.tables[table].columns
            more = "AND NOT (author_kind = 'representative' AND visibility = 'not_shared')" if dossier else ""
            assert len(rows) == ask(empty.owner_url, COUNT.format(table, id, more)), table
            if "id" in Base.metadata.tables[table].columns:
                ids = ask(empty.owner_url, f"SELECT array_agg(id::text) FROM {table} WHERE usager_id = '{id}' {more}")
                assert {row["id"] for row in rows} == set(ids or [])
            seen[table] = seen.get(table, 0) + len(rows)
            if "version" in Base.metadata.tables[table].columns:
                told = {(row["id"], v["version"]) for row in rows for v in row.get("earlier", ())}
                before = ask(empty.owner_url, EARLIER.format(table, id))
                assert told == {(one.split()[0], int(one.split()[1])) for one in before or ()}, table
                earlier += len(told)
    assert earlier
    assert {table for table, count in seen.items() if count} >= {
        "usager", "contact", "mandate", "stay", "team_member", "project", "goal", "action", "agreement",
        "event_participant", "transmission", "sharing_consent", "consent_answer", "emergency_access", "personal_access",
    }  # fmt: skip


class TestEarlier:
    """What a row was before: who wrote it, when, and what the next version changed."""

    def changed(self, world: World, **said: Any) -> str:
        body = {"usager_id": str(world.ids["jeanne"]), "structure_id": str(world.ids["ehpad"]), "text": "A DORMI TARD"}
        place = world.post("sonia", "/api/v1/transmissions", {"kind": "narrative", **body, **said}).headers["location"]
        reason = {"correction_reason": "Erreur."}
        assert world.patch("sonia", place, {"text": "A DORMI TOT", **reason}, 1).status_code == 200
        assert world.patch("sonia", place, {"text": "A BIEN DORMI", **reason}, 2).status_code == 200
        return str(place.rpartition("/")[2])

    def told(self, world: World, id: str, **more: Any) -> dict[str, Any]:
        [row] = [row for row in copied(world, **more).sections["transmission"] if row["id"] == id]
        return row

    def test_each_is_told_with_who_and_when(self, world: World) -> None:
        row = self.told(world, self.changed(world))
        assert [(v["version"], v["text"]) for v in row["earlier"]] == [(1, "A DORMI TARD"), (2, "A DORMI TOT")]
        assert {v["by"] for v in row["earlier"]} == {"une personne de l'équipe éducative"}
        days = [datetime.fromisoformat(v["at"]) for v in row["earlier"]]
        assert days == sorted(days)
        assert row["text"] == "A BIEN DORMI"

    def test_only_what_changed_is_said_again(self, world: World) -> None:
        row = self.told(world, self.changed(world))
        assert {name for v in row["earlier"] for name in v} <= {
            "version",
            "at",
            "by",
            "text",
            "correction_reason",
            "status_changed_at",
        }

    def test_the_page_tells_it_under_the_row(self, world: World) -> None:
        self.changed(world)
        told = page(copied(world))
        assert told.index("A BIEN DORMI") < told.index("A DORMI TOT") < told.index("A DORMI TARD")
        assert "Avant : écrit le " in told

    @pytest.mark.threat("copy-tells-others")
    def test_what_is_masked_since_is_masked_then(self, world: World) -> None:
        id = self.changed(world)
        world.rows(
            "UPDATE transmission SET visibility = 'withheld', withheld_reason = 'third_party' WHERE id = $1", UUID(id)
        )
        told = texts(copied(world))
        assert [w for w in ("A DORMI TARD", "A DORMI TOT", "A BIEN DORMI") if w in told.partition(id)[2][:2000]] == []

    @pytest.mark.threat("copy-tells-others")
    def test_a_version_withheld_then_stays_out(self, world: World) -> None:
        """Shown since: what stood while it was withheld is not told for that."""
        id = self.changed(world)
        [row] = world.rows("SELECT wrapped FROM usager_key WHERE usager_id = $1", world.ids["jeanne"])
        key = world.keyring.usager_key(row["wrapped"], str(world.ids["jeanne"]))
        about = f"transmission:{id}:1"
        [line] = world.rows("SELECT snapshot FROM entry_version WHERE entry_id = $1 AND version = 1", UUID(id))
        then = json.loads(key.open(line["snapshot"], about))
        sealed = key.seal(
            json.dumps({**then, "visibility": "withheld", "withheld_reason": "procedure"}).encode(), about
        )
        world.rows("UPDATE entry_version SET snapshot = $2 WHERE entry_id = $1 AND version = 1", UUID(id), sealed)
        assert [v["version"] for v in self.told(world, id)["earlier"]] == [2]

    def test_care_of_then_is_care(self, world: World) -> None:
        id = self.changed(world)
        world.rows("UPDATE transmission SET category = 'support' WHERE id = $1", UUID(id))
        assert len(self.told(world, id, care=None)["earlier"]) == 2

    def test_a_mail_address_before(self, world: World) -> None:
        place = f"/api/v1/usagers/{world.ids['jeanne']}"
        version = world.get("odile", place).json()["version"]
        assert world.patch("odile", place, {"email": "avant@exemple.fr"}, version).status_code == 200
        assert world.patch("odile", place, {"email": "apres@exemple.fr"}, version + 1).status_code == 200
        [row] = copied(world).sections["usager"]
        assert (row["email"], row["earlier"][-1]["email"]) == ("apres@exemple.fr", "avant@exemple.fr")
        assert row["earlier"][-1]["by"] == "une personne du secrétariat"

    @pytest.mark.threat("copy-tells-others")
    def test_an_address_protected_since_is_closed_in_each(self, world: World) -> None:
        place = f"/api/v1/usagers/{world.ids['karim']}"
        version = world.get("odile", place).json()["version"]
        world.patch("odile", place, {"city": "VILLE-D-AVANT"}, version)
        world.patch("odile", place, {"city": "VILLE-CACHEE"}, version + 1)
        world.rows("UPDATE usager SET address_protected = true WHERE id = $1", world.ids["karim"])
        told = texts(copied(world, "karim"))
        world.rows("UPDATE usager SET address_protected = false WHERE id = $1", world.ids["karim"])
        assert ("VILLE-D-AVANT" in told, "VILLE-CACHEE" in told) == (False, False)


class TestWho:
    @pytest.mark.threat("copy-by-one-alone")
    @pytest.mark.parametrize("who", ["sonia", "marc", "leila", "odile", "yann"])
    def test_only_the_direction_prepares(self, world: World, who: str) -> None:
        with pytest.raises(Forbidden):
            copied(world, by=who)

    @pytest.mark.threat("copy-by-one-alone")
    @pytest.mark.parametrize("care", ["sonia", "odile", "helene", "yann"])
    def test_the_care_part_is_another_person_s_of_health(self, world: World, care: str) -> None:
        with pytest.raises(Forbidden):
            copied(world, care=care)

    @pytest.mark.threat("copy-by-one-alone")
    def test_nobody_is_two_persons(self, world: World) -> None:
        """Even with both roles."""
        world.rows(
            """INSERT INTO membership (organisation_id, id, professional_id, role, starts, version, recorded_at, updated_at)
               VALUES ($1, $2, $3, 'infirmier', '2020-01-01', 1, now(), now())""",
            world.organisation,
            uuid7(),
            world.ids["helene"],
        )
        with pytest.raises(Forbidden):
            copied(world, care="helene")

    @pytest.mark.threat("copy-by-one-alone")
    def test_whose_function_ended_prepares_nothing(self, world: World) -> None:
        world.hire("ex", Role.DIRECTION, "ehpad")
        world.rows("UPDATE membership SET ends = '2021-01-01' WHERE id = $1", world.ids["ex_membership"])
        with pytest.raises(Forbidden):
            copied(world, by="ex")

    @pytest.mark.threat("copy-by-one-alone")
    def test_who_was_taken_off_the_staff_prepares_nothing(self, world: World) -> None:
        world.hire("partie", Role.DIRECTION, "ehpad")
        world.rows("UPDATE professional SET deleted_at = now() WHERE id = $1", world.ids["partie"])
        with pytest.raises(Forbidden):
            copied(world, by="partie")

    def test_someone_unknown_is_not_there(self, world: World) -> None:
        world.ids["nobody"] = uuid7()
        with pytest.raises(NotFound):
            copied(world, "nobody")

    def test_both_have_their_line_in_the_trail(self, world: World) -> None:
        copied(world, "karim")
        lines = world.traces(usager_id=world.ids["karim"], door="system")
        assert {(line["principal_id"], line["role"], line["action"]) for line in lines} == {
            (world.ids["helene"], "direction", "read"),
            (world.ids["leila"], "infirmier", "read"),
        }

    def test_a_refusal_leaves_no_copy_and_no_line(self, world: World) -> None:
        before = len(world.traces(door="system"))
        with pytest.raises(Forbidden):
            copied(world, care="sonia")
        assert len(world.traces(door="system")) == before

    def test_the_two_acts_have_no_role_in_common(self) -> None:
        assert not ACTS[Act.PREPARE_COPY] & ACTS[Act.PREPARE_COPY_OF_CARE]


class TestWhat:
    def test_what_is_not_shared_day_by_day_is_in_it(self, world: World) -> None:
        note(world, "NOTE-DE-TRAVAIL", visibility="not_shared")
        note(world, "NOTE-RESERVEE", visibility="not_shared", reserved_to=[world.ids["sonia"]])
        told = texts(copied(world))
        assert ("NOTE-DE-TRAVAIL" in told, "NOTE-RESERVEE" in told) == (True, True)

    @pytest.mark.threat("copy-tells-care")
    def test_care_only_by_a_health_professional(self, world: World) -> None:
        note(world, "NOTE-DE-SOIN", category="care")
        assert "NOTE-DE-SOIN" in texts(copied(world))
        without = copied(world, care=None)
        assert "NOTE-DE-SOIN" not in texts(without)
        assert "La partie soins n'est pas dans cette copie." in page(without)

    @pytest.mark.threat("copy-tells-an-alert")
    def test_an_alert_changes_no_byte(self, world: World) -> None:
        def told() -> str:
            return re.sub(r"\d{4}-\d\d-\d\dT[\d:.+]+|Faite le [^<]+", "…", texts(copied(world, "lucas")))

        before = told()
        common = {"usager_id": world.ids["lucas"], "structure_id": world.ids["ime"], "author_id": world.ids["sonia"]}
        world.add(Alert(nature="signalement", facts=b"x", **common))
        id = uuid7()
        world.add(Transmission(id=id, thread_id=id, kind="data", text="ALERTE", category="alert", **common))
        assert told() == before

    @pytest.mark.threat("copy-tells-others")
    @pytest.mark.parametrize("reason", ["alert", "procedure", "minor_secret", "a_reason_of_later"])
    def test_what_is_withheld_is_not_in_it_nor_counted(self, world: World, reason: str) -> None:
        before = len(copied(world).sections["transmission"])
        note(world, f"RETENUE-{reason}", visibility="withheld", withheld_reason=reason)
        after = copied(world)
        assert f"RETENUE-{reason}" not in texts(after)
        assert len(after.sections["transmission"]) == before

    @pytest.mark.threat("copy-tells-others")
    def test_a_note_about_someone_else_is_there_its_text_masked(self, world: World) -> None:
        note(world, "MADAME-VOISINE", visibility="withheld", withheld_reason="third_party", target="Repas")
        told = texts(copied(world))
        assert ("MADAME-VOISINE" in told, "il parle de quelqu'un d'autre" in told.replace("&#x27;", "'")) == (
            False,
            True,
        )

    @pytest.mark.threat("withheld-third-party")
    def test_a_note_of_which_a_sentence_is_masked_is_there_without_it(self, world: World) -> None:
        masked = {"visibility": "withheld", "withheld_reason": "third_party", "shown_text": "LE-RESTE [masqué]"}
        note(world, "LE-RESTE MONSIEUR-VOISIN", **masked, masked=["MONSIEUR-VOISIN"])
        told = texts(copied(world))
        assert ("MONSIEUR-VOISIN" in told, "LE-RESTE" in told) == (False, True)

    @pytest.mark.parametrize(("reason", "days"), [("draft", 30), ("announcement", 15)])
    def test_a_draft_and_what_is_first_said_aloud_end(self, reason: str, days: int) -> None:
        at = datetime(2026, 1, 1, 12, tzinfo=UTC)
        until = at.date() + timedelta(days=days)
        row = {"visibility": "withheld", "withheld_reason": reason, "withheld_until": until, "category": "support"}
        given = [rules.given(row, at.date() + timedelta(days=d), rules.Asked(care=True)) for d in (0, days - 1, days)]
        assert given == [False, False, True]
        assert not rules.given({**row, "withheld_until": None}, until, rules.Asked(care=True))

    @pytest.mark.threat("copy-tells-others")
    def test_what_a_representative_wrote_for_the_team_alone(self, world: World) -> None:
        note(world, "MOT-DE-LA-MERE", author_kind="representative", visibility="not_shared")
        assert "MOT-DE-LA-MERE" not in texts(copied(world))

    @pytest.mark.threat("copy-tells-others")
    def test_a_protected_place_is_only_that(self, world: World) -> None:
        where = {"address": "12 RUE CACHEE", "city": "VILLECACHEE", "phone": "0600000009", "notes": "CHEZ-SA-SOEUR"}
        common = {"usager_id": world.ids["lucas"], "structure_id": world.ids["ime"], "author_id": world.ids["sonia"]}
        world.add(Contact(family_name="Martin", role="proche", address_protected=True, **where, **common))
        told = texts(copied(world, "lucas"))
        assert [value for value in where.values() if value in told] == []
        assert "lieu protégé" in told

    @pytest.mark.threat("copy-tells-an-alert")
    def test_what_a_judge_or_an_inspection_asked_is_not_in_it(self, world: World) -> None:
        common = {"usager_id": world.ids["lucas"], "structure_id": world.ids["ime"], "author_id": world.ids["helene"]}
        for ground, reason in (("loi", "REQUISITION"), ("echange", "TRANSFERT-DE-NUIT")):
            article = "CPP 60-1" if ground == "loi" else None
            partner = world.ids["chu"]
            world.add(Handover(partner_id=partner, ground=ground, article=article, reason=reason, **common))
        told = texts(copied(world, "lucas"))
        assert ("REQUISITION" in told, "TRANSFERT-DE-NUIT" in told) == (False, True)

    def test_a_paper_for_the_judge_is_read_at_the_court(self, world: World) -> None:
        [row] = world.rows("SELECT wrapped FROM usager_key WHERE usager_id = $1", world.ids["lucas"])
        key, id = world.keyring.usager_key(row["wrapped"], str(world.ids["lucas"])), uuid7()
        common = {"usager_id": world.ids["lucas"], "structure_id": world.ids["ime"], "author_id": world.ids["odile"]}
        for nature, said in (("for_judge", "NOTE-AU-JUGE"), ("notified", "JUGEMENT-NOTIFIE")):
            id = uuid7()
            sealed = {n: key.seal(said.encode(), f"judicial_decision:{id}:{n}") for n in ("text",)}
            title = key.seal(b"Titre", f"judicial_decision:{id}:title")
            world.add(JudicialDecision(id=id, nature=nature, title=title, visibility="shared", **sealed, **common))
        told = texts(copied(world, "lucas"))
        assert ("NOTE-AU-JUGE" in told, "JUGEMENT-NOTIFIE" in told, "au tribunal" in told) == (False, True, True)

    def test_staff_are_told_by_their_role(self, world: World) -> None:
        note(world, "PAR-QUI")
        [row] = [r for r in copied(world).sections["transmission"] if r["text"] == "PAR-QUI"]
        assert row["author"] == "une personne de l'équipe éducative"
        assert "Benali" not in texts(copied(world))

    def test_a_number_is_told_in_clear_and_nothing_that_serves_to_search(self, world: World) -> None:
        place = f"/api/v1/usagers/{world.ids['jeanne']}/identifiers"
        assert world.post("odile", place, {"system": "urn:x", "value": "NUM-77"}).status_code == 201
        copy = copied(world)
        assert [row["value"] for row in copy.sections["usager_identifier"]] == ["NUM-77"]
        assert not {"blind", "sealed", "name_key"} & {
            name for rows in copy.sections.values() for row in rows for name in row
        }

    def test_what_is_closed_inside_a_row_is_said_by_a_code(self, world: World) -> None:
        note(world, "MADAME-VOISINE", visibility="withheld", withheld_reason="third_party")
        closed = [row["closed"] for row in copied(world).sections["transmission"] if "closed" in row]
        assert {"text": "third_party"} in closed
        world.rows("UPDATE stay SET place_protected = true WHERE usager_id = $1", world.ids["karim"])
        [stay] = copied(world, "karim").sections["stay"]
        world.rows("UPDATE stay SET place_protected = false WHERE usager_id = $1", world.ids["karim"])
        assert stay["closed"]["structure_id"] == "protected_place"

    @pytest.mark.threat("copy-tells-others")
    def test_a_protected_house_is_named_nowhere(self, world: World) -> None:
        world.rows("UPDATE stay SET place_protected = true WHERE usager_id = $1", world.ids["ines"])
        told = texts(copied(world, "ines"))
        world.rows("UPDATE stay SET place_protected = false WHERE usager_id = $1", world.ids["ines"])
        assert ('"house": "MECS"' in told, ">MECS<" in told, "lieu protégé" in told) == (False, False, True)


class TestPage:
    @pytest.mark.threat("copy-runs-something")
    def test_what_is_written_stays_text(self, world: World) -> None:
        note(world, "<script>alert(1)</script><img src=x onerror=y>")
        told = page(copied(world))
        assert ("<script" in told, "<img" in told, "&lt;script&gt;" in told) == (False, False, True)

    def test_fetches_nothing(self, world: World) -> None:
        assert re.findall(r"<[^>]*(?:src|href)=|url\(|@import", page(copied(world))) == []

    def test_says_the_same_sentence_whatever_is_left_out(self, world: World) -> None:
        assert ALWAYS in page(copied(world, "karim"))
        assert json.loads(copied(world, "karim").json())["sections"]["usager"][0]["birth_family_name"] == "BENSAÏD"

    def test_days_are_read_as_days(self, world: World) -> None:
        assert "<dt>né(e) le</dt><dd>12/05/1944</dd>" in page(copied(world))

    def test_a_team_is_told(self, world: World) -> None:
        world.add(
            TeamMember(
                usager_id=world.ids["jeanne"],
                structure_id=world.ids["ehpad"],
                professional_id=world.ids["marc"],
                starts=date(2020, 1, 1),
                author_id=world.ids["marc"],
            )
        )
        assert "Votre équipe" in page(copied(world))
