"""The main job, from nothing: a partner's bundle comes in, the team continues it, the person reads it and decides.

On the demo, through the doors only; the official bundles when they are here, a bundle of our own always.
"""

import asyncio
import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from starlette.testclient import TestClient

from app.audit import sealer, verify
from app.config import Settings, settings
from app.demo.run import prepare
from app.kernel.crypto import Keyring
from app.main import create_app
from tests.postgres import TestDatabase

ORIGIN = "http://127.0.0.1:8000"
OFFICIAL = Path(__file__).parents[2] / "shared" / "data" / "tddui" / "examples"
BUNDLES = ("Bundle-tddui-bundle-example.v2.4.0.json", "Bundle-tddui-pp-ime-bundle-example.v2.3.0.json")


@dataclass
class Demo:
    client: TestClient
    told: dict[str, Any]
    database: TestDatabase

    def ask(self, kind: str, who: str, verb: str, path: str, **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.told[kind][who]['token']}", **more.pop("headers", {})}
        return self.client.request(verb, path, headers=headers, **more)

    def staff(self, who: str, path: str) -> Any:
        return self.ask("staff", who, "GET", path)

    def send(self, who: str, body: bytes) -> Any:
        headers = {"Content-Type": "application/fhir+json"}
        return self.ask("partners", who, "POST", "/fhir", content=body, headers=headers)

    def read(self, who: str, place: str) -> Any:
        return self.ask("partners", who, "GET", f"/fhir/{place}")

    def run(self, act: Any) -> Any:
        async def main() -> Any:
            connection = await asyncpg.connect(self.database.owner_url)
            try:
                return await act(connection)
            finally:
                await connection.close()

        return asyncio.run(main())


@pytest.fixture(scope="module")
def demo(database: TestDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("demo")
    Keyring.create(folder / "keys.json", demo=True)
    config = Settings(
        database_url=database.app_url,
        owner_database_url=database.owner_url,
        sealer_database_url=database.sealer_url,
        key_file=folder / "keys.json",
        data=folder,
        demo=True,
        pool_size=4,
        public_origins=ORIGIN,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DUI_DEMO", "1")
        settings.cache_clear()
        told = asyncio.run(prepare(config, ORIGIN)).told
        with TestClient(create_app(config), base_url=ORIGIN, follow_redirects=False) as client:
            yield Demo(client, told, database)
    settings.cache_clear()


def official(name: str) -> bytes:
    path = OFFICIAL / name
    if not path.exists():
        pytest.skip("The official examples are not beside this checkout (../shared/data/tddui).")
    return path.read_bytes()


def places(answer: Any) -> list[str]:
    """`Type/id` of each entry of a transaction-response."""
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["resourceType"], told["type"]) == ("Bundle", "transaction-response")
    responses = [entry["response"] for entry in told["entry"]]
    assert {r["status"] for r in responses} == {"201 Created"}
    return [re.sub(r"/_history/.*", "", r["location"]) for r in responses]


def unchanged(sent: Any, read: Any) -> bool:
    """Equal but for what the server says of its own: id, version, instant, tags, references, status of the INS."""

    def bare(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: bare(v) for k, v in value.items() if k not in ("id", "meta", "reference", "text")}
        return [bare(v) for v in value] if isinstance(value, list) else value

    return bool(bare(sent) == bare(read))


@pytest.mark.parametrize("name", BUNDLES)
class TestOfficialBundles:
    def test_come_in_as_published_are_read_back_and_nobody_else_sees_them(self, demo: Demo, name: str):
        body = official(name)
        came = places(demo.send("chu", body))
        sent = [entry["resource"] for entry in json.loads(body)["entry"]]
        assert len(came) == len(sent)
        for resource, place in zip(sent, came, strict=True):
            back = demo.read("chu", place)
            assert back.status_code == 200, place
            assert unchanged(resource, back.json()), place
            there = demo.read("mdph", place)
            never = demo.read("mdph", f"{resource['resourceType']}/{uuid4()}")
            assert there.status_code == never.status_code == 404
            assert [i["diagnostics"] for i in there.json()["issue"]] == [
                i["diagnostics"] for i in never.json()["issue"]
            ]

    def test_sent_twice_make_no_second_row(self, demo: Demo, name: str):
        body = official(name)
        assert places(demo.send("chu", body)) == places(demo.send("chu", body))


class TestAProjectThatArrived:
    @pytest.fixture(scope="class")
    @classmethod
    def arrived(cls, demo: Demo) -> dict[str, str]:
        body = official(BUNDLES[1])
        return {place.partition("/")[0]: place.partition("/")[2] for place in places(demo.send("chu", body))}

    def test_the_chief_reads_it_at_once_the_referent_once_in_the_team_the_secretary_never(
        self, demo: Demo, arrived: dict[str, str]
    ):
        project = f"/api/v1/projects/{arrived['CarePlan']}"
        assert demo.staff("chef_de_service", project).status_code == 200
        assert demo.staff("educatrice", project).status_code == 404
        usager = demo.staff("chef_de_service", project).json()["usager_id"]
        structure = demo.staff("chef_de_service", project).json()["structure_id"]
        member = {
            "usager_id": usager,
            "structure_id": structure,
            "professional_id": demo.told["staff"]["educatrice"]["id"],
        }
        added = demo.ask("staff", "chef_de_service", "POST", "/api/v1/teams/members", json=member)
        assert added.status_code == 201, added.text
        assert demo.staff("educatrice", project).status_code == 200
        assert demo.staff("secretaire", project).status_code == 404

    def test_a_card_given_to_the_person_shows_it_on_their_page(self, demo: Demo, arrived: dict[str, str]):
        project = demo.staff("chef_de_service", f"/api/v1/projects/{arrived['CarePlan']}").json()
        given = demo.ask(
            "staff", "chef_de_service", "POST", "/api/v1/access/cards", json={"usager_id": project["usager_id"]}
        )
        assert given.status_code == 201, given.text
        door = given.json()["link"].removeprefix(ORIGIN)
        assert demo.client.post(door, data={"code": given.json()["code"]}).headers["location"] == "/mon-dossier"
        page = demo.client.get("/mon-dossier/projet")
        assert page.status_code == 200
        goals = project["goals"]
        assert goals
        assert all(html.escape(goal["title"]) in page.text for goal in goals)


class TestJeanneDecides:
    def test_the_partner_reads_her_project_until_she_says_no(self, demo: Demo):
        own = places(demo.send("chu", official(BUNDLES[1])))
        usager = demo.told["usagers"]["jeanne"]["id"]
        found = demo.ask("partners", "chu", "GET", f"/fhir/CarePlan?patient=Patient/{usager}")
        assert found.status_code == 200, found.text
        project = found.json()["entry"][0]["resource"]["id"]
        assert demo.read("chu", f"CarePlan/{project}").status_code == 200
        self.withdraw(demo)
        assert demo.read("chu", f"CarePlan/{project}").status_code == 404
        assert [demo.read("chu", place).status_code for place in own] == [200] * len(own)

    def withdraw(self, demo: Demo) -> None:
        """On her page, by the link and the code of her card."""
        card = demo.told["usagers"]["jeanne"]
        door = card["link"].removeprefix(ORIGIN)
        assert demo.client.get(door).status_code == 200
        entered = demo.client.post(door, data={"code": card["code"]})
        assert (entered.status_code, entered.headers["location"]) == (303, "/mon-dossier")
        page = demo.client.get("/mon-dossier/accords").text
        form = next(f for f in re.findall(r"<form.*?</form>", page, re.DOTALL) if 'value="no"' in f and "accords/" in f)
        action = re.search(r'action="([^"]+)"', form)
        csrf = re.search(r'name="csrf" value="([^"]+)"', page)
        assert action is not None
        assert csrf is not None
        answered = demo.client.post(action[1], data={"csrf": csrf[1], "answer": "no"})
        assert answered.status_code == 303, answered.text


def test_the_trail_tells_all_of_it_and_holds(demo: Demo):
    async def seal(connection: asyncpg.Connection) -> int:
        sealed = await asyncpg.connect(demo.database.sealer_url)
        try:
            return await sealer.seal_all(sealed)
        finally:
            await sealed.close()

    async def check(connection: asyncpg.Connection) -> list[verify.Verdict]:
        return [v async for v in verify.verify_all(connection)]

    demo.staff("educatrice", "/api/v1/transmissions")
    demo.run(seal)
    verdicts = demo.run(check)
    assert verdicts
    assert all(v.broken is None for v in verdicts)

    async def alter(connection: asyncpg.Connection) -> None:
        await connection.execute(
            "UPDATE audit_entry SET outcome = 'empty' WHERE id = (SELECT id FROM audit_entry ORDER BY xid LIMIT 1)"
        )

    demo.run(alter)
    assert any(v.broken is not None for v in demo.run(check))
