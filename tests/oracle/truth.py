"""Who reads a row, in plain Python, from the design (field.md §1, §2, §4, §5; decisions.md) and `expected.csv` alone.

It is slow, says one thing after another, and shares no line with the product: where the two disagree, one is wrong.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any
from uuid import UUID

from tests.access.expected import expected
from tests.oracle.facts import PARIS, Facts, Line

CELLS = expected()
# field.md §2: common to every structure where the person has an open stay; the rest stays in its structure.
COMMON = {
    "usager", "usager_identifier", "contact", "mandate", "stay", "sharing_consent", "consent_answer", "opposition",
    "emergency_sheet", "team_member", "consigne", "shared_team",
}  # fmt: skip
CATEGORIES = ("administrative", "support", "care", "judicial", "alert")
DIRECTORY = ("structure", "professional", "membership", "outside_party")  # whose rows are about nobody
BY_EMERGENCY = ("administrative", "support", "care")  # field.md §1: never judicial, never alert


@dataclass(frozen=True)
class Who:
    """One who asks: `name` is their bearer's."""

    name: str
    kind: str  # the role of staff; usager, representative, partner
    id: UUID
    membership: UUID | None = None
    usager: UUID | None = None

    @property
    def staff(self) -> bool:
        return self.membership is not None


def runs(fact: Line, day: Any, first: str = "starts", last: str = "ends") -> bool:
    return bool(fact[first] <= day and (fact[last] is None or day < fact[last]))


def stands(fact: Line) -> bool:
    return fact["deleted_at"] is None and not fact.get("held")


class Truth:
    """What one caller reads of one base, and why not the rest."""

    def __init__(self, facts: Facts, who: Who) -> None:
        self.facts, self.who = facts, who
        self._open_rows: dict[str, list[Line]] = {}
        self._by_person: dict[str, dict[UUID, list[Line]]] = {}

    def reads(self, kind: str, row: Line) -> bool:
        return self.why_not(kind, row) is None

    def all(self, kind: str) -> set[UUID]:
        return {row["id"] for row in self.open(kind)}

    def open(self, kind: str) -> list[Line]:
        """The rows they read, found once."""
        if kind not in self._open_rows:
            self._open_rows[kind] = [row for row in self.facts.rows[kind] if self.reads(kind, row)]
        return self._open_rows[kind]

    def why_not(self, kind: str, row: Line) -> str | None:
        """None when they read it; else the first thing that closes it."""
        if row["deleted_at"] is not None:
            return "deleted"
        if kind in DIRECTORY:
            return self._directory(kind, row)
        if self.who.staff:
            return self._staff(kind, row)
        return {"usager": self._usager, "representative": self._representative, "partner": self._partner}[
            self.who.kind
        ](kind, row)

    def _about(self, kind: str, usager: UUID) -> list[Line]:
        """The rows of a person."""
        if kind not in self._by_person:
            told: dict[UUID, list[Line]] = {}
            for row in self.facts.rows[kind]:
                told.setdefault(row["usager_id"], []).append(row)
            self._by_person[kind] = told
        return self._by_person[kind].get(usager, [])

    def _cell(self, kind: str, category: str) -> str | None:
        return CELLS.get((self.who.kind, kind, category, "read"))

    # The directory

    def _directory(self, kind: str, row: Line) -> str | None:
        """Who works where is told to the house; who came in a bundle, to its sender and to the readers of what names it
        (decisions.md).
        """
        cell = self._cell(kind, "administrative")
        if cell is None:
            return "category"
        if cell == "named":
            mine = self.who.kind == "partner" and row["origin_partner_id"] == self.who.id
            return None if mine or row["id"] in self._named else "named"
        return "office" if self.who.staff and not self.in_office else None

    @cached_property
    def _named(self) -> set[UUID]:
        """Whom the rows that they read name."""
        mentions = self.facts.rows["outside_party_mention"]
        kinds = {mention["kind"] for mention in mentions}
        read = {(kind, row["id"]) for kind in kinds for row in self.open(kind)}
        return {mention["party_id"] for mention in mentions if (mention["kind"], mention["entry_id"]) in read}

    # Staff

    def _staff(self, kind: str, row: Line) -> str | None:
        if row["held"]:
            return "held"
        if kind == "alert":
            return self._alert(row)
        if row["usager_id"] in self._opposed:
            return "opposition"
        if row["reserved_to"] is not None and self.who.id not in (*row["reserved_to"], row["author_id"]):
            return "reserved"
        if not self.in_office:
            return "office"
        if self._emergency(kind, row) or self._on_call(kind, row):
            return None
        reach = self._cell(kind, row["category"])
        if reach != "purpose" and kind != "emergency_access" and self._narrowed(kind, row, "none"):
            return "narrowed"
        return self._reach(kind, row, reach)

    def _narrowed(self, kind: str, row: Line, to: str) -> bool:
        """A house may narrow a role, never widen it (field.md §1); what is opened in an emergency stays open."""
        said = [n for n in self.facts.rows["narrowing"] if n["role"] == self.who.kind and n["deleted_at"] is None]
        said = [n for n in said if n["to"] == to and n["of_kind"] in (None, kind)]
        return (row["structure_id"], row["category"]) in {(n["structure_id"], n["category"]) for n in said}

    def _alert(self, row: Line) -> str | None:
        """field.md §1: its author and those it names, wherever they work; the direction of the house. No opposition
        stops the law, no team opens it, nor an emergency.
        """
        cell = self._cell("alert", row["category"])
        if not self.in_office or cell is None:
            return "category" if self.in_office else "office"
        if self.who.id in (row["author_id"], *(row["reserved_to"] or ())):
            return None
        return None if cell == "structure" and row["structure_id"] in self._places else "named"

    def _reach(self, kind: str, row: Line, reach: str | None) -> str | None:
        here = row["structure_id"] in self._places or self._together(kind, row)
        if reach is None:
            return "category"
        if reach == "structure":
            stays = kind in COMMON and row["usager_id"] in self._received
            if not here and not stays:
                return "structure"
            return self._accompanied(row["usager_id"], referent=False) if self._narrowed(kind, row, "team") else None
        if not here and kind not in COMMON:
            return "structure"
        if reach == "purpose":
            return None if row["usager_id"] in self._purposes else "purpose"
        if reach == "team_consigne" and not row["consigne"]:
            return "consigne"
        return self._accompanied(row["usager_id"], referent=reach == "referent")

    def _together(self, kind: str, row: Line) -> bool:
        """field.md §2: an équipe commune, of which the person was told and that they did not oppose, joins the rows of
        its structures, for who meets the person or leads.
        """
        meets = {self._cell(kind, category) for category in CATEGORIES} & {
            "team",
            "referent",
            "team_consigne",
            "purpose",
        }
        if kind in COMMON or not (meets or self._near):
            return False
        teams = self._about("shared_team", row["usager_id"])
        teams = [t for t in teams if t["opposed_at"] is None and t["deleted_at"] is None and runs(t, self.facts.today)]
        return any(row["structure_id"] in t["structure_ids"] and self._places & {*t["structure_ids"]} for t in teams)

    @cached_property
    def _near(self) -> bool:
        """Who is there day by day: the matrix lets them open a dossier in an emergency."""
        return (self.who.kind, "emergency_access", "administrative", "create") in CELLS

    def _emergency(self, kind: str, row: Line) -> bool:
        """The role's own reading and the consignes, for those to whom the desk of emergencies is open."""
        usual = self._whole(kind, row) or (row["category"] in BY_EMERGENCY and row["consigne"])
        here = row["structure_id"] in self._places or kind in COMMON or self._together(kind, row)
        return bool(self._near and usual and here and row["usager_id"] in self._opened)

    def _on_call(self, kind: str, row: Line) -> bool:
        """field.md §1: fiche d'urgence, contacts, consignes, important transmissions of the structures listed."""
        if not self._near and self.who.kind not in ("chef_de_service", "coordinateur"):
            return False
        read = row["category"] in BY_EMERGENCY and self._cell(kind, row["category"]) is not None
        told = kind in ("usager", "contact", "emergency_sheet", "consigne") or row.get("important")
        mine = [
            c for c in self.facts.rows["on_call"] if c["professional_id"] == self.who.id and c["deleted_at"] is None
        ]
        there = any(
            runs(c, self.facts.now, "starts_at", "ends_at") and row["structure_id"] in c["structure_ids"] for c in mine
        )
        return bool(there and ((read and row["consigne"]) or (told and self._whole(kind, row))))

    def _whole(self, kind: str, row: Line) -> bool:
        """A category that the role reads of this kind as such."""
        return row["category"] in BY_EMERGENCY and self._cell(kind, row["category"]) in ("team", "structure")

    @cached_property
    def _purposes(self) -> set[UUID]:
        """Whose dossiers a purpose of mine opens now; an evaluation, as long as the person's yes."""
        mine = [p for p in self.facts.rows["stated_purpose"] if p["professional_id"] == self.who.id]
        mine = [p for p in mine if p["deleted_at"] is None and p["closed_at"] is None]
        mine = [p for p in mine if runs(p, self.facts.now, "starts_at", "ends_at")]
        return {p["usager_id"] for p in mine if p["consent_id"] is None or p["consent_id"] in self._agreed}

    @cached_property
    def _agreed(self) -> set[UUID]:
        yes = [c for c in self.facts.rows["sharing_consent"] if c["answer"] == "yes" and c["withdrawn_at"] is None]
        return {c["id"] for c in yes if c["deleted_at"] is None and runs(c, self.facts.today)}

    def _accompanied(self, usager: UUID, *, referent: bool) -> str | None:
        named = [t for t in self._about("team_member", usager) if t["professional_id"] == self.who.id]
        named = [t for t in named if t["deleted_at"] is None]
        named = [t for t in named if t["referent"] or not referent]
        if any(runs(t, self.facts.today) for t in named):
            return None
        teams = [t for t in self.facts.rows["unit_team"] if t["professional_id"] == self.who.id]
        teams = [] if referent else [t for t in teams if t["deleted_at"] is None]
        lives = {s["unit_id"] for s in self._about("stay", usager) if self._open(s)}
        if any(runs(t, self.facts.now, "starts_at", "ends_at") and t["unit_id"] in lives for t in teams):
            return None
        return "period" if named or any(t["unit_id"] in lives for t in teams) else "team"

    def _open(self, stay: Line) -> bool:
        return stands(stay) and runs(stay, self.facts.today)

    @cached_property
    def in_office(self) -> bool:
        mine = [m for m in self.facts.rows["membership"] if m["id"] == self.who.membership]
        return any(m["deleted_at"] is None and runs(m, self.facts.today) for m in mine)

    @cached_property
    def _places(self) -> set[UUID]:
        mine = [m for m in self.facts.rows["membership_structure"] if m["membership_id"] == self.who.membership]
        return {m["structure_id"] for m in mine}

    @cached_property
    def _received(self) -> set[UUID]:
        """Who stays today in a structure of mine."""
        stays = [s for s in self.facts.rows["stay"] if s["structure_id"] in self._places]
        return {s["usager_id"] for s in stays if self._open(s)}

    @cached_property
    def _opened(self) -> set[UUID]:
        mine = [e for e in self.facts.rows["emergency_access"] if e["professional_id"] == self.who.id]
        mine = [e for e in mine if e["deleted_at"] is None and e["closed_at"] is None]
        return {e["usager_id"] for e in mine if runs(e, self.facts.now, "starts_at", "ends_at")}

    @cached_property
    def _opposed(self) -> set[UUID]:
        """Who opposes this caller today."""
        against = "partner_id" if self.who.kind == "partner" else "professional_id"
        mine = [o for o in self.facts.rows["opposition"] if o[against] == self.who.id and stands(o)]
        return {o["usager_id"] for o in mine if runs(o, self.facts.today)}

    # The person, and who represents them

    def _usager(self, kind: str, row: Line) -> str | None:
        no = self._of_person(row, kind)
        kept = row["visibility"] == "withheld" and not self._told_again(row)
        return no or ("withheld" if kept else None)

    def _representative(self, kind: str, row: Line) -> str | None:
        no = self._of_person(row, kind)
        if no:
            return no
        if row["minor_secret"]:
            return "secret"
        mine = [m for m in self.facts.rows["mandate"] if m["contact_id"] == self.who.id and stands(m)]
        mine = [m for m in mine if m["usager_id"] == self.who.usager and m["confirmed_at"] is not None]
        if self._restricted:
            return "restricted"
        opening = [m for m in mine if row["category"] in m["opens"]]
        if any(runs(m, self.facts.today) for m in opening):
            return None
        return "period" if opening else "mandate"

    @cached_property
    def _restricted(self) -> bool:
        """A decision of justice closes their access to this person (field.md §1), whatever the mandate."""
        about = [c for c in self.facts.rows["consigne"] if c["contact_id"] == self.who.id and c["closes_access"]]
        about = [c for c in about if c["usager_id"] == self.who.usager and c["lifted_at"] is None]
        return any(c["deleted_at"] is None and runs(c, self.facts.today) for c in about)

    def _of_person(self, row: Line, kind: str) -> str | None:
        if row["usager_id"] != self.who.usager:
            return "person"
        if row["held"]:
            return "held"
        if self._cell(kind, row["category"]) is None:
            return "category"
        told = row["visibility"] == "shared" or row["author_id"] == self.who.id or self._told_again(row)
        return None if told else "visibility"

    def _over(self, row: Line) -> bool:
        """field.md §6: a draft, and what is first said aloud, are kept until a day, then shown."""
        ends = row["withheld_reason"] in ("draft", "announcement")
        return ends and row["withheld_until"] is not None and row["withheld_until"] <= self.facts.today

    def _told_again(self, row: Line) -> bool:
        """field.md §6: or only a sentence about someone else is masked, not the note."""
        masked = row["withheld_reason"] == "third_party" and row.get("shown_text") is not None
        return row["visibility"] == "withheld" and (self._over(row) or masked)

    def _kept(self, row: Line) -> bool:
        return row["visibility"] == "withheld" and not self._over(row)

    # A partner

    def _partner(self, kind: str, row: Line) -> str | None:
        if self._cell(kind, row["category"]) is None:
            return "category"
        if row["origin_partner_id"] == self.who.id and row["version"] == row["origin_version"]:
            return None  # its own word, as it said it
        if row["held"] or row["reserved_to"] is not None or self._kept(row):
            return "kept"
        if row["usager_id"] in self._opposed:
            return "opposition"
        if row["structure_id"] not in self._accepted:
            return "structure"
        return self._consent(kind, row)

    @cached_property
    def _accepted(self) -> set[UUID]:
        mine = [s for s in self.facts.rows["partner_structure"] if s["partner_id"] == self.who.id]
        return {s["structure_id"] for s in mine}

    def _consent(self, kind: str, row: Line) -> str | None:
        """One yes that covers the row; a no to it closes it, and of two that meet, the narrower counts."""
        asked = [c for c in self._about("sharing_consent", row["usager_id"]) if c["partner_id"] == self.who.id]
        asked = [c for c in asked if stands(c) and c["kind"] == "partage"]
        asked = [c for c in asked if row["category"] in c["categories"]]
        standing = [c for c in asked if runs(c, self.facts.today)]
        yes = [c for c in standing if c["answer"] == "yes" and c["withdrawn_at"] is None]
        if any(c["answer"] in ("no", "disagreement") and covers(c, kind, row) for c in standing):
            return "consent"
        for one in yes:
            narrower = [c for c in yes if c is not one and meet(c, one) and not covers(c, kind, row)]
            if covers(one, kind, row) and not narrower:
                return None
        return "period" if [c for c in asked if c["answer"] == "yes" and c not in yes] else "consent"


def covers(consent: Line, kind: str, row: Line) -> bool:
    day = row["occurred_at"].astimezone(PARIS).date()
    after = consent["data_from"] is None or consent["data_from"] <= day
    before = consent["data_until"] is None or day < consent["data_until"]
    return after and before and (consent["kinds"] is None or kind in consent["kinds"])


def meet(one: Line, other: Line) -> bool:
    """They have some kind and some day in common."""
    kinds = one["kinds"] is None or other["kinds"] is None or set(one["kinds"]) & set(other["kinds"])
    first = max(_from(one), _from(other))
    last = min(_until(one), _until(other))
    return bool(kinds) and first < last


def _from(consent: Line) -> date:
    return consent["data_from"] or date.min


def _until(consent: Line) -> date:
    return consent["data_until"] or date.max


def reasons(truth: Truth, kinds: Iterable[str]) -> set[str]:
    """Everything that closes some row to them; `allowed` when one is open."""
    return {truth.why_not(kind, row) or "allowed" for kind in kinds for row in truth.facts.rows[kind]}
