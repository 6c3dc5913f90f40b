"""Arrays, item by item: what an update adds and removes, done to what is there by now. Pure.

So an item that somebody else added or removed in the meantime stays added or removed. Items have
no order and no number: one is there or is not.
"""

from __future__ import annotations

from sync_pipeline.push.values import Json, Values


def with_items_merged(wanted: Values, base: Values, current: Values) -> tuple[Values, Values]:
    """Return what is wanted and what it was asked for by, of arrays in terms of what is there.

    Where an item that is to go was changed by somebody else, and another is to come in its
    place, both stay as they are: that is a conflict.
    """
    merged: dict[str, Json] = {}
    for name, value in wanted.items():
        if _are_arrays(value, base.get(name), current.get(name)):
            result = _merged(_items(value), _items(base.get(name)), _items(current.get(name)))
            if result is not None:
                merged[name] = result or None
    return {**wanted, **merged}, {**base, **{name: current.get(name) for name in merged}}


def _merged(wanted: list[Json], base: list[Json], current: list[Json]) -> list[Json] | None:
    added = [item for item in wanted if item not in base]
    removed = [item for item in base if item not in wanted]
    missing = [item for item in added if item not in current]
    if missing and any(item not in current for item in removed):
        return None
    return [item for item in current if item not in removed] + missing


def _are_arrays(*values: Json) -> bool:
    return any(isinstance(value, list) for value in values) and all(
        value is None or isinstance(value, list) for value in values
    )


def _items(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []
