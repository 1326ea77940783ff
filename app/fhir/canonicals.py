"""Canonical addresses of our own words: the same on every server, whatever its address (nothing answers there)."""

OURS = "https://dui-serveur.example/fhir"
CORE = "http://hl7.org/fhir/StructureDefinition/"  # what R4 itself defines
# The versions that our maps, and what we know to be mandatory, were made from: of profiles whose definition is not held.
SPOKEN = {
    "https://interop.esante.gouv.fr/ig/fhir/tddui/": ("2.2.0", "2.3.0", "2.4.0"),
    "https://interop.esante.gouv.fr/ig/fhir/cdl/": ("3.0.0",),
    "https://hl7.fr/ig/fhir/core/": ("2.1.0", "2.2.0"),
    CORE: ("4.0.0", "4.0.1"),
}


def spoken_in(canonical: str) -> tuple[str, ...]:
    return next((versions for start, versions in SPOKEN.items() if canonical.startswith(start)), ())


def code_system(name: str) -> str:
    return f"{OURS}/CodeSystem/{name}"


def extension(name: str) -> str:
    return f"{OURS}/StructureDefinition/{name}"
