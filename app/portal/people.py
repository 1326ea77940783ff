"""Who is named on the page, in words: staff by role, relatives by their link, in the voice of the page."""

from dataclasses import dataclass

from app.portal.frame import Gender, Human, Partner, Relative, Staff, ThePerson, Voice, Who
from app.portal.french import sentence
from app.security.principal import Role


@dataclass(frozen=True, slots=True)
class RoleWords:
    feminine: str
    masculine: str
    alone: str  # gender unknown: « une personne de l'équipe éducative »
    after: str  # the same after a name: « Sonia, de l'équipe éducative »


ROLES: dict[Role, RoleWords] = {
    Role.EDUCATEUR: RoleWords("éducatrice", "éducateur", "une personne de l'équipe éducative", "de l'équipe éducative"),
    Role.ACCOMPAGNANT: RoleWords(
        "accompagnante", "accompagnant", "une personne de l'équipe du quotidien", "de l'équipe du quotidien"
    ),
    Role.VEILLEUR: RoleWords("veilleuse de nuit", "veilleur de nuit", "une personne de la nuit", "de l'équipe de nuit"),
    Role.AIDE_SOIGNANT: RoleWords(
        "aide-soignante", "aide-soignant", "une personne de l'équipe soignante", "de l'équipe soignante"
    ),
    Role.INFIRMIER: RoleWords(
        "infirmière", "infirmier", "une personne de l'équipe infirmière", "de l'équipe infirmière"
    ),
    Role.MEDECIN: RoleWords("médecin", "médecin", "une personne de l'équipe médicale", "de l'équipe médicale"),
    Role.PSYCHOLOGUE: RoleWords("psychologue", "psychologue", "une personne psychologue", "psychologue"),
    Role.PARAMEDICAL: RoleWords(
        "rééducatrice", "rééducateur", "une personne de l'équipe de rééducation", "de l'équipe de rééducation"
    ),
    Role.ASSISTANT_SOCIAL: RoleWords(
        "assistante sociale", "assistant social", "une personne du service social", "du service social"
    ),
    Role.ENSEIGNANT: RoleWords("enseignante", "enseignant", "une personne qui enseigne", "de l'école"),
    Role.BENEVOLE: RoleWords("bénévole", "bénévole", "une personne bénévole", "bénévole"),
    Role.CHEF_DE_SERVICE: RoleWords(
        "cheffe de service", "chef de service", "une personne responsable du service", "responsable du service"
    ),
    Role.COORDINATEUR: RoleWords(
        "coordinatrice", "coordinateur", "une personne qui coordonne l'équipe", "à la coordination de l'équipe"
    ),
    Role.IDEC: RoleWords(
        "infirmière responsable", "infirmier responsable", "une personne responsable des soins", "responsable des soins"
    ),
    Role.SECRETARIAT: RoleWords("secrétaire", "secrétaire", "une personne du secrétariat", "du secrétariat"),
    Role.DIRECTION: RoleWords("directrice", "directeur", "une personne de la direction", "de la direction"),
    Role.EVALUATEUR: RoleWords(
        "évaluatrice", "évaluateur", "une personne qui évalue la maison", "en visite d'évaluation"
    ),
    Role.DPO: RoleWords(
        "déléguée à vos données", "délégué à vos données", "une personne qui protège les données", "pour les données"
    ),
    Role.ADMIN: RoleWords(
        "informaticienne", "informaticien", "une personne du service informatique", "du service informatique"
    ),
}

RELATIONS: dict[str, tuple[str, bool]] = {  # the noun, feminine
    "mother": ("mère", True),
    "father": ("père", False),
    "sister": ("sœur", True),
    "brother": ("frère", False),
    "daughter": ("fille", True),
    "son": ("fils", False),
    "tutrice": ("tutrice", True),
    "tuteur": ("tuteur", False),
    "curatrice": ("curatrice", True),
    "curateur": ("curateur", False),
    "personne_de_confiance": ("personne de confiance", True),
}
NEUTRAL_RELATIONS: dict[str, str] = {  # gender unknown, or no possessive said
    "parent": "un de ses parents",
    "proche": "une personne proche",
    "representative": "une personne désignée par le juge",
}


def relation(code: str, voice: Voice) -> str:
    """« sa mère » to the mother, « votre mère » to the person; an unknown code is a KeyError."""
    if code in NEUTRAL_RELATIONS:
        told = NEUTRAL_RELATIONS[code]
        return told.replace(" ses ", {Voice.VOUS: " vos ", Voice.TU: " tes "}.get(voice, " ses "))
    noun, feminine = RELATIONS[code]
    if voice is Voice.VOUS:
        return f"votre {noun}"
    owner = "t" if voice is Voice.TU else "s"
    return f"{owner}{'a' if feminine else 'on'} {noun}"


def who(one: Who, voice: Voice, person: str) -> str:
    """One visitor or author, inside a sentence: « une infirmière », « Sonia, éducatrice », « vous », « le CHU »."""
    match one:
        case ThePerson():
            return {Voice.VOUS: "vous", Voice.TU: "toi"}.get(voice, person)
        case Relative():
            if one.reading_now:
                return "vous"
            link = relation(one.relation, voice)
            return f"{one.name}, {link}" if one.name else link
        case Staff():
            return _staff(one)
        case Partner():
            return one.name


def who_first(one: Who, voice: Voice, person: str) -> str:
    """The same at the start of a line."""
    return sentence(who(one, voice, person))


def human(one: Human) -> str:
    """« Sonia, éducatrice »"""
    if one.role is None:
        return one.name
    return _staff(Staff(role=one.role, gender=one.gender, first_name=one.name))


def _staff(one: Staff) -> str:
    words = ROLES[one.role]
    if one.gender is None:
        return f"{one.first_name}, {words.after}" if one.first_name else words.alone
    feminine = one.gender is Gender.FEMININE
    noun = words.feminine if feminine else words.masculine
    if one.first_name:
        return f"{one.first_name}, {noun}"
    return f"{'une' if feminine else 'un'} {noun}"
