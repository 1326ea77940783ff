"""The copy as a page that any computer opens and prints: one file, no script, nothing fetched from elsewhere."""

from collections.abc import Iterator
from datetime import date, datetime
from html import escape
from typing import Any

from app.kernel.clock import PARIS
from app.vault.copy.gather import Copy
from app.vault.copy.places import TOLD, label

HEAD = """<!doctype html>
<html lang="fr"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Copie de votre dossier</title>
<style>body{font:1.25rem/1.5 sans-serif;max-width:50rem;margin:2rem auto;padding:0 1rem}h2{border-bottom:2px solid}
article{border-top:1px solid #999;padding:.5rem 0;break-inside:avoid}dl{display:grid;grid-template-columns:12rem 1fr;margin:0}
dt{color:#444}dd{margin:0;white-space:pre-wrap;overflow-wrap:anywhere}@media(max-width:40rem){dl{display:block}}</style></head><body>
<h1>Copie de votre dossier</h1>
"""
# Always, for everyone, whatever is in it or not: a copy that said more would tell that there is more.
ALWAYS = (
    "<p>Ces pages sont à vous. Gardez-les dans un endroit sûr.</p>"
    "<p>Certaines choses ne sont pas dans une copie : ce qui parle de quelqu'un d'autre, et ce que la loi réserve. "
    "Si quelque chose vous manque, ou vous semble faux, dites-le à l'équipe. Vous pouvez aussi écrire au délégué à la "
    "protection des données, et à la CNIL.</p>"
)
NO_CARE = (
    "<p><strong>La partie soins n'est pas dans cette copie.</strong> Un professionnel de santé peut l'ajouter : "
    "demandez-la à l'équipe.</p>"
)
ONLY_CARE = "<p><strong>Cette copie contient seulement les soins.</strong></p>"
WORDS = {True: "oui", False: "non"}


def page(copy: Copy) -> str:
    return "".join(_parts(copy))


def _parts(copy: Copy) -> Iterator[str]:
    yield HEAD
    yield f"<p>Faite le {_said(copy.made_at)}.</p>"
    yield ALWAYS
    if not copy.care:
        yield NO_CARE
    if not copy.rest:
        yield ONLY_CARE
    for table, title in TOLD.items():
        rows = copy.sections[table]
        if rows:
            yield f"<section><h2>{escape(title)}</h2>"
            yield from (f"<article>{''.join(_row(row))}</article>" for row in rows)
            yield "</section>"
    yield "</body></html>\n"


def _row(row: dict[str, Any]) -> Iterator[str]:
    """As it stands, then what it was before, the latest first."""
    yield f"<dl>{''.join(_lines(row))}</dl>"
    for version in reversed(row.get("earlier", ())):
        by = f", par {version['by']}" if version["by"] else ""
        words = f"Avant : écrit le {_said(version['at'])}{by}"
        yield f"<h3>{escape(words)}</h3><dl>{''.join(_lines(version))}</dl>"


def _lines(row: dict[str, Any]) -> Iterator[str]:
    for name, value in row.items():
        if name == "file":  # the browser saves it, whatever it is: its type is never told
            where = f"data:application/octet-stream;base64,{value['data']}"
            yield f'<dt>fichier</dt><dd><a download="{escape(value["name"])}" href="{where}">{escape(value["name"])}</a></dd>'
        elif words := label(name):
            yield f"<dt>{escape(words)}</dt><dd>{escape(_said(value))}</dd>"


def _said(value: Any) -> str:
    match value:
        case bool():
            return WORDS[value]
        case list():
            return ", ".join(_said(each) for each in value)
        case {"label": str(words), "text": str(told)}:
            return f"{words} : {told}"
        case {"label": str(words)}:
            return words
        case dict():
            return "\n".join(f"{label(name) or name} : {_said(each)}" for name, each in value.items())
        case str():
            return _day(value)
        case _:
            return str(value)


def _day(text: str) -> str:
    """A day or an instant as one reads it; any other text as it is."""
    if len(text) < len("2026-01-01") or not text[:4].isdigit() or text[4] != "-":
        return text
    try:
        if len(text) == len("2026-01-01"):
            return f"{date.fromisoformat(text):%d/%m/%Y}"
        at = datetime.fromisoformat(text)
        return f"{at.astimezone(PARIS) if at.tzinfo else at:%d/%m/%Y à %Hh%M}"
    except ValueError:
        return text
