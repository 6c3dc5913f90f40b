"""When so many scopes cannot be read that the run itself must say so."""

from __future__ import annotations

from collections import Counter

from sync_pipeline.errors import IdentityCannotReadError, WrongAnswerError
from sync_pipeline.pull.reading import Reading
from sync_pipeline.warehouse.progress import Reason

FIRST = 20


class Denials:
    """Counts the scopes that were given up; raises when that is no longer an exception.

    The rule: the first 20 or, at the end, more than half.
    """

    def __init__(self, api: str) -> None:
        self._api = api
        self._seen = 0
        self._given_up: Counter[Reason] = Counter()

    def note(self, reading: Reading) -> None:
        """Count a reading; raise when none of the first ones could be had."""
        self._seen += 1
        if reading.reason is not None:
            self._given_up[reading.reason] += 1
        if self._seen == FIRST:
            self._complain(at_least=FIRST)

    def conclude(self) -> None:
        """Raise when more than half of all could not be had."""
        self._complain(at_least=self._seen // 2 + 1)

    def _complain(self, *, at_least: int) -> None:
        denied, wrong = self._given_up[Reason.DENIED], self._given_up[Reason.WRONG_ANSWER]
        if denied >= at_least:
            raise IdentityCannotReadError(
                f"{denied} of {self._seen} contacts are denied (403) to the identity of "
                "CRMCOM_USERNAME: with CRMCOM_AUTH=service one identity must be allowed to read "
                "all contacts; ask CRM.COM for such an identity, or list fewer contacts"
            )
        if wrong >= at_least:
            raise WrongAnswerError(
                self._api,
                "(any)",
                detail=f"{wrong} of {self._seen} answers are not what the API documents; "
                "is the base URL right?",
            )
