"""RoSaaS tenants: one row per tenant, from its list item overlaid by its detail.

The status arrives as a number or a name and fills three columns.
"""

from __future__ import annotations

from sync_pipeline.entities import TENANTS
from sync_pipeline.mapping import rosaas
from sync_pipeline.normalise import forms
from sync_pipeline.normalise.frame import Columns
from sync_pipeline.normalise.leftovers import Leftovers
from sync_pipeline.normalise.normaliser import Normaliser
from sync_pipeline.normalise.scalars import small_integer


def _status_columns(leftovers: Leftovers) -> Columns:
    taken = leftovers.take([rosaas.STATUS])
    words = forms.text(taken.spelled())
    code = words.map(_code, na_action="ignore").astype(forms.INTEGER)
    name = code.map(rosaas.STATUS_NAMES.get, na_action="ignore").astype(forms.STRING).fillna(words)
    is_unknown = name.isna()
    lost = {row for row, is_null in enumerate(is_unknown.tolist()) if is_null}
    leftovers.give_back(taken, lost | taken.rows_with_nul())
    running = code.isin(rosaas.RUNNING).astype(forms.BOOLEAN)
    return {"status_code": code, "status": name, "is_running": running.mask(is_unknown, None)}


def _code(word: str) -> int | None:
    number = small_integer(word)
    return rosaas.STATUS_CODES.get(word.upper()) if number is None else number


normalise_tenants = Normaliser(
    TENANTS,
    rosaas.TENANT,
    derive=_status_columns,
    derived=rosaas.TENANT_STATUS,
    tables=(rosaas.STATUS_NAMES, rosaas.STATUS_CODES, rosaas.RUNNING),
    besides=rosaas.BESIDES_TENANT,
    words={"status": tuple(rosaas.STATUS_NAMES.values())},
)
