"""The CapabilityStatement, computed from the registry, so that it cannot promise what no map does.

Source: https://hl7.org/fhir/R4/capabilitystatement.html
"""

from app.fhir.canonicals import OURS
from app.fhir.registry import Beside, Registry
from app.fhir.search.includes import served
from app.fhir.types import CapabilityStatement, CodeableConcept, Coding, Extension
from app.fhir.types.exchange import (
    CapabilityResource,
    Implementation,
    Interaction,
    Operation,
    Rest,
    SearchParam,
    Security,
    Software,
)

VERSION = "0.1.0"
SINCE = "2026-11-22"  # the day these words last changed
FHIR_VERSION = "4.0.1"
RESTFUL_SECURITY = "http://terminology.hl7.org/CodeSystem/restful-security-service"
# Where clients older than /.well-known/smart-configuration look: https://hl7.org/fhir/smart-app-launch/1.0.0/conformance
OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
FORMATS = ("application/fhir+json",)  # everywhere
XML = "Le XML (application/fhir+xml) est lu et répondu à deux portes : les bundles (POST à la racine) et $validate. Ailleurs, JSON."
PATCHED = ("application/json-patch+json",)
READ_AND_SEARCH = (Interaction("read"), Interaction("search-type"))
PAST = tuple(map(Interaction, ("vread", "history-instance", "history-type")))
TRANSACTION = "Toutes les demandes ou aucune, de chaque méthode ; d'un partenaire, par POST à la racine."
BATCH = "Chaque demande pour elle-même, de chaque méthode. Un partenaire écrit ; les autres lisent (GET, HEAD)."
WRITTEN = "Écrit par un partenaire, et de ce qu'il a envoyé seulement."
SEVERAL = "De huit types au plus, dits par _type, par les paramètres qu'ils ont tous."
COMPARTMENT = "http://hl7.org/fhir/CompartmentDefinition/patient"
OF_ONE = "Tout ce que vous avez le droit de lire d'une personne ; _since, _type, _count."
KEPT = "Type sans table à lui : la ressource reçue est gardée telle quelle, et relue par qui l'a envoyée."
EVERYTHING = Operation(
    name="everything", definition="http://hl7.org/fhir/OperationDefinition/Patient-everything", documentation=OF_ONE
)
EXPORT = Operation(
    name="tddui-export",
    definition=f"{OURS}/OperationDefinition/tddui-export",  # app.api.own_profiles
    documentation="Le dossier en un bundle TDDUI, pour la personne ou pour un partenaire qu'elle autorise ; "
    "_type, start, end, manifest.",
)
VALIDATE = Operation(
    name="validate",
    definition="http://hl7.org/fhir/OperationDefinition/Resource-validate",
    documentation="Toutes les fautes d'une ressource envoyée, ou qui est ici ; rien n'est écrit ; profile, mode.",
)


def _writing(name: str) -> tuple[Interaction, ...]:
    """A dossier is not deleted by who sent it."""
    codes = ("create", "update", "patch", *(() if name == "Patient" else ("delete",)))
    return tuple(Interaction(code, WRITTEN) for code in codes)


def statement(registry: Registry, origin: str, token_url: str) -> CapabilityStatement:
    own = [_of_type(name, registry) for name in registry.types]
    kept = [
        CapabilityResource(
            type=name,
            documentation=KEPT,
            interaction=(Interaction("read"), *PAST, *_writing(name)),
            versioning="versioned",
            operation=(VALIDATE,),
        )
        for name in registry.kept_types
    ]
    return CapabilityStatement(
        url=f"{OURS}/CapabilityStatement/dui-serveur",
        version=VERSION,
        name="DuiServeur",
        title="dui-serveur",
        status="active",
        date=SINCE,
        description="Le dossier usager informatisé : ce qui arrive d'un partenaire, et ce que chacun a le droit d'y lire.",
        kind="instance",
        software=Software(name="dui-serveur", version=VERSION),
        implementation=Implementation(description="dui-serveur", url=f"{origin}/fhir"),
        fhirVersion=FHIR_VERSION,
        format=FORMATS,
        patchFormat=PATCHED,
        rest=(
            Rest(
                mode="server",
                documentation=XML,
                security=_security(token_url),
                resource=tuple(sorted([*own, *kept, *map(_beside, registry.beside)], key=lambda r: r.type)),
                interaction=(
                    Interaction("transaction", TRANSACTION),
                    Interaction("batch", BATCH),
                    Interaction("search-system", SEVERAL),
                    Interaction("history-system"),
                ),
                operation=(VALIDATE,),
                compartment=(COMPARTMENT,),
            ),
        ),
    )


def _security(token_url: str) -> Security:
    smart = CodeableConcept((Coding(RESTFUL_SECURITY, "SMART-on-FHIR"),))
    return Security(
        extension=(Extension(url=OAUTH_URIS, extension=(Extension(url="token", valueUri=token_url),)),),
        cors=False,
        service=(smart,),
        description="Jeton porteur ; SMART Backend Services pour un partenaire.",
    )


def _beside(of: Beside) -> CapabilityResource:
    return CapabilityResource(
        type=of.type_name,
        supportedProfile=(of.profile,),
        documentation=of.about,
        interaction=READ_AND_SEARCH,
        searchParam=tuple(SearchParam(name=p, type=of.criteria[p].type) for p in sorted(of.criteria)),
    )


def _of_type(name: str, registry: Registry) -> CapabilityResource:
    maps, (ahead, behind) = registry.own(name), served(registry, name)
    found = {parameter: criterion.type for each in maps for parameter, criterion in each.criteria.items()}
    return CapabilityResource(
        type=name,
        supportedProfile=tuple(dict.fromkeys(profile for each in maps for profile in (each.profile, *each.also))),
        interaction=(*READ_AND_SEARCH, *PAST, *_writing(name)),
        versioning="versioned",
        readHistory=True,
        updateCreate=False,
        conditionalCreate=True,
        conditionalRead="full-support",
        conditionalUpdate=True,
        conditionalDelete="not-supported" if name == "Patient" else "single",
        searchInclude=ahead,
        searchRevInclude=behind,
        searchParam=tuple(SearchParam(name=p, type=found[p]) for p in sorted(found)),
        operation=(VALIDATE, *((EVERYTHING, EXPORT) if name == "Patient" else ())),
    )
