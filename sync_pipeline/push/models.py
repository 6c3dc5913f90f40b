"""Push models: views of `sql/views` whose columns are fields; what differs there is asked for.

Which models there are is a setting (PUSH_MODELS). What a model had already asked for, or found in
agreement, it does not ask for again, whatever became of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from sync_pipeline.entities import STREAMS
from sync_pipeline.push.share import most_records, too_many
from sync_pipeline.settings import PushModel, Settings
from sync_pipeline.warehouse.engine import transaction
from sync_pipeline.warehouse.push_models import ModelOutcome, model_fields, plan_model
from sync_pipeline.warehouse.push_requests import APPROVE, decide, held_by_model
from sync_pipeline.warehouse.stored import count_rows


@dataclass(frozen=True, slots=True)
class ModelPlan:
    """What one model came to; ``left_out`` are its fields that this version of the API lacks.

    ``released`` were held until it became automatic. ``stopped`` is why it asked for nothing, in
    words.
    """

    model: str
    status: str
    planned: int = 0
    refused: int = 0
    withdrawn: int = 0
    left_out: tuple[str, ...] = ()
    stopped: str | None = None
    released: int = 0

    @property
    def said(self) -> str | None:
        """What it did, in words without a value; null where it did nothing."""
        counts = (
            (self.planned, f"asked for as {self.status}"),
            (self.refused, "refused: values that cannot be written"),
            (self.withdrawn, "withdrawn: they differ no more"),
            (self.released, "let go: held until the model became automatic"),
        )
        parts = [f"{count:,} {what}" for count, what in counts if count]
        if self.left_out:
            parts.append(f"columns that are no fields: {', '.join(self.left_out)}")
        return f"push model {self.model}: {'; '.join(parts)}" if parts else None


@dataclass(frozen=True, slots=True)
class ModelReport:
    """What all models came to in one cycle."""

    plans: Sequence[ModelPlan]

    @property
    def said(self) -> list[str]:
        """What the models asked for, took back and left out, one line per model that did."""
        return [line for one in self.plans if (line := one.said)]

    @property
    def complaints(self) -> list[str]:
        """What a person should know, one line per model that was stopped."""
        return [f"push model {one.model}: {one.stopped}" for one in self.plans if one.stopped]


def plan_models(engine: Engine, settings: Settings) -> ModelReport:
    """Have every model ask for what differs; each in a transaction of its own.

    New updates are `held`, of an automatic model `pending`.
    """
    plans = []
    for model in settings.push_models:
        with transaction(engine) as connection:
            plans.append(_plan(connection, settings, model))
    return ModelReport(plans)


def foresee_models(connection: Connection, settings: Settings) -> ModelReport:
    """Have every model ask for what differs in a transaction that the caller rolls back."""
    return ModelReport([_plan(connection, settings, model) for model in settings.push_models])


def _plan(connection: Connection, settings: Settings, model: PushModel) -> ModelPlan:
    status = "pending" if model.is_automatic else "held"
    stream = STREAMS.get(model.stream)
    if stream is None:
        return ModelPlan(model.name, status, stopped=f"there is no stream {model.stream}")
    fields = model_fields(connection, model.name, stream)
    left_out = tuple(field for field, is_pushable in fields.items() if not is_pushable)
    usable = [field for field, is_pushable in fields.items() if is_pushable]
    if not usable:
        why = f"no view push.{model.name} has a field of {stream} that can be written"
        return ModelPlan(model.name, status, left_out=left_out, stopped=why)
    rows = count_rows(connection, stream)
    most = most_records(rows, settings.push_max_share)
    planned = plan_model(connection, model.name, stream, fields=usable, status=status, most=most)
    released = _release(connection, model) if planned.is_within else 0
    return ModelPlan(
        model.name,
        status,
        planned.planned,
        planned.refused,
        planned.withdrawn,
        left_out,
        _stop(planned, rows, settings.push_max_share),
        released,
    )


def _release(connection: Connection, model: PushModel) -> int:
    """Let go what a model held until it became automatic; who set that has approved it."""
    held = held_by_model(connection, model.name) if model.is_automatic else []
    return len(decide(connection, held, APPROVE, by="PUSH_MODELS")) if held else 0


def _stop(planned: ModelOutcome, rows: int, share: float) -> str | None:
    if planned.is_within:
        return None
    return f"{too_many(planned.records, rows, share)}: look at the view; then raise it"
