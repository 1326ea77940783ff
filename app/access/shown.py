"""Which lines of the trail a caller may read, and what the person's page shows of them (field.md §6)."""

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Uuid,
    and_,
    column,
    exists,
    false,
    func,
    literal_column,
    not_,
    or_,
    select,
)
from sqlalchemy.orm import aliased

from app.access.acts import ACTS, Act
from app.access.facts import (
    ME,
    ORGANISATION,
    USAGER,
    alive,
    i_still_am,
)
from app.access.permissions import (
    Category,
    Kind,
    Visibility,
)
from app.access.versions import EntryVersion
from app.access.withholding import Withheld, kept
from app.audit.models import AuditEntry, TrailRelease
from app.audit.vocabulary import Ground, Outcome
from app.kernel.hot import word
from app.security.principal import Caller, Role, Shape

LaterVersion = aliased(EntryVersion, name="later_version")


def trail_open(caller: Shape) -> ColumnElement[bool]:
    """The lines of the trail such a caller may read: about themselves, of their own visits, or all for the DPO."""
    ours = and_(AuditEntry.organisation_id == ORGANISATION, alive())
    match caller.kind:
        case Caller.USAGER:
            return and_(ours, AuditEntry.usager_id == USAGER, _may_be_shown())
        case Caller.REPRESENTATIVE:
            mine = and_(
                AuditEntry.usager_id == USAGER, AuditEntry.on_behalf_of == USAGER, AuditEntry.principal_id == ME
            )
            return and_(ours, mine, _may_be_shown())
        case Caller.PROFESSIONAL if caller.role in ACTS[Act.READ_TRAIL]:
            return and_(ours, i_still_am(caller.role))
    return false()


def _may_be_shown() -> ColumnElement[bool]:
    """What the person's page shows of the trail (field.md §6): what was read or written, unless it tells of an alert,
    of a note kept from them, of a judicial or inspection request, and the DPO has not released it. A line that also
    names another row is shown, as it would be without that one.
    """
    mine = EntryVersion.usager_id == USAGER
    ids = select(EntryVersion.entry_id).where(EntryVersion.organisation_id == ORGANISATION, mine, _told_nothing())
    all_hidden = AuditEntry.entry_ids.bool_op("<@")(func.array(ids.scalar_subquery(), type_=ARRAY(Uuid())))
    return and_(AuditEntry.outcome == word(Outcome.SUCCESS), or_(_usual(all_hidden), line_released()))


def line_held_back() -> ColumnElement[bool]:
    """The same told of a line of anyone: the person would not be shown it, were it not released."""
    id = func.unnest(AuditEntry.entry_ids).table_valued(column("id", Uuid())).render_derived(name="told")
    row = EntryVersion
    hidden = exists().where(row.organisation_id == ORGANISATION, row.entry_id == id.c.id, _told_nothing())
    shown = select(literal_column("1")).select_from(id).where(not_(hidden)).exists()
    return and_(AuditEntry.outcome == word(Outcome.SUCCESS), not_(_usual(not_(shown))))


def line_released() -> ColumnElement[bool]:
    r, line = TrailRelease, AuditEntry
    return exists().where(r.organisation_id == ORGANISATION, r.at == line.at, r.line_id == line.id)


def _usual(all_hidden: ColumnElement[bool]) -> ColumnElement[bool]:
    """Nothing in the line is to be held back; `all_hidden`: of each row it names, the person is told nothing."""
    line = AuditEntry
    kept = or_(func.cardinality(line.entry_ids) == literal_column("0"), not_(all_hidden))
    agreed = or_(
        line.role.is_distinct_from(word(Role.EVALUATEUR)), line.ground.is_not_distinct_from(word(Ground.ACCORD))
    )
    not_by_law = and_(line.ground.is_distinct_from(word(Ground.LOI)), agreed)
    return and_(kept, line.kind != word(Kind.ALERT), not_by_law)


def _told_nothing() -> ColumnElement[bool]:
    """A row, as it is today, of which the person is told nothing."""
    row, later = EntryVersion, LaterVersion
    last = ~exists().where(
        later.organisation_id == ORGANISATION, later.entry_id == row.entry_id, later.version > row.version
    )
    papers = and_(row.category == word(Category.JUDICIAL), row.visibility != word(Visibility.SHARED))
    kept_whole = and_(kept(row), row.withheld_reason.is_distinct_from(word(Withheld.THIRD_PARTY)))
    return and_(or_(row.category == word(Category.ALERT), kept_whole, papers), last)
