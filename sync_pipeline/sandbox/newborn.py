"""Records made up for an insert: as the pure world would have made the next one of its list."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from . import approvals, estate, messages, people, rocs_activity, rocs_campaigns, rocs_people
from . import rosaas_offers as offers
from .chance import chance
from .columns import BadChangeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from .live import LiveWorld, Name
    from .rows import Row


def newborn(live: LiveWorld, name: Name, contact_id: str | None) -> Row:
    """Make the next record of an entity; `contact_id` tells whose, of what hangs under contacts."""
    if contact_id is None:
        make = _FREE.get(name)
        if make is None:
            raise BadChangeError(f"an insert into {name[1]} needs fields.contact_id")
        return make(live)
    of_contact = _OF_CONTACT.get(name)
    if of_contact is None:
        raise BadChangeError(f"contact_id is no column of {name[1]} that can be given")
    return of_contact(live, contact_id)


def now() -> datetime:
    """Tell the vendors' time, in whole seconds: new records are of the moment they are made."""
    return datetime.now(UTC).replace(microsecond=0)


def _communication(live: LiveWorld, contact_id: str) -> Row:
    place = _place(live, contact_id)
    ordinal = live.communications.next_ordinal(place)
    draw = chance(live.seed, "newborn", messages.KIND, place, ordinal)
    row = messages.communication(draw, live.seed, (place, ordinal), live.contacts.row(place), now())
    left = {key: value for key, value in row.attributes.items() if key != "clicked_on"}
    row = replace(row, is_viewed=False, viewed_at=None, clicked_at=None, attributes=left)
    return replace(row, is_archived=False, state=draw.choice(("PENDING", "COMPLETED")))


def _approval_request(live: LiveWorld, contact_id: str) -> Row:
    place = _place(live, contact_id)
    ordinal = live.approval_requests.next_ordinal(place)
    draw = chance(live.seed, "newborn", approvals.KIND, place, ordinal)
    row = approvals.approval_request(draw, live.seed, (place, ordinal), contact_id)
    return replace(row, state="PENDING")


def _place(live: LiveWorld, contact_id: str) -> int:
    place = live.contacts.place(contact_id)
    if place is None:
        raise BadChangeError(f"there is no contact {contact_id!r}")
    return place


def _activity(live: LiveWorld, contact_id: str) -> Row:
    contact = live.rocs_contacts.find(contact_id)
    if contact is None:
        raise BadChangeError(f"there is no contact {contact_id!r}")
    place = live.activity.next_place
    draw = chance(live.seed, "newborn", "activity", place)
    row = rocs_activity.activity(draw, place, contact, has_nul=False)
    left = {
        key: value
        for key, value in row.attributes.items()
        if key not in ("viewedDate", "clickedDate")
    }
    row = replace(row, is_viewed=False, viewed_at=None, clicked_at=None, attributes=left)
    return replace(row, source_created_at=now())


def _contact(live: LiveWorld) -> Row:
    return people.contact(live.seed, live.contacts.next_place)


def _rocs_contact(live: LiveWorld) -> Row:
    return rocs_people.contact(live.seed, live.rocs_contacts.next_place, live.pure.contacts)


def _contact_list(live: LiveWorld) -> Row:
    return rocs_campaigns.contact_list(live.seed, live.contact_lists.next_place)


def _campaign(live: LiveWorld) -> Row:
    return rocs_campaigns.campaign(live.seed, live.campaigns.next_place)


def _tenant(live: LiveWorld) -> Row:
    return estate.tenant(live.seed, live.tenants.next_place)


def _plan(live: LiveWorld) -> Row:
    place = live.plans.next_place
    return offers.plan(live.seed, place, f"plan-{place}")


def _specification(live: LiveWorld) -> Row:
    place = live.specifications.next_place
    return offers.specification(live.seed, place, f"field{place}")


_FREE: dict[Name, Callable[[LiveWorld], Row]] = {
    ("crmcom", "contacts"): _contact,
    ("rocs", "contacts"): _rocs_contact,
    ("rocs", "contact_lists"): _contact_list,
    ("rocs", "campaigns"): _campaign,
    ("rosaas", "tenants"): _tenant,
    ("rosaas", "plans"): _plan,
    ("rosaas", "specifications"): _specification,
}
_OF_CONTACT: dict[Name, Callable[[LiveWorld, str], Row]] = {
    ("crmcom", "communications"): _communication,
    ("crmcom", "approval_requests"): _approval_request,
    ("rocs", "communications"): _activity,
}
