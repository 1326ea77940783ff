"""« Mes documents », on real rows: what is shown, what is opened, a paper added and taken back without a script."""

from typing import Any

import pytest

from app.portal.frame import Screen
from tests.features.documents.papers import HTML, JPEG, PDF, PNG, filed
from tests.portal.html import Node, read
from tests.portal.test_acts import represented
from tests.portal.visitor import Visitor, visit
from tests.world import World

DOCUMENTS = Screen.DOCUMENTS.path
ADD = f"{DOCUMENTS}/ajouter"
MIB = 1024 * 1024


def papers(page: Node) -> dict[str, Node]:
    """Each card, by its title."""
    return {card.all("h2")[0].text: card for card in page.all("article") if card.has_class("paper")}


def add(visitor: Visitor, clear: bytes = PDF, **form: str) -> Any:
    return visitor.send(ADD, ("IMG_2034", clear), csrf=visitor.secret(DOCUMENTS), **form)


def stopped(answer: Any) -> tuple[int, str, str]:
    """Its status, its title, where it leads back."""
    page = read(answer.content)
    (back,) = [link.attrs["href"] for link in page.all("a") if link.has_class("button")]
    return answer.status_code, page.all("h1")[0].text, back


class TestShown:
    def test_what_the_team_shares_and_nothing_of_the_rest(self, world: World) -> None:
        filed(world, PNG, title="Photo du goûter", description="Avec Anne")
        kept = filed(world, title="Note interne", visibility="not_shared").rpartition("/")[2]
        answer = visit(world, "jeanne").get(DOCUMENTS)
        card = papers(read(answer.content))["Photo du goûter"]
        assert "Donné par une personne de l'équipe éducative" in card.text
        assert "Avec Anne" in card.text
        assert "Image, petit fichier" in card.text
        assert "Note interne" not in answer.text
        assert kept not in answer.text

    def test_what_was_filed_in_error_is_not_told(self, world: World) -> None:
        place = filed(world, title="Erreur de dossier")
        assert world.patch("sonia", place, {"status": "entered_in_error"}, 1).status_code == 200
        assert "Erreur de dossier" not in visit(world, "jeanne").get(DOCUMENTS).text

    def test_page_after_page(self, world: World) -> None:
        for n in range(22):
            filed(world, title=f"Courrier {n}", usager_id=str(world.ids["ines"]), structure_id=str(world.ids["mecs"]))
        visitor, seen, where = visit(world, "ines"), [], DOCUMENTS
        while where:
            page = visitor.see(where)
            seen += list(papers(page))
            where = next((a.attrs["href"] for a in page.all("a") if a.text == "Voir plus loin dans le passé"), "")
        assert [title for title in seen if title.startswith("Courrier")] == [f"Courrier {n}" for n in range(21, -1, -1)]

    @pytest.mark.threat("file-shown-inline")
    def test_a_paper_is_saved_never_shown_in_our_name(self, world: World) -> None:
        filed(world, PNG, title="Photo de l'été")
        visitor = visit(world, "jeanne")
        (link,) = [a for a in papers(visitor.see(DOCUMENTS))["Photo de l'été"].all("a")]
        answer = visitor.get(link.attrs["href"])
        assert (answer.content, answer.headers["content-type"]) == (PNG, "image/png")
        assert answer.headers["content-disposition"].startswith('attachment; filename="Photo de l_')
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
        assert answer.headers["cache-control"] == "no-store"
        [line] = world.traces(request_id=answer.headers["x-request-id"])
        assert (line["action"], line["kind"], line["door"]) == ("read", "document", "page")

    @pytest.mark.threat("file-out-of-reach")
    def test_nor_one_out_of_reach(self, world: World) -> None:
        kept = filed(world, visibility="not_shared").rpartition("/")[2]
        other = filed(world, by="marc", who="karim", place="mas_fam").rpartition("/")[2]
        visitor = visit(world, "jeanne")
        assert [visitor.get(f"{DOCUMENTS}/{id}").status_code for id in (kept, other)] == [404, 404]
        assert Visitor(world).get(f"{DOCUMENTS}/{kept}").status_code == 401

    def test_costs_three_statements_at_most(self, world: World) -> None:
        visitor = visit(world, "jeanne")
        visitor.see(DOCUMENTS)
        with world.statements() as counted:
            visitor.see(DOCUMENTS)
        assert len(counted) <= 3


class TestAdd:
    def test_a_photo_with_its_name(self, world: World) -> None:
        visitor = visit(world, "jeanne")
        answer = add(visitor, JPEG, title="Ma carte de bus")
        assert (answer.status_code, answer.headers["location"]) == (303, f"{DOCUMENTS}?note=1")
        card = papers(visitor.see(DOCUMENTS))["Ma carte de bus"]
        assert "Donné par vous" in card.text
        [row] = world.rows("SELECT * FROM document WHERE title = 'Ma carte de bus'")
        assert (row["content_type"], row["category"], row["visibility"]) == ("image/jpeg", "support", "shared")
        assert world.get("sonia", f"/api/v1/documents/{row['id']}/content").content == JPEG

    def test_without_a_name_and_for_the_care_team_alone(self, world: World) -> None:
        clear = PDF + b"% soins"
        assert add(visit(world, "karim"), clear, title="", care="true", only_team="true").status_code == 303
        [row] = world.rows("SELECT * FROM document WHERE author_id = $1", world.ids["karim"])
        assert (row["title"], row["category"], row["visibility"]) == ("Mon document", "care", "not_shared")

    def test_twice_is_once(self, world: World) -> None:
        visitor = visit(world, "jeanne")
        for _ in "ab":
            assert add(visitor, PDF + b"% deux fois", title="Deux fois").status_code == 303
        assert len(world.rows("SELECT 1 FROM document WHERE title = 'Deux fois'")) == 1

    @pytest.mark.parametrize(
        ("file", "told"),
        [
            (("x.html", HTML), (422, "Ce fichier n'est pas accepté ici.")),
            (("x.txt", b"Bonjour"), (422, "Ce fichier n'est pas accepté ici.")),
            (("x.pdf", b""), (422, "Il manque le document.")),
            (None, (422, "Il manque le document.")),
            (("x.pdf", PDF + b"0" * (11 * MIB)), (413, "Ce fichier est trop lourd.")),
        ],
        ids=["html", "text", "empty", "none", "large"],
    )
    @pytest.mark.threat("file-html-upload", "file-too-large")
    def test_a_refusal_says_what_to_do(
        self, world: World, file: tuple[str, bytes] | None, told: tuple[int, str]
    ) -> None:
        visitor = visit(world, "jeanne")
        before = world.rows("SELECT count(*) FROM document")
        answer = visitor.send(ADD, file, csrf=visitor.secret(DOCUMENTS))
        assert stopped(answer) == (*told, DOCUMENTS)
        assert world.rows("SELECT count(*) FROM document") == before

    @pytest.mark.threat("page-csrf")
    def test_not_without_the_secret_of_this_screen(self, world: World) -> None:
        visitor = visit(world, "jeanne")
        before = world.rows("SELECT count(*) FROM document")
        for secret in ("x", visitor.secret(Screen.HOME.path)):
            assert visitor.send(ADD, ("x.pdf", PDF), csrf=secret).status_code == 403
        elsewhere = {"Sec-Fetch-Site": "cross-site"}
        form = {"data": {"csrf": visitor.secret(DOCUMENTS)}, "files": {"file": ("x.pdf", PDF)}}
        assert visitor.ask("POST", ADD, headers=elsewhere, **form).status_code == 403
        assert world.rows("SELECT count(*) FROM document") == before

    @pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data"])
    def test_another_kind_of_form_is_refused(self, world: World, kind: str) -> None:
        visitor = visit(world, "jeanne")
        answer = visitor.ask("POST", ADD, content=b"x", headers={"Content-Type": kind})
        assert answer.status_code in (400, 415)

    def test_nobody_unknown_is_read(self, world: World) -> None:
        assert Visitor(world).send(ADD, ("x.pdf", PDF), csrf="x").status_code == 401


class TestTakeBack:
    def test_in_two_touches(self, world: World) -> None:
        visitor = visit(world, "jeanne")
        add(visitor, PDF + b"% retire", title="À retirer")
        (form,) = papers(visitor.see(DOCUMENTS))["À retirer"].all("form")
        answer = visitor.answer(DOCUMENTS, form.attrs["action"])
        assert (answer.status_code, answer.headers["location"]) == (303, f"{DOCUMENTS}?note=1")
        assert "À retirer" not in papers(visitor.see(DOCUMENTS))
        [row] = world.rows("SELECT * FROM document WHERE title = 'À retirer'")
        assert row["deleted_at"]

    def test_of_what_the_team_filed_it_is_not_offered_nor_done(self, world: World) -> None:
        id = filed(world, title="De l'équipe").rpartition("/")[2]
        visitor = visit(world, "jeanne")
        page = visitor.see(DOCUMENTS)
        assert papers(page)["De l'équipe"].all("form") == []
        assert visitor.post(f"{DOCUMENTS}/{id}/retirer", csrf=visitor.secret(DOCUMENTS)).status_code == 403

    def test_once_the_team_uses_it_it_stays(self, world: World) -> None:
        visitor = visit(world, "jeanne")
        add(visitor, PDF + b"% utile", title="Utile")
        [row] = world.rows("SELECT id FROM document WHERE title = 'Utile'")
        assert world.patch("marc", f"/api/v1/documents/{row['id']}", {"type": "urn:t|1"}, 1).status_code == 200
        card = papers(visitor.see(DOCUMENTS))["Utile"]
        assert card.all("form") == []
        assert "L'équipe s'en sert. Il reste ici." in card.text
        answer = visitor.post(f"{DOCUMENTS}/{row['id']}/retirer", csrf=visitor.secret(DOCUMENTS))
        assert stopped(answer) == (409, "L'équipe se sert de ce document.", DOCUMENTS)


@pytest.mark.threat("paper-read-by-parents")
def test_who_represents_them_reads_what_is_open_to_them(world: World) -> None:
    child = visit(world, "lucas")
    add(child, PDF + b"% dessin", title="Mon dessin")
    add(child, PDF + b"% secret", title="Mon secret", only_team="true")
    parent = represented(world, "lucas")
    page = parent.see(DOCUMENTS)
    shown = papers(page)
    assert "Mon dessin" in shown
    assert "Mon secret" not in page.text
    assert "Donné par Lucas" in shown["Mon dessin"].text
    assert page.all("form", action=ADD) == []
    sent = parent.send(ADD, ("x.pdf", PDF), csrf=parent.secret(Screen.HOME.path))
    assert sent.status_code == 403
