"""Canonical addresses of our own words: the same on every server, whatever its address (nothing answers there)."""

OURS = "https://dui-serveur.example/fhir"


def code_system(name: str) -> str:
    return f"{OURS}/CodeSystem/{name}"


def extension(name: str) -> str:
    return f"{OURS}/StructureDefinition/{name}"
