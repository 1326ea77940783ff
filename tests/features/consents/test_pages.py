"""The list of oppositions goes on beyond its first page."""

from tests.dossier import Dossiers
from tests.world import World


def test_oppositions_are_told_page_after_page(world: World) -> None:
    made = Dossiers(world)
    person = made.person("ehpad")
    told = {str(made.row("opposition", person, professional_id=None, partner_id=world.ids["chu"])) for _ in range(3)}
    made.write()
    place, after, seen = f"/api/v1/consents/oppositions?usager={person.id}&limit=1", "", list[str]()
    while after is not None:
        answer = world.get("marc", f"{place}{after and f'&after={after}'}").json()
        seen += [one["id"] for one in answer["items"]]
        after = answer["next"]
    assert (sorted(seen), len(seen)) == (sorted(told), 3)
