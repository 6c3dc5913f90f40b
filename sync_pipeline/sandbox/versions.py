"""CRM.COM's API versions: what each calls a member, which it lacks, how it takes a token.

Rows of the world hold what any version tells, under the first version's names; `as_read` gives
what a perfect reader of one version ends up with. Renderers and truth both go through it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from .rows import ApprovalRequest, Communication, Contact

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .rows import JsonObject

OfCrmcom = TypeVar("OfCrmcom", Contact, Communication, ApprovalRequest)

# By path, what the second version calls a member of the first; None where it has none.
_LATER_NAMES: dict[str, str | None] = {
    "preferred_language_code": "language_code",
    "category_id": None,
    "is_tax_exempt": None,
    "statutory_number": None,
    "company_profle": "company_profile",
    "company_profle.profile_year": None,
    "company_profle.annual_turnover": None,
    "company_profle.established_on": None,
    "company_profle.number_of_employees": None,
    "company_profle.industry_id": None,
    "company_profle.industry_sectors": None,
    "demographics.passport.passport_number": "number",
    "demographics.passport.issue_country_code": "issuing_country_code",
    "demographics.id_details.id_number": "number",
    "demographics.id_details.issue_country_code": "issuing_country_code",
    "title": None,
    "in_app_click_link_url": None,
}
_NOT_YET: dict[str, str | None] = dict.fromkeys(
    (
        "demographics.statutory_number",
        "company_profle.industry",
        "company_profle.sub_industries",
        "loyalty_identifiers",
        "wallet",
        "creatives",
        "viewed_onboarding_cards",
        "message_type",
        "entity",
        "comments",
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of the self-service API; `name` is its part of the path."""

    name: str
    renamed: Mapping[str, str | None]
    email: str
    language: str
    state: str
    has_title_and_consent: bool
    # Real booleans and numbers, and each message whole in the list.
    is_typed: bool
    filters_by_creation: bool
    # How each call takes the token: `bearer`, `raw` or `auth_token`.
    header_forms: Mapping[str, str]

    def has(self, path: str) -> bool:
        """Whether this version tells the member with this path in the first version's names."""
        return self.renamed.get(path, path) is not None


V1 = Version(
    name="v1",
    renamed=_NOT_YET,
    email="email_address",
    language="preferred_language_code",
    state="life_cycle_state",
    has_title_and_consent=True,
    is_typed=False,
    filters_by_creation=False,
    header_forms={
        "contact": "bearer",
        "communications": "raw",
        "communication": "auth_token",
        "approval_requests": "auth_token",
        "update": "raw",
        "communication_action": "raw",
        "approval_action": "auth_token",
    },
)
V2 = Version(
    name="v2",
    renamed=_LATER_NAMES,
    email="email",
    language="language_code",
    state="state",
    has_title_and_consent=False,
    is_typed=True,
    filters_by_creation=True,
    header_forms=dict.fromkeys(V1.header_forms, "bearer"),
)
VERSIONS = {version.name: version for version in (V1, V2)}


def as_read(row: OfCrmcom, version: Version) -> OfCrmcom:
    """Give the row without what this version does not tell, its attributes named as there."""
    attributes = _renamed(row.attributes, version)
    if isinstance(row, Contact) and not version.has_title_and_consent:
        return replace(row, title=None, consent_state=None, attributes=attributes)
    return replace(row, attributes=attributes)


def _renamed(members: JsonObject, version: Version, above: str = "") -> JsonObject:
    told: JsonObject = {}
    for name, value in members.items():
        path = above + name
        called = version.renamed.get(path, name)
        if called is None:
            continue
        if isinstance(value, dict) and value:
            inner = _renamed(value, version, path + ".")
            # An object of nothing that this version tells is not there either.
            if inner:
                told[called] = inner
        else:
            told[called] = value
    return told
