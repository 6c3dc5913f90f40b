"""ROCS's permissions: what a contact's list of them comes to for a channel, and back.

Opted out of a channel is who has Global permissions for it of which none says yes; without any,
nothing is known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .rows import JsonObject, JsonValue


def opt_out(permissions: JsonValue, channel: str) -> bool | None:
    """Whether the list says that its contact wants nothing by this channel."""
    said = [one.get("optin") for one in _objects(permissions) if _is_global(one, channel)]
    return not any(said) if said else None


def with_opt_outs(
    permissions: JsonValue, contact_id: int, wanted: Mapping[str, bool | None]
) -> list[JsonValue]:
    """Give the list changed so that it comes to `wanted`, by channel."""
    rows: list[JsonObject] = [*_objects(permissions)]
    for channel, is_out in wanted.items():
        if opt_out([*rows], channel) == is_out:
            continue
        ours = [one for one in rows if _is_global(one, channel)]
        rows = [one for one in rows if not _is_global(one, channel)]
        if is_out is not None:
            first = ours[0] if ours else _new(rows, contact_id, channel)
            rows.append(first | {"optin": not is_out})
    return [*rows]


def _objects(permissions: JsonValue) -> list[JsonObject]:
    rows = permissions if isinstance(permissions, list) else []
    return [one for one in rows if isinstance(one, dict)]


def _is_global(permission: JsonObject, channel: str) -> bool:
    words = (permission.get("permissionGroupType"), permission.get("permissionType"))
    is_channel = str(permission.get("channelType")).strip().upper() == channel
    return is_channel and all(str(word).strip().lower() == "global" for word in words)


def _new(rows: list[JsonObject], contact_id: int, channel: str) -> JsonObject:
    numbers = [one["id"] for one in rows if isinstance(one.get("id"), int)]
    return {
        "id": max((int(str(number)) for number in numbers), default=contact_id * 10) + 1,
        "channelType": channel,
        "contactId": contact_id,
        "optinType": "Single",
        "permissionGroupType": "Global",
        "permissionType": "GLobal",
        "sourceType": "Api",
    }
