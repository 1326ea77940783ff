"""The policy fails closed: what no rule of ours foresees opens nothing."""

from uuid import uuid4

import pytest

from app.access import policy
from app.access.facts import facts
from app.access.permissions import Action, Category, Reach
from app.access.policy import allowed
from app.features.transmissions.models import Transmission
from app.security.principal import Caller, Session, Shape

NOT_OF_A_PERSON = [Reach.STRUCTURE, Reach.TEAM, Reach.TEAM_CONSIGNE, Reach.OWN, Reach.ORGANISATION, Reach.ON_DUTY]


def test_a_caller_of_no_known_kind_is_given_no_place_and_no_dossier():
    who = Session(id=uuid4(), organisation_id=uuid4(), session_id=uuid4(), expires=0)
    assert facts(who).keys().isdisjoint({"membership", "me_usager", "receiver"})  # type: ignore[arg-type]


@pytest.mark.parametrize("reach", NOT_OF_A_PERSON)
@pytest.mark.parametrize("caller", [Caller.USAGER, Caller.REPRESENTATIVE, Caller.PARTNER])
def test_a_reach_of_the_staff_opens_nothing_without_a_role(
    monkeypatch: pytest.MonkeyPatch, caller: Caller, reach: Reach
):
    cell = (Transmission.KIND, Category.SUPPORT, Action.READ)
    monkeypatch.setitem(policy.WITHOUT_ROLE, caller, {cell: reach})
    opened = allowed.__wrapped__(Shape(caller), Action.READ, Transmission)
    assert str(opened).endswith(" AND false")
