"""Changes that come by themselves: mostly updates, some inserts, few deletions, in every entity.

The k-th of a world is drawn by its seed and k alone; only instants are of the clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .chance import chance, happens
from .changes import Change, deletion, insertion, update
from .estate import STATUS_NAMES
from .names import CULTURES
from .newborn import now
from .places import COUNTRIES
from .rows import (
    ApprovalRequest,
    Campaign,
    Communication,
    Contact,
    ContactList,
    Plan,
    Row,
    Specification,
    Tenant,
    key_of,
)

if TYPE_CHECKING:
    from random import Random

    from .live import LiveWorld, Name
    from .rows import JsonObject

# By entity: how many of a thousand changes update, insert and delete.
_SHARES: dict[Name, tuple[int, int, int]] = {
    ("crmcom", "contacts"): (140, 20, 6),
    ("crmcom", "communications"): (280, 70, 12),
    ("crmcom", "approval_requests"): (80, 15, 5),
    ("rocs", "contacts"): (120, 15, 6),
    ("rocs", "communications"): (80, 25, 5),
    ("rocs", "contact_lists"): (20, 3, 2),
    ("rocs", "campaigns"): (25, 3, 1),
    ("rosaas", "tenants"): (50, 4, 2),
    ("rosaas", "plans"): (5, 1, 0),
    ("rosaas", "specifications"): (4, 1, 0),
}
_ACTS = ("update", "insert", "delete")
_CHOICES = [(name, act) for name in _SHARES for act in _ACTS]
_WEIGHTS = [share for shares in _SHARES.values() for share in shares]
_BACKDATED = 0.1
_ATTEMPTS = 100
# Where a tenant's status goes from each; from the others nowhere.
_NEXT_STATUS = {1: 2, 2: 3, 3: 4, 4: 8, 5: 6, 6: 7, 7: 8, 8: 9, 9: 10, 10: 5, 11: 12, 12: 13}
_NEXT_STATUS |= {14: 10}


def random_change(live: LiveWorld, number: int) -> Change | None:
    """Decide the change of this number; None where the world holds nothing to change."""
    draw = chance(live.seed, "unrest", number)
    for _ in range(_ATTEMPTS):
        name, act = draw.choices(_CHOICES, _WEIGHTS)[0]
        if act == "insert":
            decided = _insertion(live, draw, name)
        else:
            row = live.tables()[name].sample(draw)
            if row is None:
                continue
            key = key_of(row)
            decided = (
                deletion(live, name, key)
                if act == "delete"
                else update(live, name, key, _fields(draw, row))
            )
        if decided is not None and decided.before != {}:
            return decided
    return None


def _insertion(live: LiveWorld, draw: Random, name: Name) -> Change | None:
    fields: JsonObject = {}
    if name[1] in ("communications", "approval_requests"):
        contact = live.tables()[name[0], "contacts"].sample(draw)
        if contact is None:
            return None
        fields["contact_id"] = key_of(contact)
    return insertion(live, name, None, fields, is_backdated=happens(draw, _BACKDATED))


def _fields(draw: Random, row: Row) -> JsonObject:
    match row:
        case Contact():
            return _of_contact(draw, row)
        case Communication():
            return _of_communication(draw, row)
        case ApprovalRequest():
            return _of_approval_request(draw, row)
        case Tenant():
            return _of_tenant(draw, row)
    return _of_few(draw, row)


def _of_few(draw: Random, row: ContactList | Campaign | Plan | Specification) -> JsonObject:
    match row:
        case ContactList():
            return {"member_count": draw.randrange(90_000), "source_updated_at": now().isoformat()}
        case Campaign():
            sent = row.sent_count or 0
            return {"sent_count": sent + draw.randrange(1, 500), "status": "Running"}
        case Plan():
            return {"display_order": draw.randrange(100, 1000)}
    return {"is_required": not row.is_required}


def _of_approval_request(draw: Random, row: ApprovalRequest) -> JsonObject:
    if row.state == "PENDING":
        return {"state": draw.choice(("APPROVED", "APPROVED", "REJECTED"))}
    return {"attributes": {"comments": f"looked at again, {draw.randrange(1000)}"}}


def _of_contact(draw: Random, row: Contact) -> JsonObject:
    country = COUNTRIES[row.phone_country or draw.choice(tuple(COUNTRIES))]
    digits = "".join(draw.choices("123456789", k=country.digits))
    fields: tuple[JsonObject, ...] = (
        {"first_name": draw.choice(draw.choice(CULTURES).female)},
        {"last_name": draw.choice(draw.choice(CULTURES).family)},
        {"email": f"moved.{draw.randrange(10**6)}@example.net"},
        {"phone": f"+{country.calling}{country.mobile}{digits}"},
        {"email_opt_out": not row.email_opt_out},
        {"sms_opt_out": not row.sms_opt_out},
        {"birth_on": f"19{draw.randrange(40, 99)}-0{draw.randrange(1, 10)}-17"},
    )
    return draw.choice(fields)


def _of_communication(draw: Random, row: Communication) -> JsonObject:
    if row.state == "PENDING" and happens(draw, 0.5):
        return {"state": draw.choice(("COMPLETED", "COMPLETED", "REJECTED"))}
    if not row.is_viewed:
        return {"is_viewed": True, "viewed_at": now().isoformat()}
    if row.clicked_at is None and happens(draw, 0.5):
        return {"clicked_at": now().isoformat()}
    return {"is_archived": not row.is_archived}


def _of_tenant(draw: Random, row: Tenant) -> JsonObject:
    following = _NEXT_STATUS.get(row.status_code)
    if following is not None and happens(draw, 0.6):
        return {"status": STATUS_NAMES[following]}
    return {"metadata": {"seats": draw.randrange(10**6), "region": "eu-north"}}
