"""Someone with a card, at the real door: the cookie is kept here, the pages are read as trees."""

from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any
from uuid import UUID

from tests.portal.html import Node, read
from tests.world import World

FORM = "application/x-www-form-urlencoded"


@dataclass
class Visitor:
    world: World
    cookie: str = ""

    def get(self, path: str, **more: Any) -> Any:
        return self.ask("GET", path, **more)

    def post(self, path: str, **form: str) -> Any:
        return self.ask("POST", path, data=form)

    def send(self, path: str, file: tuple[str, bytes] | None, **form: str) -> Any:
        """A form of several parts, as a browser posts one with a file."""
        return self.ask("POST", path, data=form, files={"file": file or ("", b"")})

    def see(self, path: str) -> Node:
        """The page at this address, which must open."""
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return read(answer.content)

    def answer(self, screen: str, action: str, **form: str) -> Any:
        """Post a form of this screen, with its secret."""
        forms = self.see(screen).all("form", action=action)
        assert forms, f"no form of {screen} posts to {action}"
        return self.post(action, csrf=secret(forms[0]), **form)

    def secret(self, screen: str) -> str:
        return secret(self.see(screen).all("form")[0])

    def ask(self, method: str, path: str, **more: Any) -> Any:
        headers = {"Cookie": self.cookie, **more.pop("headers", {})}
        self.world.client.cookies.clear()
        return self.world.client.request(method, path, headers=headers, follow_redirects=False, **more)


def secret(form: Node) -> str:
    (field,) = form.all("input", name="csrf")
    return field.attrs["value"]


def visit(world: World, usager: str, contact: UUID | None = None, *, first: bool = False, **how: Any) -> Visitor:
    """Someone who has just typed their code; whose card had the notice read before, unless it is their first visit."""
    link, code = world.card(usager, contact, **how)
    visitor = Visitor(world)
    answer = visitor.post(f"/p/{link}", code=code, device="shared")
    assert answer.status_code == 303, answer.text
    visitor.cookie = cookie_of(answer)
    if not first:
        world.rows("UPDATE personal_access SET notice_at = now() WHERE notice_at IS NULL")
    return visitor


def cookie_of(answer: Any) -> str:
    """What a browser would send back."""
    told = SimpleCookie(answer.headers["set-cookie"])
    ((name, morsel),) = told.items()
    return f"{name}={morsel.value}"
