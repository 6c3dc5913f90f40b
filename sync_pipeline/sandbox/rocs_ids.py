"""Numbers of ROCS and the places behind them: arithmetic only, so that nothing is indexed."""

from __future__ import annotations

_FEWEST = 20
_FIRST_CONTACT = 11_866
_CONTACT_STEP = 3
_FIRST_UNKNOWN = 7_000_000
_FIRST_ACTIVITY = 500_001
# Of every seven contacts one has no activity, one has one, … and one has six.
_MOST_ACTIVITIES = 6
_BLOCK = _MOST_ACTIVITIES + 1
_BLOCK_ACTIVITIES = _BLOCK * _MOST_ACTIVITIES // 2


def contact_count(contacts: int) -> int:
    """How many contacts ROCS has beside so many of CRM.COM."""
    return max(_FEWEST, contacts * 3 // 5) if contacts else 0


def contact_id(seed: int, index: int) -> int:
    """Ids ascend with gaps; which are skipped depends on the seed."""
    return _FIRST_CONTACT + index * _CONTACT_STEP + (seed + index * index) % _CONTACT_STEP


def contact_index(seed: int, identifier: int) -> int | None:
    """Where the contact with this id would stand; None for an id that is skipped."""
    index = (identifier - _FIRST_CONTACT) // _CONTACT_STEP
    return index if index >= 0 and contact_id(seed, index) == identifier else None


def twin_index(index: int) -> int:
    """Which contact of CRM.COM this one may be."""
    return index * 5 // 3


def index_of_twin(index: int) -> int:
    """Which contact may be this one of CRM.COM; where none may be, one that is another."""
    return -(-index * 3 // 5)


def unknown_external_id(index: int) -> str:
    """Text of digits that CRM.COM has never heard of."""
    return str(_FIRST_UNKNOWN + index)


def index_of_unknown(external_id: str) -> int | None:
    """Where the contact with this text of digits would stand; None for any other text."""
    if not (external_id.isascii() and external_id.isdigit()):
        return None
    index = int(external_id) - _FIRST_UNKNOWN
    return index if index >= 0 else None


def activity_count(seed: int, index: int) -> int:
    """How many activities one contact has."""
    return (seed + index * 3) % _BLOCK


def first_activity(seed: int, index: int) -> int:
    """How many activities the contacts before this one have together."""
    block, rest = divmod(index, _BLOCK)
    return block * _BLOCK_ACTIVITIES + sum(activity_count(seed, place) for place in range(rest))


def activity_place(seed: int, position: int) -> tuple[int, int]:
    """(contact's place, place among its activities) of one activity among all."""
    block, rest = divmod(position, _BLOCK_ACTIVITIES)
    index = block * _BLOCK
    while rest >= activity_count(seed, index):
        rest -= activity_count(seed, index)
        index += 1
    return index, rest


def activity_id(position: int) -> int:
    """Tell the id of one activity among all."""
    return _FIRST_ACTIVITY + position
