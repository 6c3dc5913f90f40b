"""How much of a table may be deleted at once without being told: a decision on counts alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sync_pipeline.entities import Stream

# So many may go whatever the share: of a small table a few rows are soon more than a few percent.
ALWAYS_ALLOWED = 20
_EXAMPLES = 5


def is_too_many(going: int, rows: int, *, share: float) -> bool:
    """Tell whether so many of so many rows are more than may be deleted without being told."""
    return going > ALWAYS_ALLOWED and going > share * rows


@dataclass(frozen=True, slots=True)
class Loss:
    """The rows that are confirmed as gone, and how many more go with them or went before."""

    going: Sequence[str]
    unasked: int = 0
    lately: int = 0

    @property
    def total(self) -> int:
        """All of them together."""
        return len(self.going) + self.unasked + self.lately

    def refusal(self, stream: Stream, *, rows: int, share: float) -> str | None:
        """Return why nothing of a table of so many rows is to be deleted; null where it may be."""
        if not is_too_many(self.total, rows, share=share):
            return None
        examples = ", ".join(self.going[:_EXAMPLES])
        parts = [f"{len(self.going):,} confirmed as gone (for example {examples})"]
        parts += [f"{self.unasked:,} not confirmed yet"] if self.unasked else []
        parts += [f"{self.lately:,} deleted lately"] if self.lately else []
        return (
            f"of {rows:,} rows {', '.join(parts)}: more than MAX_DELETE_SHARE ({share:.3g}) "
            "allows, so nothing was deleted; if they are gone at the source, "
            f"`sync-pipeline pull {stream} --allow-deletes` deletes them"
        )
