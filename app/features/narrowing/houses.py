"""What each kind of house starts from, narrower than the law: roles foreign to it read nothing there, volunteers no support.

Practice, to be read again by who directs such houses; a house widens it back, up to the law and no further, or narrows more.
"""

from app.access.openings import Narrowed
from app.access.permissions import Category
from app.security.principal import Role

R, C = Role, Category
Start = tuple[Role, tuple[Category, ...], Narrowed]
ALL = (C.ADMINISTRATIVE, C.SUPPORT, C.CARE, C.JUDICIAL)
FOREIGN: dict[str, tuple[Role, ...]] = {
    "ehpad": (R.ENSEIGNANT,),
    "mas_fam": (R.ENSEIGNANT,),
    "ime": (),
    "savs": (R.ENSEIGNANT, R.VEILLEUR, R.AIDE_SOIGNANT),
    "mecs": (R.AIDE_SOIGNANT, R.IDEC),
    "domicile": (R.ENSEIGNANT, R.VEILLEUR),
}
NARROWER: dict[str, tuple[Start, ...]] = {
    "ehpad": ((R.BENEVOLE, (C.SUPPORT,), Narrowed.NONE), (R.COORDINATEUR, (C.JUDICIAL,), Narrowed.TEAM)),
    "mas_fam": ((R.BENEVOLE, (C.SUPPORT,), Narrowed.NONE), (R.COORDINATEUR, (C.JUDICIAL,), Narrowed.TEAM)),
    "ime": ((R.BENEVOLE, (C.SUPPORT,), Narrowed.NONE), (R.IDEC, (C.CARE,), Narrowed.TEAM)),
    "savs": ((R.BENEVOLE, (C.SUPPORT, C.CARE), Narrowed.NONE),),
    "mecs": ((R.BENEVOLE, (C.SUPPORT, C.CARE), Narrowed.NONE), (R.COORDINATEUR, (C.JUDICIAL,), Narrowed.TEAM)),
    "domicile": ((R.BENEVOLE, (C.SUPPORT, C.CARE), Narrowed.NONE), (R.COORDINATEUR, (C.JUDICIAL,), Narrowed.TEAM)),
}


def starts(model: str) -> list[tuple[Role, Category, Narrowed]]:
    """Role, category, how far: what a new house of this kind starts from."""
    foreign: list[Start] = [(role, ALL, Narrowed.NONE) for role in FOREIGN[model]]
    return [(role, category, to) for role, categories, to in (*foreign, *NARROWER[model]) for category in categories]
