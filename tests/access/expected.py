"""The access matrix as `expected.csv` says it, by hand; it imports nothing of the product."""

import csv
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
KINDS = {
    "identity": "usager usager_identifier contact mandate stay",
    "sharing": "sharing_consent consent_answer opposition",
    "round": "emergency_sheet emergency_access team_member",
    "attendance": "presence presence_schedule",
    "daily": "transmission event document",
    "around": "meal transport",
    "planned": "need goal action service means review",
    "plan_parts": "project planned",
    "project_parts": "plan_parts expectation agreement",
    "orientation": "orientation_request orientation_decision",
    "life": "life_project school_period mobility",
    "exchangeable": "identity emergency_sheet daily attendance around project_parts life orientation death assessment kept_resource",
    "dossier": "exchangeable sharing emergency_access team_member judicial_decision consigne stated_purpose shared_team handover",
    "directory": "structure setting unit professional membership unit_team on_call narrowing partner resource",
}
WHO = {
    "carers": "aide_soignant infirmier medecin psychologue paramedical",
    "near": "educateur accompagnant veilleur carers idec assistant_social",
    "leads": "chef_de_service coordinateur",
    "staff": "near leads enseignant benevole secretariat direction evaluateur dpo admin",
}
Cells = dict[tuple[str, str, str, str], str]


def each(words: str, groups: dict[str, str]) -> Iterator[str]:
    for word in words.split():
        if word in groups:
            yield from each(groups[word], groups)
        else:
            yield word


def expected() -> Cells:
    cells: Cells = {}
    with (HERE / "expected.csv").open(encoding="utf-8", newline="") as lines:
        for line in csv.DictReader(lines):
            for who in each(line["who"], WHO):
                for kind in each(line["kinds"], KINDS):
                    for category in line["categories"].split():
                        for action in line["actions"].split():
                            cell = (who, kind, category, action)
                            assert cell not in cells, f"{cell} is said twice"
                            cells[cell] = line["reach"]
    return cells
