"""The grid of needs of SERAFIN-PH: each need of the nomenclature, the linkId under which it is answered, a whole number.

Written here from the facts alone (linkIds, codes, labels), so that an evaluation made here is read elsewhere.
Sources: nomenclature SERAFIN-PH (CNSA), block 1; TDDUI 2.4.0, tddui-questionnaire-serafin
"""

from typing import Any

URL = "https://interop.esante.gouv.fr/ig/fhir/tddui/Questionnaire/tddui-questionnaire-serafin"
VERSION = "2.4.0"
NOMENCLATURE = "https://smt.esante.gouv.fr/terminologie-SERAFINPH"
NEEDS = (
    ("besoin-serafin", "1", "Besoins"),
    ("besoin-sante-som-psy", "1.1", "Besoins en matière de santé somatique ou psychique"),
    (
        "besoin-fonc-ment",
        "1.1.1",
        "Besoins en matière de fonctions mentales, psychiques, cognitives et du système nerveux",
    ),
    ("besoin-fonc-sensorielle", "1.1.2", "Besoins en matière de fonctions sensorielles"),
    ("besoin-douleur", "1.1.3", "Besoins en matière de douleur"),
    ("besoin-voix", "1.1.4", "Besoins relatifs à la voix, à la parole et à l'appareil bucco-dentaire"),
    (
        "besoin-cardio-vasc",
        "1.1.5",
        "Besoins en matière de fonctions cardio-vasculaire, hématopoïétique, immunitaire et respiratoire",
    ),
    ("besoin-dig", "1.1.6", "Besoins en matière de fonctions digestive, métabolique et endocrinienne"),
    ("besoin-genito-uri", "1.1.7", "Besoins en matière de fonctions génito-urinaire et reproductive"),
    ("besoin-loco-mot", "1.1.8", "Besoins en matière de fonctions locomotrices"),
    ("besoin-peau", "1.1.9", "Besoins relatifs à la peau et aux structures associées"),
    ("besoin-entretien", "1.1.10", "Besoins pour entretenir et prendre soin de sa santé"),
    ("besoin-autonomie", "1.2", "Besoins en matière d'autonomie"),
    ("besoin-entretien-personnel", "1.2.1.1", "Besoins en lien avec l'entretien personnel"),
    ("besoin-relations", "1.2.1.2", "Besoins en lien avec les relations et les interactions avec autrui"),
    ("besoin-mobilite", "1.2.1.3", "Besoins pour la mobilité"),
    ("besoin-decision", "1.2.1.4", "Besoins pour prendre des décisions adaptées et pour la sécurité"),
    ("besoin-participation-sociale", "1.3", "Besoins pour la participation sociale"),
    ("besoin-droit-citoyen", "1.3.1", "Besoins pour accéder aux droits et à la citoyenneté"),
    ("besoin-logement", "1.3.2", "Besoins pour vivre dans un logement et accomplir les activités domestiques"),
    ("besoin-vivre-logement", "1.3.2.1", "Besoins pour vivre dans un logement"),
    ("besoin-activite-dom", "1.3.2.2", "Besoins pour accomplir les activités domestiques"),
    (
        "besoin-insertion-sociale",
        "1.3.3",
        "Besoins pour l'insertion sociale et professionnelle et pour exercer ses rôles sociaux",
    ),
    ("besoin-vie-scolaire", "1.3.3.1", "Besoins en lien avec la vie scolaire et étudiante"),
    ("besoin-activite-domestique", "1.3.3.2", "Besoins en lien avec le travail et l'emploi"),
    ("besoin-apprentissage", "1.3.3.3", "Besoins transversaux en matière d'apprentissages"),
    ("besoin-famille", "1.3.3.4", "Besoins pour la vie familiale, la parentalité, la vie affective et sexuelle"),
    ("besoin-pair-aidant", "1.3.3.5", "Besoins pour apprendre à être pair-aidant"),
    (
        "besoin-vie-sociale-moyen-transport",
        "1.3.4",
        "Besoins pour participer à la vie sociale et se déplacer avec un moyen de transport",
    ),
    ("besoin-vie-sociale", "1.3.4.1", "Besoins pour participer à la vie sociale"),
    ("besoin-moyen-transport", "1.3.4.2", "Besoins pour se déplacer avec un moyen de transport"),
    ("besoin-economie", "1.3.5", "Besoins en matière de ressources et d'autosuffisance économique"),
)


def questionnaire() -> dict[str, Any]:
    return {
        "resourceType": "Questionnaire",
        "id": "serafin-ph",
        "url": URL,
        "version": VERSION,
        "name": "GrilleSerafinPH",
        "title": "Évaluation des besoins SERAFIN-PH",
        "status": "active",
        "subjectType": ["Patient"],
        "description": "Un nombre entier par besoin de la nomenclature SERAFIN-PH (bloc 1).",
        "item": [
            {
                "linkId": link_id,
                "code": [{"system": NOMENCLATURE, "code": code, "display": label}],
                "prefix": code,
                "text": label,
                "type": "integer",
            }
            for link_id, code, label in NEEDS
        ],
    }
