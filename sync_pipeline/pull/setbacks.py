"""When what goes wrong with single scopes is no longer about single scopes, and a run must fail.

One unreadable contact must not keep the others from being read, at this run or (being the
longest due) at every later one. An API that is down, or that denies everything, must.
"""

from __future__ import annotations

from collections import Counter

from sync_pipeline.errors import IdentityCannotReadError, SyncError
from sync_pipeline.pull.reading import Reading
from sync_pipeline.settings import CrmcomSettings, SourceSettings
from sync_pipeline.warehouse.progress import Reason

FIRST = 20
IN_A_ROW = 5

_ONE_FOR_ALL = (
    "(403) to the identity of CRMCOM_USERNAME: with CRMCOM_AUTH=service one identity must be "
    "allowed to read all contacts; ask CRM.COM for such an identity, or list only the contacts "
    "that it may read"
)
_EACH_ITS_OWN = (
    "to their own logins: with CRMCOM_AUTH=per_contact each contact needs its username and "
    "password in its line of CRMCOM_CONTACTS_FILE, and CRM.COM must accept them; correct the "
    "file (and CRMCOM_API_KEY, if no login works)"
)
_ABOUT_THE_API = (Reason.DENIED, Reason.WRONG_ANSWER, Reason.REFUSED, Reason.UNAVAILABLE)


class Setbacks:
    """Counts the scopes that were given up, by the reason; ids that the API does not know are none.

    The rule: the first 20 for one and the same reason, five unavailable in a row or, at the end,
    more than half for one and the same reason.
    """

    def __init__(self, settings: SourceSettings) -> None:
        self._remedy = _remedy(settings)
        self._seen = 0
        self._given_up: Counter[Reason] = Counter()
        self._latest: dict[Reason, SyncError] = {}
        self._unavailable_in_a_row = 0

    def note(self, reading: Reading) -> None:
        """Count a reading; raise when the rule is met."""
        self._seen += 1
        is_unavailable = reading.setback is not None and reading.reason is Reason.UNAVAILABLE
        self._unavailable_in_a_row = self._unavailable_in_a_row + 1 if is_unavailable else 0
        if reading.setback is not None and reading.reason in _ABOUT_THE_API:
            self._given_up[reading.reason] += 1
            self._latest[reading.reason] = reading.setback
        if self._unavailable_in_a_row == IN_A_ROW:
            raise self._said(Reason.UNAVAILABLE)
        if self._seen == FIRST:
            self._raise_for(FIRST)

    def conclude(self) -> None:
        """Raise when more than half of all were given up for one reason."""
        self._raise_for(self._seen // 2 + 1)

    def _raise_for(self, limit: int) -> None:
        for reason, count in self._given_up.items():
            if count >= limit:
                raise self._said(reason)

    def _said(self, reason: Reason) -> SyncError:
        setback = self._latest[reason]
        if reason is Reason.DENIED and self._remedy:
            denied = f"{self._given_up[reason]} of {self._seen} contacts are denied"
            return IdentityCannotReadError(f"{denied} {self._remedy}")
        return setback


def _remedy(settings: SourceSettings) -> str | None:
    if not isinstance(settings, CrmcomSettings):
        return None
    return _ONE_FOR_ALL if settings.auth == "service" else _EACH_ITS_OWN
