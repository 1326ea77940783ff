"""A view made into a page: bytes and their headers. No JavaScript, nothing from another origin, nothing kept.

Everything a person wrote is text: autoescape is on, and no template marks a value as safe.
Source of the headers: https://owasp.org/www-project-secure-headers/
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
from jinja2.runtime import Context
from markupsafe import Markup

from app.features.projects import labels as project_labels
from app.features.projects.vocabulary import Feeling
from app.kernel.clock import PARIS
from app.portal import french, labels, people, wording
from app.portal.frame import THE_PERSON, Answer, Frame, Screen, Staff, Voice, Who
from app.portal.icons import icon
from app.portal.parts import Answered
from app.portal.tiles import tiles
from app.portal.views import Bye, Stop, View

HERE = Path(__file__).parent
STATIC_DIR = HERE / "static"
STATIC_URL = "/static"

POLICY = (
    "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Mapping[str, str] = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """« Ma façon de lire », applied before the first paint."""

    size: Literal["normal", "large", "largest"] = "normal"
    contrast: Literal["auto", "strong"] = "auto"


PLAIN = Reading()


def render(view: View, *, csrf: str, reading: Reading = PLAIN) -> bytes:
    """`csrf` goes into every form of the page, under the name `csrf`."""
    template = _environment().get_template(view.template)
    return template.render(view=view, frame=view.frame, csrf=csrf, reading=reading, **_words(view)).encode()


def headers(view: View) -> dict[str, str]:
    """Leaving also empties what the browser kept."""
    return {**HEADERS, "Clear-Site-Data": '"cache", "storage"'} if isinstance(view, Bye) else dict(HEADERS)


@cache
def asset(name: str) -> str:
    """The address of a static file, changed whenever its bytes change."""
    return f"{STATIC_URL}/{name}?v={sha256((STATIC_DIR / name).read_bytes()).hexdigest()[:10]}"


def _words(view: View) -> dict[str, Any]:
    """The functions that speak in the voice of this page."""
    frame = view.frame
    if frame is None:
        return {"stop": labels.STOPS[view.kind]} if isinstance(view, Stop) else {}
    voice, person = frame.voice, frame.person.first_name

    def own(mine: str, theirs: str) -> str:
        return theirs if voice is Voice.FOR_ANOTHER else mine

    def say(vous: str, tu: str) -> str:
        return tu if voice is Voice.TU else vous

    def by_name(one: Who) -> str:
        return person if one == THE_PERSON else people.who_first(one, voice, person)

    def answer_title(given: Answered) -> str:
        if given.by == THE_PERSON:
            return own("Ma réponse", f"La réponse {french.of(person)}")
        name = people.who(given.by, voice, person)
        return "Votre réponse" if name == "vous" else f"Réponse de : {name}"

    def noted(given: Answered, staff: Staff) -> str:
        return labels.noted(given, staff, voice, person, french.on_day(given.on, frame.today))

    words: dict[str, Any] = {
        "own": own,
        "say": say,
        "by_name": by_name,
        "answer_title": answer_title,
        "noted": noted,
        "heading": lambda screen: labels.title(screen, voice, person),
        "relation": lambda code: people.relation(code, voice),
        "who": lambda one: people.who(one, voice, person),
        "who_first": lambda one: people.who_first(one, voice, person),
        "said": lambda one: labels.said(one.by, one.answer, voice, person),
        "coming": labels.coming(voice, person),
        "stays": lambda one: wording.stays(one, voice, person),
        "eats": lambda one: wording.eats(one, voice, person),
        "next_event": lambda event: labels.next_event(event, frame.today),
    }
    if isinstance(view, Stop):
        words["stop"] = labels.STOPS[view.kind]
    return words


class FrenchSpaces(Extension):
    """The templates' own words get their no-break spaces when they are compiled; values get them in `_told`."""

    def filter_stream(self, stream: TokenStream) -> Iterable[Token]:
        for token in stream:
            yield Token(token.lineno, token.type, french.spaced(token.value)) if token.type == "data" else token


def _told(value: object) -> object:
    """Every value on its way to the page. Nothing prints as « None »."""
    if value is None:
        raise TypeError("A template prints a value that is absent.")
    return value if isinstance(value, Markup) or not isinstance(value, str) else french.spaced(value)


def _whole(words: str) -> Markup:
    """A date that stays on one line."""
    return Markup('<span class="whole">%s</span>') % words


@pass_context
def _on_day(context: Context, when: date) -> Markup:
    frame: Frame = context["frame"]
    return _whole(french.on_day(when, frame.today))


@pass_context
def _near_day(context: Context, when: date) -> str:
    frame: Frame = context["frame"]
    return french.near_day(when, frame.today)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_told,
        extensions=[FrenchSpaces],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters |= {
        "day": french.day,
        "on": lambda when: _whole(french.day(when)),
        "hour": french.hour,
        "birthday": lambda when: f"{french.day_month(when)} {when.year}",
        "paris": lambda when: when.astimezone(PARIS).date(),
        "on_day": _on_day,
        "near_day": _near_day,
        "elided": french.elided,
        "towards": french.towards,
        "listing": french.listing,
        "sentence": french.sentence,
        "digits": lambda phone: "".join(c for c in phone if c.isdigit() or c == "+"),
    }
    environment.globals |= {
        "asset": asset,
        "icon": icon,
        "labels": labels,
        "wording": wording,
        "project_labels": project_labels,
        "tiles": tiles,
        "human": people.human,
        "Screen": Screen,
        "Voice": Voice,
        "Answer": Answer,
        "Feeling": Feeling,
    }
    return environment
