"""The card as it is printed: the link, the code on another slip, and the notice d'information (field.md §5, §9).

« Mes affaires », a phone number, no name of house: whoever finds one slip has neither the other nor a place.
"""

from collections.abc import Iterator
from html import escape
from typing import ClassVar

from sqlalchemy import Text, literal_column

from app.access.entry import DossierView
from app.features.access_cards.notice import FIRST, NOTICE, TITLE
from app.features.access_cards.schemas import CardGiven
from app.features.usagers.models import Usager

HEAD = """<!doctype html>
<html lang="fr"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Carte à imprimer</title>
<style>body{font:1.25rem/1.5 sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem}
section{border:2px dashed;padding:1rem 1.5rem;margin:0 0 2rem;break-inside:avoid;break-after:page}
strong{overflow-wrap:anywhere}.code{font-size:2.5rem;letter-spacing:.3rem}article{break-inside:avoid}</style></head><body>
"""
ONCE = "<p>Le lien et le code ont déjà été donnés. Reprenez cette carte, puis donnez-en une autre.</p>"


class Slip(DossierView, frozen=True):
    """Whom to call: the number of the house that holds the dossier."""

    TABLE: ClassVar = Usager
    COMPUTED: ClassVar = {
        "phone": literal_column(
            "(SELECT s.phone FROM structure s WHERE s.organisation_id = usager.organisation_id AND s.id = usager.structure_id)",
            Text(),
        )
    }

    phone: str | None


def printed(card: CardGiven, phone: str | None) -> bytes:
    return "".join(_parts(card, phone)).encode()


def _parts(card: CardGiven, phone: str | None) -> Iterator[str]:
    yield HEAD
    if card.link is None or card.code is None:
        yield ONCE
    else:
        call = f"<p>Une question ? Appelez le {escape(phone)}.</p>" if phone else ""
        yield f"<section><h1>Mes affaires</h1><p>Ma page :</p><p><strong>{escape(card.link)}</strong></p>"
        yield f"<p>Mon code est sur un autre papier.</p>{call}</section>"
        yield f'<section><h1>Mes affaires</h1><p>Mon code :</p><p class="code"><strong>{escape(card.code)}</strong></p>'
        yield f"<p>Je le garde loin de l'autre papier.</p>{call}</section>"
    yield f"<main><h1>{TITLE}</h1>{_lines(FIRST)}"
    for part in NOTICE:
        yield f"<article><h2>{escape(part.title)}</h2>{_lines(part.before)}"
        if part.items:
            yield f"<ul>{''.join(f'<li>{escape(item)}</li>' for item in part.items)}</ul>"
        yield f"{_lines(part.after)}{_lines((part.phone,) if part.phone else ())}</article>"
    yield "</main></body></html>\n"


def _lines(lines: tuple[str, ...]) -> str:
    return "".join(f"<p>{escape(line)}</p>" for line in lines)
