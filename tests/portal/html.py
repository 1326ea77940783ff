"""A page as a small tree, read by the standard library: enough to ask what is where."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

BLOCKS = frozenset(
    [
        "p",
        "h1",
        "h2",
        "h3",
        "h4",
        "li",
        "ul",
        "ol",
        "dl",
        "dt",
        "dd",
        "div",
        "section",
        "article",
        "form",
        "fieldset",
        "legend",
        "button",
        "label",
        "summary",
        "details",
        "blockquote",
        "figure",
        "figcaption",
        "main",
        "header",
        "footer",
        "nav",
        "title",
    ]
)
VOID = frozenset({"input", "meta", "link", "br", "img", "hr"})


@dataclass
class Node:
    tag: str
    attrs: dict[str, str]
    children: list["Node | str"] = field(default_factory=list)

    def walk(self) -> Iterator["Node"]:
        yield self
        for child in self.children:
            if isinstance(child, Node):
                yield from child.walk()

    def all(self, *tags: str, **attrs: str) -> list["Node"]:
        return [
            node
            for node in self.walk()
            if (not tags or node.tag in tags) and all(node.attrs.get(k) == v for k, v in attrs.items())
        ]

    def has_class(self, name: str) -> bool:
        return name in self.attrs.get("class", "").split()

    @property
    def text(self) -> str:
        """All the words inside, one space between them; no-break spaces stay what they are."""
        return re.sub(r"[ \n]+", " ", "".join(pieces(self))).strip()


def pieces(node: Node) -> Iterator[str]:
    """The words inside, a new line around each block."""
    for child in node.children:
        if isinstance(child, str):
            yield child.replace("\n", " ")
        elif child.tag in BLOCKS:
            yield from ("\n", *pieces(child), "\n")
        else:
            yield from pieces(child)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Node("root", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"an attribute twice on <{tag}>"
        node = Node(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Node(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def read(page: bytes) -> Node:
    """The tree. Fails when a tag is left open or closed in the wrong order."""
    reader = _Reader()
    reader.feed(page.decode())
    reader.close()
    assert len(reader.open) == 1, f"<{reader.open[-1].tag}> is never closed"
    return reader.root
