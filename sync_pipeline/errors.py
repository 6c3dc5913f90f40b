"""The project's errors, one class for each thing that a caller can do about one.

The message is written for the person who reads it: what went wrong, where, and what to do.
It never holds a secret or a person's data, so that any of them may be printed or logged.
"""

from __future__ import annotations

from dataclasses import dataclass


class SyncError(Exception):
    """Anything this project reports in words, without a stack trace."""


class SettingsError(SyncError):
    """Set the named variable differently, then run the command again."""


class SetupError(SyncError):
    """Change something on this machine (disk, rights, port, binaries), then run again."""


class WarehouseError(SyncError):
    """The database is away or refuses: bring it back; what was committed is kept."""


class SchemaTooNewError(WarehouseError):
    """Use a newer sync-pipeline: this one does not know the warehouse's schema."""


class NotInQuarantineError(SyncError):
    """Look at `sync-pipeline quarantine list`: no open row has the id that the message names."""


class UpdateRefusedError(SyncError):
    """Ask for a field, a value and a record that the message says are allowed."""


class UndecidableError(SyncError):
    """Look at `sync-pipeline push list`: the update is in no state to decide that."""


class DriftError(SyncError):
    """A field of the contract is missing or of another type, which DRIFT_POLICY makes a fault."""


class StreamBusyError(SyncError):
    """Another run holds the stream: wait for it."""


class TooManyDeletionsError(SyncError):
    """Look whether the records are gone at the source; then allow the deletion, or correct it."""


class TooManyUpdatesError(SyncError):
    """Look whether so many records are meant to change; then allow it, or send some of them."""


class IdentityCannotReadError(SyncError):
    """Most contacts are denied to this identity: grant it access, or use another one."""


@dataclass(eq=False)
class SourceError(SyncError):
    """A remote API did not give what was asked; says which call and what the API said."""

    api: str
    path: str
    """Path *template*: an id or e-mail address in a path must not reach a log."""
    status: int | None = None
    code: str | None = None
    detail: str = ""

    def __str__(self) -> str:
        said = [f"status {self.status}"] if self.status is not None else []
        said += [self.code] if self.code else []
        answer = f" ({', '.join(said)})" if said else ""
        return f"{self.api} {self.path}{answer}: {self.detail or type(self).__doc__}"


@dataclass(eq=False)
class TransientSourceError(SourceError):
    """It may work later: unreachable, timed out, throttled or broken on the other side."""

    retry_after_s: float | None = None
    is_unsent: bool = False
    """The request certainly did not leave."""


class UnknownOutcomeError(SourceError):
    """Nobody knows whether the API applied the write: read the record, then decide."""


class CredentialRefusedError(SourceError):
    """The API refuses the credential: correct the variable that the message names."""


class AccessDeniedError(SourceError):
    """The identity may not read this one record."""


class RecordNotFoundError(SourceError):
    """The API does not know this record."""


class WrongAnswerError(SourceError):
    """The answer is not what the API documents (HTML, broken JSON, another shape)."""


class RequestRefusedError(SourceError):
    """The API calls the request itself wrong; sending it again will not help."""
