"""A project and its nine profiles say the same, both ways; what only the sender knew comes back."""

from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from fhir.resources.R4B import get_fhir_model_class

from app.api.resources import REGISTRY
from app.features.projects.models import Agreement, Goal, Project
from app.fhir.mapping import Inbound, Neighbours, as_read
from app.kernel.crypto import Keyring, UsagerKey
from app.kernel.errors import Invalid
from tests.features.projects.exchanged import RESOURCES, Came, arrived, bare, filled, own_bundle
from tests.fhir import official
from tests.fhir.kept import kept_names

USAGER, STRUCTURE, PARTNER = uuid4(), uuid4(), uuid4()
Keys = tuple[Keyring, UsagerKey, bytes]
PROFILES = {
    "careplan-projet-personnalise": "CarePlan/projet",
    "goal-attente": "Goal/souhait",
    "goal-objectif": "Goal/but",
    "service-request-besoin": "ServiceRequest/besoin",
    "task-action": "Task/action",
    "task-prestation": "Task/prestation",
    "task-moyen-ressource": "Task/moyen",
    "task-bilan": "Task/bilan",
    "consent-accord": "Consent/structure",
}
# Never a column: a received identifier may hold a NIR, so it stays sealed; `for` and the legal base of a signature are
# said of what is ours only; and what the examples say beyond the profiles.
BESIDE = {
    "identifier", "for", "policy", "note", "note.time", "category.coding.display", "expressedBy.display",
    "performer.display",
}  # fmt: skip


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    keyring = Keyring.create(tmp_path_factory.mktemp("keys") / "keys.json", demo=True)
    key, wrapped = keyring.new_usager_key(str(USAGER))
    return keyring, key, wrapped


def came(keys: Keys, bundle: dict[str, Any] | None = None) -> list[Came]:
    keyring, key, wrapped = keys
    return arrived(bundle or own_bundle(), keyring, key, wrapped, USAGER, STRUCTURE, PARTNER)


def one(keys: Keys, name: str) -> Came:
    """The one of our bundle, by its name there."""
    places = [n for n in RESOURCES if n.partition("/")[0] in ("CarePlan", "Consent", "Goal", "ServiceRequest", "Task")]
    return came(keys)[places.index(name)]


class TestOfficialExample:
    """The IME's project, as it is published."""

    def test_comes_back_equal(self, keys: Keys):
        for each in came(keys, official.bundle(official.BUNDLES[0])):
            assert bare(each.out()) == bare(each.resource)

    def test_stands_in_the_tables(self, keys: Keys):
        found = came(keys, official.bundle(official.BUNDLES[0]))
        rows = [each.row for each in found]
        [project] = [row for row in rows if isinstance(row, Project)]
        [agreement] = [row for row in rows if isinstance(row, Agreement)]
        goals = [row for row in rows if isinstance(row, Goal)]
        assert (project.title, project.status, project.number) == ("Projet personnalisé de Hugo en IME", "active", 12)
        assert (agreement.party, agreement.answer, agreement.project_id) == ("structure", "yes", project.id)
        assert [(g.title, g.status, g.project_id) for g in goals] == [
            ("Objectif 1", "active", project.id),
            ("Objectif 2", "active", project.id),
        ]
        assert {type(row).__name__ for row in rows} == {"Project", "Agreement", "Goal", "ProjectAction"}

    def test_keeps_beside_only_what_no_profile_models(self, keys: Keys):
        for each in came(keys, official.bundle(official.BUNDLES[0])):
            assert set(kept_names(each.extra())) <= BESIDE | {"performer", "scope.coding.display"}


class TestOwnExample:
    @pytest.mark.parametrize("name", PROFILES.values())
    def test_comes_back_equal(self, keys: Keys, name: str):
        each = one(keys, name)
        assert bare(each.out()) == bare(each.resource)

    @pytest.mark.parametrize("name", PROFILES.values())
    def test_keeps_beside_only_what_no_profile_models(self, keys: Keys, name: str):
        assert set(kept_names(one(keys, name).extra())) <= BESIDE

    @pytest.mark.parametrize(("profile", "name"), PROFILES.items())
    def test_fills_its_profile(self, keys: Keys, profile: str, name: str):
        definition = orjson.loads(official.text(f"tddui/definitions/StructureDefinition-tddui-{profile}.json"))
        said, unsaid = filled(definition, one(keys, name).resource)
        assert len(said) / (len(said) + len(unsaid)) >= 0.95, unsaid

    def test_the_measure_sees_what_is_missing(self, keys: Keys):
        definition = orjson.loads(official.text("tddui/definitions/StructureDefinition-tddui-goal-objectif.json"))
        goal = one(keys, "Goal/but").resource
        less = goal | {"note": [n for n in goal["note"] if "Moyen" not in n["text"]], "_lifecycleStatus": {}}
        assert {e.partition(".")[2] for e in filled(definition, less)[1]} >= {
            "note:avisUsagerObjectif",
            "note:avisUsagerObjectif.extension:TDDUIDiscriminator.value[x]",
            "lifecycleStatus.extension:auteurStatut",
        }

    @pytest.mark.parametrize("name", PROFILES.values())
    def test_goes_out_as_valid_r4(self, keys: Keys, name: str):
        out = one(keys, name).out()
        get_fhir_model_class(out["resourceType"]).model_validate(out)

    def test_says_who_signs_and_who_does_not(self, keys: Keys):
        structure, mother = one(keys, "Consent/structure").row, one(keys, "Consent/mere").row
        assert isinstance(structure, Agreement)
        assert isinstance(mother, Agreement)
        assert (structure.party, structure.answer, structure.signer_kind) == ("structure", "yes", "role")
        assert (mother.party, mother.answer, mother.signer_kind) == ("contact", "no", "contact")

    def test_reads_the_words_of_an_opinion_and_of_an_origin(self, keys: Keys):
        goal, wish = one(keys, "Goal/but").row, one(keys, "Goal/souhait").row
        assert (goal.opinion_feeling, goal.opinion_words) == ("so_so", "c'est loin")
        assert (wish.origin, wish.said_by) == ("famille", "son grand-père")

    def test_means_without_a_project_are_of_the_action_they_are_part_of(self, keys: Keys):
        bundle = own_bundle()
        bundle["entry"] += [
            {
                "fullUrl": "https://ailleurs.example/CarePlan/autre",
                "resource": RESOURCES["CarePlan/projet"] | {"id": "autre", "supportingInfo": []},
            }
        ]
        found = came(keys, bundle)
        means = next(c.row for c in found if type(c.row).__name__ == "Means")
        plan = next(c.row for c in found if isinstance(c.row, Project))
        assert means.project_id == plan.id

    def test_a_version_changed_by_the_team_goes_out_changed(self, keys: Keys):
        each = one(keys, "Goal/but")
        each.row.title = "Deux stages"
        notes = each.out()["note"]
        assert notes[0]["text"] == "Deux stages"
        assert "Une note que personne ne range." in [n["text"] for n in notes]

    @pytest.mark.parametrize(
        ("text", "origin", "said_by"),
        [
            ("usager", "usager", None),
            ("Professionnel : l'infirmière", "professionnel", "l'infirmière"),
            ("Le juge des tutelles", "autre", "Le juge des tutelles"),
            ("Autre", "autre", "Autre"),
        ],
    )
    def test_whose_expectation_it_is_comes_back_in_the_senders_words(
        self, keys: Keys, text: str, origin: str, said_by: str | None
    ):
        bundle = own_bundle()
        wish = bundle["entry"][list(RESOURCES).index("Goal/souhait")]["resource"]
        wish["note"][0]["text"] = text
        each = next(c for c in came(keys, bundle) if type(c.row).__name__ == "Expectation")
        assert (each.row.origin, each.row.said_by) == (origin, said_by)
        assert each.out()["note"][0]["text"] == text

    @pytest.mark.parametrize(
        ("text", "feeling", "words"),
        [
            ("Pas bien", "bad", None),
            ("Bien : j'aime", "good", "j'aime"),
            ("Je préfère lundi", None, "Je préfère lundi"),
        ],
    )
    def test_an_opinion_is_a_feeling_words_or_both(self, keys: Keys, text: str, feeling: str | None, words: str | None):
        bundle = own_bundle()
        aim = bundle["entry"][list(RESOURCES).index("Goal/but")]["resource"]
        aim["note"][1]["text"] = text
        each = next(c for c in came(keys, bundle) if isinstance(c.row, Goal))
        assert (each.row.opinion_feeling, each.row.opinion_words) == (feeling, words)
        assert each.out()["note"][1]["text"] == text


SPARE = [
    ("CarePlan/projet", {"title": None}),
    ("CarePlan/projet", {"title": None, "description": None}),
    ("CarePlan/projet", {"title": "Une année pour choisir la suite."}),
    ("Goal/but", {"note": [{"text": "Objectif 1"}]}),
    ("Goal/but", {"description": {"coding": [{"system": "urn:x", "code": "1"}]}}),
    ("Goal/souhait", {"note": []}),
    ("Goal/souhait", {"description": {"coding": [{"system": "urn:x", "code": "1"}]}}),
    ("ServiceRequest/besoin", {"code": {"coding": [{"system": "urn:x", "code": "1"}]}, "category": None}),
    ("Task/action", {"input": []}),
    ("Task/moyen", {"input": [], "description": "La voiture"}),
    ("Task/bilan", {"input": None, "output": None, "code": {"text": "Fait"}}),
]


@pytest.mark.parametrize(("name", "changes"), SPARE)
def test_what_says_less_than_its_profile_comes_back_with_nothing_added(keys: Keys, name: str, changes: dict[str, Any]):
    bundle = own_bundle()
    place = list(RESOURCES).index(name)
    told = {k: v for k, v in {**bundle["entry"][place]["resource"], **changes}.items() if v not in (None, [])}
    bundle["entry"][place]["resource"] = told
    for each in came(keys, bundle):
        assert bare(each.out()) == bare(each.resource)


CANNOT = [
    ("Goal/but", {"extension": []}, "project.none"),
    ("Goal/souhait", {"extension": []}, "project.none"),
    ("ServiceRequest/besoin", {"basedOn": []}, "project.none"),
    ("Task/action", {"basedOn": []}, "project.none"),
    ("Task/bilan", {"executionPeriod": {"start": "jadis"}}, "review.no_date"),
    ("Consent/mere", {"dateTime": None}, "agreement.none"),
]


@pytest.mark.parametrize(("name", "changes", "code"), CANNOT)
def test_what_says_too_little_is_no_row(keys: Keys, name: str, changes: dict[str, Any], code: str):
    bundle = own_bundle()
    place = list(RESOURCES).index(name)
    told = {k: v for k, v in {**bundle["entry"][place]["resource"], **changes}.items() if v is not None}
    bundle["entry"][place]["resource"] = told
    with pytest.raises(Invalid) as no:
        came(keys, bundle)
    assert no.value.told == code


def test_means_alone_are_of_no_project(keys: Keys):
    keyring, key, _ = keys
    alone = Inbound(uuid4(), USAGER, STRUCTURE, PARTNER, key, keyring, "Bundle")
    with pytest.raises(Invalid) as no:
        REGISTRY.received(RESOURCES["Task/moyen"], alone, lenient=False)
    assert no.value.told == "project.none"


@pytest.mark.parametrize("sent", [2, 1, 0], ids=["both-sent", "one-sent", "none-sent"])
@pytest.mark.parametrize("theirs", [True, False])
def test_means_that_name_no_project_are_of_the_only_one_of_theirs(keys: Keys, theirs: bool, sent: int):
    keyring, key, _ = keys
    plan, mine, another = (uuid4() for _ in range(3))
    whose = {"reference": f"Patient/{USAGER if theirs else another}"}
    persons = {f"Patient/{id}": {"resourceType": "Patient"} for id in (another, USAGER)[:sent]}
    around = Neighbours({**persons, f"CarePlan/{plan}": {"resourceType": "CarePlan", "subject": whose}})
    inbound = Inbound(mine, USAGER, STRUCTURE, PARTNER, key, keyring, "Bundle.entry[3].resource", around=around)
    means = {name: value for name, value in RESOURCES["Task/moyen"].items() if name not in ("basedOn", "partOf")}
    if theirs:
        _, arrived = REGISTRY.received(means, inbound, lenient=False)
        assert arrived.row.project_id == plan
        return
    with pytest.raises(Invalid) as no:
        REGISTRY.received(means, inbound, lenient=False)
    assert (no.value.told, no.value.where) == ("project.none", "Bundle.entry[3].resource")


def test_means_that_stand_keep_their_project(keys: Keys):
    """An update says no more than what came first: of which project, nothing."""
    keyring, key, _ = keys
    means = {name: value for name, value in RESOURCES["Task/moyen"].items() if name not in ("basedOn", "partOf")}
    plan, id = uuid4(), uuid4()
    around = Neighbours({f"CarePlan/{plan}": {"resourceType": "CarePlan", "subject": {}}})
    first = Inbound(id, USAGER, STRUCTURE, PARTNER, key, keyring, "Bundle", around=around)
    its_map, arrived = REGISTRY.received(means, first, lenient=False)
    stands = as_read(its_map.view, arrived.row, arrived.told)
    again = Inbound(id, USAGER, STRUCTURE, PARTNER, key, keyring, "Task", stands=stands)
    _, changed = REGISTRY.received({**means, "status": "completed"}, again, lenient=False)
    assert changed.row.project_id == plan


def test_a_plan_that_says_almost_nothing_is_a_project_all_the_same(keys: Keys):
    keyring, key, _ = keys
    alone = Inbound(uuid4(), USAGER, STRUCTURE, PARTNER, key, keyring, "Bundle")
    plan = {"resourceType": "CarePlan", "status": "unknown", "intent": "plan", "period": {"start": "?"}}
    _, became = REGISTRY.received(plan, alone)
    row = became.row
    assert isinstance(row, Project)
    assert (row.title, row.status, row.number, row.starts) == ("Sans titre", "draft", 1, None)


def test_a_consent_of_an_earlier_bundle_stays_cited(keys: Keys):
    keyring, key, _ = keys
    before = UUID(int=7)
    plan = RESOURCES["CarePlan/projet"] | {
        "supportingInfo": [{**RESOURCES["CarePlan/projet"]["supportingInfo"][0], "reference": f"Consent/{before}"}]
    }
    inbound = Inbound(uuid4(), USAGER, STRUCTURE, PARTNER, key, keyring, "Bundle", local={f"Consent/{before}": before})
    _, became = REGISTRY.received(plan, inbound)
    assert became.told["signed_here"] == [str(before)]
