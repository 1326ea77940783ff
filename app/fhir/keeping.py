"""What a map does not model is kept beside the row (`extra`) and given back: `leftover` takes it apart, `merge` puts it back.

The promise, whatever the map: `merge(modelled, leftover(received, modelled))` is `received`, but for rules 5 and 6. Later, when the team has written, what is modelled wins:

1. An element that the map does not know is kept whole and given back whole.
2. A value that the map says otherwise (`2024-05-03T09:00:00+02:00`, which we hold in UTC) is kept with what the map said
   then; the received spelling comes back as long as the map still says that, never after.
3. A list of plain values (given names, lines of an address) is one value. What stands beside a value (`_line`, `_gender`)
   comes back as long as the value is the one it stood beside.
4. A list of objects is aligned item by item: what the map says of an item is in it; else same `id`, `url`, `linkId`, `system` with `value` or `code`, `reference`, or what its
   `type`, `code`, `coding`, `use`, first reference or first extension says; else the same place in a list of the same
   length. What was kept of an item that the team took away goes with it; an item that only the sender knew stays in its
   place; new items come last.
5. `id` and `meta.versionId`, `meta.lastUpdated`, `meta.source` are this server's: never kept.
6. What the map gives and was not received (what a column had to say) is left out as long as the map says the same. But whom it is
   about is always told, of what profile, and what its map always says.

`extra` is plain JSON: {"kept": {name: value}, "within": {name: node}, "unsaid": {name: value}}, a node being such an object
again, {"was": …, "is": …} for a value, {"beside": …, "is": …} for what stands beside one, or {"items": […], "of": length,
"unsaid": [item]}.
References must be rewritten before `leftover` is called. Of someone who was attached to a person who was here, `extra` also
says `known_as`, the id its sender was given for them: what is kept names them so.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

Json = dict[str, Any]

KEPT, WITHIN, UNSAID, WAS, IS, BESIDE, ITEMS = "kept", "within", "unsaid", "was", "is", "beside", "items"
KNOWN_AS = "known_as"
AS_SENT = "as_sent"  # how the sender spelled what is told to anyone else by our ids
OF_WHOM = frozenset({"subject", "patient", "for"})
WHOLE, KEY, AT, LEFT, OF = "whole", "key", "at", "left", "of"
OURS = frozenset({"versionId", "lastUpdated", "source"})
TOLD_WHOLE = ("meta", *sorted(OF_WHOM))
ALWAYS = frozenset({"resourceType", "id", *TOLD_WHOLE})
KEY_DEPTH = 6  # how far a key is looked for inside an item


def leftover(received: Mapping[str, Any], modelled: Mapping[str, Any], always: frozenset[str] = frozenset()) -> Json:
    """What tells `received` from `modelled`; an empty object when they say the same. `always`: what is never left out."""
    mine = {name: value for name, value in received.items() if name not in ("id", "resourceType")}
    if isinstance(mine.get("meta"), dict):
        mine["meta"] = {name: value for name, value in mine["meta"].items() if name not in OURS}
        if not mine["meta"]:
            del mine["meta"]
    for name in {"id", *always} & modelled.keys():
        mine.setdefault(name, modelled[name])
    for name in TOLD_WHOLE:
        if name in mine and isinstance(mine[name], dict) and isinstance(modelled.get(name), dict):
            mine[name] = {**modelled[name], **mine[name]}
    left = _apart(mine, modelled)
    if UNSAID in left:
        left[UNSAID] = {name: value for name, value in left[UNSAID].items() if name not in ALWAYS}
        if not left[UNSAID]:
            del left[UNSAID]
    return left


def merge(modelled: Mapping[str, Any], extra: Mapping[str, Any]) -> Json:
    """What goes out: what `modelled` says that is not left out, and what `extra` adds to it."""
    return _together(modelled, {part: extra.get(part, {}) for part in (KEPT, WITHIN, UNSAID)})


def of_whom(extra: Mapping[str, Any]) -> Json:
    """The same, silent on whose the resource is: the row says it. Its sender may know the person by another id."""
    within = dict(extra.get(WITHIN, {}))
    for name in OF_WHOM & within.keys():
        inner = {n: node for n, node in within[name].get(WITHIN, {}).items() if n != "reference"}
        within[name] = {**within[name], WITHIN: inner}
    return {**extra, WITHIN: within}


def same(one: Any, other: Any) -> bool:
    """Equal as JSON: `true` is not 1, here as on the wire."""
    if type(one) is str:
        return bool(one == other)
    if isinstance(one, dict) and isinstance(other, dict):
        if one.keys() != other.keys():
            return False
        for name, value in one.items():  # a loop: this is asked of every element received
            if not same(value, other[name]):
                return False
        return True
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def key(item: Mapping[str, Any], depth: int = KEY_DEPTH) -> str | None:
    """What tells this item from its neighbours and survives a correction of the rest; None when nothing does."""
    for name in ("id", "url", "reference", "linkId"):
        if isinstance(item.get(name), str):
            return f"{name}={item[name]}"
    if isinstance(item.get("system"), str):
        return "|".join([item["system"], *(str(item[name]) for name in ("value", "code") if name in item)])
    for name in ("type", "code", "coding"):
        if found := _first_key(item.get(name), depth):
            return f"{name}:{found}"
    if isinstance(item.get("use"), str):
        return f"use={item['use']}"
    for name in sorted(item):
        if isinstance(item[name], dict) and isinstance(item[name].get("reference"), str):
            return f"{name}:{item[name]['reference']}"
    return _first_key(item.get("extension"), depth)


def aligned(wanted: Sequence[Json], offered: Sequence[str | None], by_place: bool) -> dict[int, int]:
    """Place in `wanted` → place in `offered`: same key and place, then same key, then same place.

    Among several of one key, the first that is free. Each place is looked at a few times, however long the lists.
    """
    free = set(range(len(offered)))
    of_key: dict[str | None, list[int]] = {}
    for at, name in enumerate(offered):
        of_key.setdefault(name, []).append(at)
    left = {name: iter(places) for name, places in of_key.items() if name is not None}
    finds: list[Callable[[Json], int | None]] = [
        lambda entry: entry[AT] if entry[AT] in free and offered[entry[AT]] == entry[KEY] is not None else None,
        lambda entry: next((at for at in left.get(entry[KEY], ()) if at in free), None),
        lambda entry: entry[AT] if by_place and entry[AT] in free else None,
    ]
    pairs: dict[int, int] = {}
    for find in finds:
        for place, entry in enumerate(wanted):
            found = find(entry) if place not in pairs else None
            if found is not None:
                pairs[place] = found
                free.remove(found)
    return dict(sorted(pairs.items()))


def _first_key(inner: Any, depth: int) -> str | None:
    """Of an extension that holds a concept (a discriminator), the concept tells, not the URL that all share."""
    first = inner[0] if isinstance(inner, (list, tuple)) and inner else inner
    if not isinstance(first, dict) or not depth:
        return None
    concept = first.get("valueCodeableConcept")
    return key(concept if isinstance(concept, dict) else first, depth - 1)


def _apart(received: Mapping[str, Any], modelled: Mapping[str, Any]) -> Json:
    kept: Json = {}
    within: Json = {}
    for name, value in received.items():
        if name in modelled:
            if node := _difference(value, modelled[name]):
                within[name] = node
        elif name.startswith("_"):
            within[name] = _beside(name[1:], value, received)
        else:
            kept[name] = value
    unsaid = {name: value for name, value in modelled.items() if name not in received}
    return {part: content for part, content in ((KEPT, kept), (WITHIN, within), (UNSAID, unsaid)) if content}


def _beside(name: str, value: Any, together: Mapping[str, Any]) -> Json:
    return {IS: value, BESIDE: together[name]} if name in together else {IS: value, "alone": True}


def _difference(received: Any, modelled: Any) -> Json:
    if same(received, modelled):
        return {}
    if isinstance(received, dict) and isinstance(modelled, dict):
        return _apart(received, modelled)
    if _objects(received) and _objects(modelled):
        return _items_apart(received, modelled)
    return {WAS: modelled, IS: received}


def _objects(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and bool(value) and all(isinstance(item, dict) for item in value)


def _items_apart(received: Sequence[Json], modelled: Sequence[Json]) -> Json:
    """One entry for each received item, in their order: the item when unknown to the map, else where to find it."""
    pairs = _in_order(received, modelled)
    if pairs is None:
        wanted = [{KEY: key(item), AT: place} for place, item in enumerate(received)]
        pairs = aligned(wanted, [key(item) for item in modelled], len(received) == len(modelled))
    items: list[Json] = []
    for place, item in enumerate(received):
        at = pairs.get(place)
        if at is None:
            items.append({WHOLE: item})
        else:
            items.append({KEY: key(modelled[at]), AT: at, LEFT: _apart(item, modelled[at])})
    paired, known = list(pairs.values()), set(pairs.values())
    unsaid = [item for at, item in enumerate(modelled) if at not in known]
    if not unsaid and all(entry.get(LEFT) == {} for entry in items) and paired == sorted(paired):
        return {}
    return {ITEMS: items, OF: len(modelled), **({UNSAID: unsaid} if unsaid else {})}


def _text(item: Json) -> bytes:
    return orjson.dumps(item, option=orjson.OPT_SORT_KEYS)


def _in_order(received: Sequence[Json], modelled: Sequence[Json]) -> dict[int, int] | None:
    """Place in `received` → place in `modelled`, when the map only left things out and kept the order; else None."""
    pairs: dict[int, int] = {}
    places = iter(range(len(received)))
    for at, item in enumerate(modelled):
        place = next((place for place in places if _holds(received[place], item)), None)
        if place is None:
            return None
        pairs[place] = at
    return pairs


def _holds(whole: Any, part: Any) -> bool:
    """Whether `part` says nothing that `whole` does not say."""
    if isinstance(whole, (list, tuple)) and isinstance(part, (list, tuple)) and len(part) > len(whole):
        return False  # before looking at each: this is asked of every item it could be
    if isinstance(whole, dict) and isinstance(part, dict):
        return all(name in whole and _holds(whole[name], value) for name, value in part.items())
    if _objects(whole) and (_objects(part) or part in ([], ())):
        return _in_order(whole, part) is not None
    return same(whole, part)


def _together(modelled: Mapping[str, Any], extra: Mapping[str, Any]) -> Json:
    unsaid = extra.get(UNSAID, {})
    out = {name: value for name, value in modelled.items() if name not in unsaid or not same(value, unsaid[name])}
    for name, value in extra.get(KEPT, {}).items():
        out.setdefault(name, value)
    beside = []
    for name, node in extra.get(WITHIN, {}).items():
        if name in modelled:
            out[name] = _restored(modelled[name], node)
        else:
            beside.append((name, node))
    for name, node in beside:
        if _still_beside(name[1:], node, out):
            out[name] = node[IS]
    return out


def _still_beside(name: str, node: Mapping[str, Any], out: Mapping[str, Any]) -> bool:
    if BESIDE in node:
        return name in out and same(out[name], node[BESIDE])
    return "alone" in node and name not in out


def _restored(modelled: Any, node: Mapping[str, Any]) -> Any:
    if WAS in node:
        return node[IS] if same(modelled, node[WAS]) else modelled
    if ITEMS in node:
        return _items_together(modelled, node) if _objects(modelled) else modelled
    return _together(modelled, node) if isinstance(modelled, dict) else modelled


def _items_together(modelled: Sequence[Json], node: Mapping[str, Any]) -> list[Json]:
    known = [entry for entry in node[ITEMS] if WHOLE not in entry]
    alone = len(known) == len(modelled) == node[OF] == 1
    pairs = {0: 0} if alone else aligned(known, [key(item) for item in modelled], len(modelled) == node[OF])
    places = iter(range(len(known)))
    out: list[Json] = []
    for entry in node[ITEMS]:
        if WHOLE in entry:
            out.append(entry[WHOLE])
        elif (at := pairs.get(next(places))) is not None:
            out.append(_together(modelled[at], entry[LEFT]))
    paired, unsaid = set(pairs.values()), {_text(item) for item in node.get(UNSAID, ())}
    return out + [item for at, item in enumerate(modelled) if at not in paired and _text(item) not in unsaid]
