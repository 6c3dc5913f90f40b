"""Contacts: one row per contact, from the contact's own answer or from a list."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import pandas as pd
import pyarrow as pa

from sync_pipeline.entities import CONTACTS
from sync_pipeline.mapping import crmcom, rocs
from sync_pipeline.normalise import forms
from sync_pipeline.normalise.frame import Columns
from sync_pipeline.normalise.leftovers import Leftovers
from sync_pipeline.normalise.normaliser import Normaliser
from sync_pipeline.normalise.scalars import boolean

_PERMISSIONS = msgspec.json.Decoder(list[object])


def _opt_outs(leftovers: Leftovers) -> Columns:
    """Return the refusals by the global permissions; the permissions stay whole."""
    permissions = leftovers.look_at(rocs.PERMISSIONS)
    if not any(permissions):
        unknown = forms.series(pa.nulls(len(permissions), pa.bool_()))
        return dict.fromkeys(rocs.OPT_OUTS, unknown)
    refused = [_refused(raw) for raw in permissions]
    return {
        column: pd.Series([channels.get(channel) for channels in refused], dtype=forms.BOOLEAN)
        for column, channel in rocs.OPT_OUTS.items()
    }


def _refused(raw: msgspec.Raw | None) -> dict[str, bool]:
    """Return by channel whether none of its global permissions opts in."""
    if raw is None:
        return {}
    try:
        permissions = _PERMISSIONS.decode(raw)
    except msgspec.DecodeError:
        # Of another kind than an array: nothing is known of permissions.
        return {}
    refused: dict[str, bool] = {}
    for permission in permissions:
        if isinstance(permission, dict) and is_global(permission):
            channel = channel_of(permission)
            opts_in = boolean(permission.get("optin"))
            if opts_in is not None:
                refused[channel] = refused.get(channel, True) and not opts_in
    return refused


def channel_of(permission: Mapping[str, object]) -> str:
    """Return the channel of a permission of ROCS, in upper case."""
    return str(permission.get("channelType")).strip().upper()


def is_global(permission: Mapping[str, object]) -> bool:
    """Tell whether a permission of ROCS is about everything that comes by its channel."""
    words = (permission.get("permissionGroupType"), permission.get("permissionType"))
    return all(str(word).strip().lower() == "global" for word in words)


normalise_contacts = Normaliser(CONTACTS, crmcom.CONTACT, besides=crmcom.BESIDES_CONTACT)
normalise_rocs_contacts = Normaliser(
    CONTACTS,
    rocs.CONTACT,
    derive=_opt_outs,
    derived=rocs.CONTACT_OPT_OUTS,
    tables=(rocs.OPT_OUTS,),
    besides=rocs.BESIDES_CONTACT,
)
