"""Three clients written elsewhere do what partners do, each by its own words: a token, a search page by page, a read, a
create, an update, a transaction, a history. Nothing of ours stands between them and the server.
"""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from fhirclient.client import FHIRClient
from fhirclient.models.bundle import Bundle
from fhirclient.models.goal import Goal
from fhirclient.models.patient import Patient
from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import OperationOutcome, ResourceNotFound

from app.kernel.postgres import Server
from tests.foreign import kit
from tests.foreign.site import SCOPE, Site, aim, person, site, two_at_once
from tests.world import World

pytestmark = pytest.mark.once
BACKEND = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@pytest.fixture(scope="module")
def here(cluster: Server, world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(cluster, world, tmp_path_factory.mktemp("foreign")) as made:
        yield made


def token(here: Site) -> str:
    """As the clients that leave it to their user: one form, at the address that the server tells."""
    known = requests.get(f"{here.base}/.well-known/smart-configuration", timeout=30).json()
    form = {"grant_type": "client_credentials", "scope": SCOPE, "client_assertion_type": BACKEND}
    answer = requests.post(known["token_endpoint"], {**form, "client_assertion": here.assertion()}, timeout=30)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


def test_fhirpy(here: Site):
    client = SyncFHIRClient(here.base, authorization=f"Bearer {token(here)}")
    someone = client.resource("Patient", **person()).create()
    made = [client.resource("Goal", **aim(n, someone.reference)).create() for n in range(5)]

    found = client.resources("Goal").search(patient=someone).limit(2)
    assert {each.id for each in found} == {each.id for each in made}  # three pages, each after the one before
    assert len(found.fetch()) == 2
    lenient = SyncFHIRClient(here.base, client.authorization, {"Prefer": "handling=lenient"})
    assert lenient.resources("Goal").search(patient=someone).count() == 5  # it asks with `_totalMethod`, not of FHIR
    assert client.resources("Patient").search(_id=someone.id).get() == someone

    read = client.reference("Patient", someone.id).to_resource()
    assert read == someone
    read["gender"] = "male"
    read.update()
    assert (read["meta"]["versionId"], client.get("Patient", read.id)["gender"]) == ("2", "male")
    assert someone.refresh()["gender"] == "male"
    assert read.is_valid()

    answer = client.execute("", data=two_at_once())
    kinds = [each["response"]["location"].split("/")[-4] for each in answer["entry"]]
    assert (answer["type"], kinds) == ("transaction-response", ["Patient", "Goal"])

    past = read.execute("_history", method="get")
    assert [each["resource"]["meta"]["versionId"] for each in past["entry"]] == ["2", "1"]

    made[0].delete()
    with pytest.raises(ResourceNotFound):
        client.get("Goal", made[0].id)
    with pytest.raises(OperationOutcome):
        client.resource("Patient", gender="banana").create()


def test_fhirclient(here: Site):
    told = {"app_id": "chu", "api_base": here.base, "jwt_token": here.assertion("RS384"), "scope": SCOPE}
    smart = FHIRClient(settings=told)
    smart.wants_patient = False  # no person launches a backend service
    smart.prepare()
    smart.authorize()  # the address of tokens is the one that the CapabilityStatement tells
    assert smart.ready
    server = smart.server

    someone = Patient(person()).create(server)
    made = [Goal(aim(n, f"Patient/{someone['id']}")).create(server) for n in range(5)]
    found = Goal.where({"patient": someone["id"], "_count": "2"})
    assert [len(page.entry) for page in found.perform_iter(server)] == [2, 2, 1]
    assert {each.id for each in found.perform_resources_iter(server)} == {each["id"] for each in made}

    read = Patient.read(someone["id"], server)
    assert read.as_json() == someone
    read.gender = "male"
    assert read.update()["meta"]["versionId"] == "2"
    assert Patient.read(read.id, server).gender == "male"

    answer = Bundle(Bundle(two_at_once()).create(server))
    assert [each.response.status for each in answer.entry] == ["201 Created", "201 Created"]
    past = Bundle.read_from(f"Patient/{read.id}/_history", server)
    assert [each.resource.meta.versionId for each in past.entry] == ["2", "1"]
    assert Goal.read(answer.entry[1].response.location.split("/")[-3], server).delete() is None


def test_fhir_kit_client(here: Site):
    folder = kit.installed()
    said = {
        "base": here.base,
        "assertion": here.assertion(),
        "scope": SCOPE,
        "person": person(),
        "goals": [aim(n, "") for n in range(5)],
        "two": two_at_once(),
    }
    command = ["node", str(folder / "story.mjs")]
    run = subprocess.run(command, input=json.dumps(said), capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr[-3000:]
    told: dict[str, Any] = json.loads(run.stdout)
    assert told == {
        "made": 5,
        "pages": [2, 2, 1],
        "found": 5,
        "read": True,
        "updated": "2",
        "gender": "male",
        "former": "female",
        "transaction": ["201 Created", "201 Created"],
        "history": ["2", "1"],
        "types": True,
        "patched": "3",
        "deleted": 410,
        "refused": [400, "OperationOutcome"],
    }
