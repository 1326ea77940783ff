"""Who may read both dossiers of someone attached is not told that they are one, whatever the form of the question."""

from collections.abc import Iterator

import pytest

from tests.dossier import LOCAL
from tests.exchange.bundles import bundle, entry, patient, project, resource
from tests.exchange.sending import fresh
from tests.exchange.test_sas import _what_the_mdph_sends_waits, decide, waiting  # noqa: F401  a fixture of the module
from tests.fhir.test_read import grant
from tests.world import World

OF_ONE = (
    "Goal?patient={0}", "Goal?patient={0},{0}", "Goal?subject=Patient/{0}", "Goal?patient._id={0}",
    "Goal?patient:Patient._id={0}&_count=200", "Patient/{0}/Goal", "Patient/{0}/*?_type=Goal",
    "Patient/{0}/$everything?_type=Goal", "Patient?_has:Goal:patient:patient={0}", "Patient?_id={0}&_revinclude=Goal:patient",
)  # fmt: skip


@pytest.fixture(scope="module")
def both(world: World) -> Iterator[dict[str, str]]:
    """A newcomer attached to Lucas, whose dossier their sender may read; a goal it sent, and one that the team wrote."""
    ids = {"here": str(world.ids["lucas"])}
    for name in ("ours", "sent"):
        exchange, told = waiting(world, project(fresh()))
        assert decide(world, "attach", exchange, body={"usager_id": ids["here"]}).status_code == 200
        ids |= {name: str(told[0][1]), "newcomer": str(told[-1][1])}
    world.rows("UPDATE goal SET origin_partner_id = NULL, extra = NULL WHERE id = $1", ids["ours"])
    name = world.keyring.blind(f"identifier\0Patient\0{LOCAL}\0n", "external_id")
    named = "SELECT organisation_id, partner_id, $2, kind, row_id, usager_id FROM external_id WHERE row_id = $1 LIMIT 1"
    columns = "organisation_id, partner_id, fingerprint, kind, row_id, usager_id"
    world.rows(f"INSERT INTO external_id ({columns}) {named}", ids["newcomer"], name)
    grant(world, who="mdph")
    world.rows("UPDATE sharing_consent SET categories = ARRAY['administrative', 'support']")
    yield ids
    world.rows("DELETE FROM sharing_consent")


def answer(world: World, query: str) -> str:
    answer = world.get("mdph", f"/fhir/{query}")
    assert answer.status_code == 200, answer.text
    text: str = answer.text
    return text


@pytest.mark.threat("partner-learns-by-sending", "search-chain", "search-include", "search-compartment")
@pytest.mark.parametrize("query", OF_ONE)
def test_each_id_finds_what_is_told_under_it(world: World, both: dict[str, str], query: str) -> None:
    by_newcomer, by_here = (answer(world, query.format(both[name])) for name in ("newcomer", "here"))
    assert both["here"] not in by_newcomer
    assert both["ours"] not in by_newcomer
    assert both["newcomer"] not in by_here
    assert both["sent"] not in by_here
    assert both["newcomer" if "_has" in query else "sent"] in by_newcomer
    assert both["here" if "_has" in query else "ours"] in by_here


@pytest.mark.threat("partner-learns-by-sending")
def test_their_number_finds_what_their_sender_sent(world: World, both: dict[str, str]) -> None:
    found = answer(world, f"Goal?patient:identifier={LOCAL}|n")
    assert both["sent"] in found
    assert both["ours"] not in found


@pytest.mark.threat("partner-learns-by-sending")
def test_nothing_of_who_is_here_leaves_under_the_id_of_a_newcomer(world: World, both: dict[str, str]) -> None:
    assert world.get("mdph", f"/fhir/Patient/{both['newcomer']}/$tddui-export").status_code == 404
    assert both["ours"] in answer(world, f"Patient/{both['here']}/$tddui-export")


@pytest.fixture(scope="module")
def wrote(world: World, both: dict[str, str]) -> dict[str, str]:
    """What the newcomer says they wrote, or answered."""
    them = {"reference": "Patient/p"}
    paper = resource(
        "DocumentReference", "d", "tddui-document-reference", status="current", subject=them, author=[them]
    )
    paper["content"] = [{"attachment": {"title": "Lettre", "url": "https://chu.test/files/1"}}]
    grid = resource("QuestionnaireResponse", "q", "tddui-questionnaire-response", status="completed", subject=them)
    grid |= {"questionnaire": "urn:grid", "source": them, "author": them}
    exchange, told = waiting(world, bundle(entry(paper), entry(grid), entry(patient(fresh()))))
    assert decide(world, "attach", exchange, body={"usager_id": both["here"]}).status_code == 200
    return {"author": str(told[0][1]), "source": str(told[1][1]), "newcomer": str(told[2][1])}


@pytest.mark.threat("partner-learns-by-sending", "search-chain")
@pytest.mark.parametrize("kind", ["DocumentReference", "QuestionnaireResponse"])
@pytest.mark.parametrize("form", ["{0}", "Patient/{0}", "{0},Practitioner/{0}"])
def test_who_wrote_is_found_by_the_id_that_is_told(
    world: World, both: dict[str, str], wrote: dict[str, str], kind: str, form: str
) -> None:
    row = wrote["author" if kind == "DocumentReference" else "source"]
    for name in ("author", "source") if kind == "QuestionnaireResponse" else ("author",):
        by_newcomer, by_here = (
            answer(world, f"{kind}?{name}={form.format(id)}") for id in (wrote["newcomer"], both["here"])
        )
        assert f'Patient/{wrote["newcomer"]}"' in by_newcomer
        assert row in by_newcomer
        assert row not in by_here


@pytest.mark.threat("partner-learns-by-sending", "search-chain", "search-include")
@pytest.mark.parametrize(
    "query", ["DocumentReference?author:Patient._id={0}", "Patient?_id={0}&_revinclude=DocumentReference:author"]
)
def test_nor_otherwise_by_a_chain_or_along(
    world: World, both: dict[str, str], wrote: dict[str, str], query: str
) -> None:
    by_newcomer, by_here = (answer(world, query.format(id)) for id in (wrote["newcomer"], both["here"]))
    assert wrote["author"] in by_newcomer
    assert wrote["author"] not in by_here


@pytest.mark.threat("partner-learns-by-sending", "search-has")
def test_whom_a_paper_leads_to_is_whom_it_tells(world: World, both: dict[str, str], wrote: dict[str, str]) -> None:
    found = answer(world, f"Patient?_has:DocumentReference:author:_id={wrote['author']}")
    assert wrote["newcomer"] in found
    assert both["here"] not in found


@pytest.mark.threat("partner-learns-by-sending")
def test_all_of_a_newcomer_holds_who_was_asked_for(world: World, both: dict[str, str]) -> None:
    for name, other in (("newcomer", "here"), ("here", "newcomer")):
        told = answer(world, f"Patient/{both[name]}/$everything")
        assert f'/fhir/Patient/{both[name]}"' in told
        assert both[other] not in told
