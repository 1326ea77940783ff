"""Drawings of our own, 24 × 24, one line: always beside their word, never alone."""

from markupsafe import Markup

DRAWINGS = {
    "project": '<path d="M5 21V4m0 1h14l-3 4 3 4H5"/>',
    "agenda": '<path d="M4 6h16v14H4zM4 11h16M8 3v5m8-5v5M8 15h3"/>',
    "journal": '<path d="M4 4h16v12h-9l-5 4v-4H4zM8 8h8m-8 4h5"/>',
    "agreements": '<path d="M20 12v8H4V4h11M8 11l4 4 9-10"/>',
    "access": '<path d="M2 12q10-14 20 0-10 14-20 0z"/><circle cx="12" cy="12" r="3"/>',
    "life": '<path d="M12 21C5 16 2 12 3 8q2-5 7-3l2 2 2-2q5-2 7 3c1 4-2 8-9 13z"/>',
    "documents": '<path d="M3 6h7l2 3h9v11H3zM3 11h18"/>',
    "orientation": '<path d="M12 3v18M5 6h11l3 3-3 3H5zM12 21h4"/>',
    "assessments": '<path d="M5 4h14v17H5zM9 2h6v4H9zM8 11h8m-8 4h5"/>',
    "copies": '<path d="M6 3h9l4 4v14H6zM15 3v4h4M9 12h7m-7 4h7"/>',
    "leave": '<path d="M14 4H5v16h9M10 12h11m-4-4 4 4-4 4"/>',
    "people": '<circle cx="9" cy="8" r="4"/><path d="M2 21q0-7 7-7t7 7M16 4q4 1 3 5-1 2-2 3m2 3q3 2 3 6"/>',
    "phone": '<path d="M5 3h4l2 5-3 2q2 4 6 6l2-3 5 2v4q-1 2-3 2Q4 19 3 6q0-2 2-3z"/>',
    "check": '<path d="m4 13 5 5L20 6"/>',
    "cross": '<path d="m5 5 14 14M19 5 5 19"/>',
    "talk": '<path d="M4 5h16v11h-8l-5 4v-4H4z"/>',
    "wait": '<circle cx="12" cy="12" r="9"/><path d="M12 7v5l3 3"/>',
    "alert": '<path d="M12 3 2 21h20zM12 10v5m0 3v.1"/>',
}


def icon(name: str) -> Markup:
    """The drawing, hidden from screen readers; an unknown name is a KeyError."""
    return Markup(
        '<svg width="24" height="24" viewBox="0 0 24 24" aria-hidden="true" focusable="false">%s</svg>'
    ) % Markup(DRAWINGS[name])  # noqa: S704 -- a constant of this file
