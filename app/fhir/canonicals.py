"""Canonical addresses of our own words: the same on every server, whatever its address (nothing answers there)."""

OURS = "https://dui-serveur.example/fhir"
CORE = "http://hl7.org/fhir/StructureDefinition/"  # what R4 itself defines


def code_system(name: str) -> str:
    return f"{OURS}/CodeSystem/{name}"


def extension(name: str) -> str:
    return f"{OURS}/StructureDefinition/{name}"
