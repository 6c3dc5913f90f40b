"""The forms of the fields that can be written, by stream and in the names of the warehouse.

Which of them a version of an API takes is in its own tables; which values may be asked for is in
`pushable`.
"""

from __future__ import annotations

from sync_pipeline.mapping import crmcom, rocs, rosaas
from sync_pipeline.mapping.fields import Form

CUSTOM = "attributes.custom_fields."
"""What the name of a field that a customer of CRM.COM made up begins with."""
INTERESTS = f"attributes.{rocs.INTERESTS}"
"""The array of a contact's interests at ROCS."""
DYNAMIC = f"attributes.{rocs.DYNAMIC_FIELDS}."
"""What the name of a field begins with that ROCS has in the answer for dynamic fields."""

WRITABLE: dict[str, dict[str, Form]] = {
    "crmcom/contacts": {
        column: field.form
        for fields in crmcom.CONTACT_WRITES.values()
        for column, field in fields.items()
    },
    "crmcom/communications": dict.fromkeys(crmcom.COMMUNICATION_WRITES, Form.BOOLEAN),
    "crmcom/approval_requests": {"state": Form.KEYWORD},
    "rocs/contacts": {column: field.form for column, field in rocs.CONTACT_WRITES.items()}
    | dict.fromkeys(rocs.OPT_OUT_WRITES, Form.BOOLEAN),
    "rosaas/tenants": {
        rosaas.METADATA: Form.JSON,
        rosaas.STATUS: Form.KEYWORD,
        rosaas.UPGRADE_APPLIED: Form.BOOLEAN,
    },
}
# Fields that no answer tells: what was accepted of them is delivered, not confirmed.
UNREADABLE = {"rosaas/tenants": frozenset({rosaas.UPGRADE_APPLIED})}


def is_custom(stream: str, name: str) -> bool:
    """Tell whether a field is one that a customer of CRM.COM made up."""
    return stream == "crmcom/contacts" and name.startswith(CUSTOM) and name != CUSTOM


def is_dynamic(name: str) -> bool:
    """Tell whether ROCS has a field in the answer for dynamic fields."""
    return name.startswith(DYNAMIC) and name != DYNAMIC


def form_of(stream: str, name: str) -> Form | None:
    """Return the form of a writable field's value; None for what cannot be written."""
    if stream == "rocs/contacts" and (name == INTERESTS or is_dynamic(name)):
        return Form.JSON
    return Form.TEXT if is_custom(stream, name) else WRITABLE.get(stream, {}).get(name)
