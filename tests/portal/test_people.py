"""Who is named, and how."""

import pytest

from app.portal import people
from app.portal.frame import THE_PERSON, Gender, Human, Partner, Relative, Staff, Voice, Who
from app.security.principal import Role


@pytest.mark.parametrize("role", Role)
def test_every_role_has_words_that_say_no_gender(role: Role) -> None:
    assert people.who(Staff(role=role), Voice.VOUS, "Jeanne").startswith("une personne ")


@pytest.mark.parametrize(
    ("staff", "told"),
    [
        (Staff(role=Role.INFIRMIER, gender=Gender.FEMININE), "une infirmière"),
        (Staff(role=Role.INFIRMIER, gender=Gender.MASCULINE), "un infirmier"),
        (Staff(role=Role.INFIRMIER), "une personne de l'équipe infirmière"),
        (Staff(role=Role.EDUCATEUR, gender=Gender.FEMININE, first_name="Sonia"), "Sonia, éducatrice"),
        (Staff(role=Role.EDUCATEUR, first_name="Sonia"), "Sonia, de l'équipe éducative"),
    ],
)
def test_staff_are_shown_by_role(staff: Staff, told: str) -> None:
    assert people.who(staff, Voice.VOUS, "Jeanne") == told


@pytest.mark.parametrize(
    ("one", "voice", "told"),
    [
        (THE_PERSON, Voice.VOUS, "vous"),
        (THE_PERSON, Voice.TU, "toi"),
        (THE_PERSON, Voice.FOR_ANOTHER, "Lucas"),
        (Relative(relation="mother", name="Claire Martin"), Voice.VOUS, "Claire Martin, votre mère"),
        (Relative(relation="father"), Voice.TU, "ton père"),
        (Relative(relation="curateur"), Voice.FOR_ANOTHER, "son curateur"),
        (Relative(relation="mother", reading_now=True), Voice.FOR_ANOTHER, "vous"),
        (Relative(relation="parent"), Voice.VOUS, "un de vos parents"),
        (Relative(relation="parent"), Voice.TU, "un de tes parents"),
        (Relative(relation="parent"), Voice.FOR_ANOTHER, "un de ses parents"),
        (Partner(name="le CHU"), Voice.VOUS, "le CHU"),
    ],
)
def test_each_is_named_in_the_voice_of_the_page(one: Who, voice: Voice, told: str) -> None:
    assert people.who(one, voice, "Lucas") == told


def test_an_unknown_relation_is_refused_loudly() -> None:
    with pytest.raises(KeyError):
        people.relation("cousin de la voisine", Voice.VOUS)


def test_the_human_of_the_foot_has_a_name_and_perhaps_a_role() -> None:
    assert people.human(Human(name="Sonia", phone="04")) == "Sonia"
    told = people.human(Human(name="Sonia", phone="04", role=Role.EDUCATEUR, gender=Gender.FEMININE))
    assert told == "Sonia, éducatrice"
