"""The one table of facts: each entity with its columns, its key and the streams that fill it.

No behaviour belongs here, and no field name of a source (those are in `mapping`). The database
itself is made by `sql/migrations`; a test holds these tables to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from sqlalchemy import Boolean, Column, Date, DateTime, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

Kind = Text | Boolean | Integer | Date | DateTime | JSONB | LargeBinary
TEXT, BOOLEAN, INTEGER, DAY = Text(), Boolean(), Integer(), Date()
INSTANT, JSON, BYTES = DateTime(timezone=True), JSONB(), LargeBinary()

METADATA = MetaData(schema="warehouse")

_BOOKKEEPING: dict[str, tuple[Kind, bool]] = {
    "attributes": (JSON, False),
    "raw_hash": (BYTES, True),
    "content_hash": (BYTES, False),
    "observed_at": (INSTANT, False),
    "cause": (TEXT, False),
    "deleted_at": (INSTANT, True),
    "run_id": (TEXT, False),
    "loaded_at": (INSTANT, False),
}


@dataclass(frozen=True, eq=False, kw_only=True)
class Entity:
    """A kind of record with its table in the schema ``warehouse``.

    ``about`` says what a row is, as the table's comment in the database does. ``columns`` are
    the canonical business columns, the key first. ``presentable`` names those that never hold a
    person's data. ``volatile`` names source fields that differ on every reading and so take no
    part in the content hash.
    """

    name: str
    about: str
    key: str
    columns: dict[str, Kind]
    presentable: tuple[str, ...]
    volatile: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        # Made at import, by one thread: a table is defined once in its metadata.
        _ = self.table, self.history

    @cached_property
    def table(self) -> Table:
        """The current versions."""
        mandatory = {"source", self.key}
        business = [
            Column(name, kind, primary_key=name in mandatory, nullable=name not in mandatory)
            for name, kind in ({"source": TEXT} | self.columns).items()
        ]
        kept = [Column(n, kind, nullable=null) for n, (kind, null) in _BOOKKEEPING.items()]
        return Table(self.name, METADATA, *business, *kept, comment=self.about)

    @cached_property
    def json_columns(self) -> frozenset[str]:
        """The columns that hold JSON, `attributes` among them."""
        return frozenset(c.name for c in self.table.columns if isinstance(c.type, JSONB))

    @cached_property
    def history(self) -> Table:
        """The superseded versions."""
        columns = [
            Column(c.name, c.type, primary_key=c.primary_key, nullable=c.nullable)
            for c in self.table.columns
            if c.name not in {"raw_hash", "observed_at"}
        ]
        bounds = [
            Column("valid_from", INSTANT, primary_key=True),
            Column("valid_to", INSTANT, nullable=False),
        ]
        return Table(f"{self.name}_history", METADATA, *columns, *bounds)


CONTACTS = Entity(
    name="contacts",
    about="The people and companies of a source, one row per contact",
    key="contact_id",
    columns={
        **dict.fromkeys(
            ("contact_id", "code", "type", "status", "title", "first_name", "middle_name"), TEXT
        ),
        **dict.fromkeys(
            ("last_name", "company_name", "email", "phone", "phone_country", "language"), TEXT
        ),
        "gender": TEXT,
        "birth_on": DAY,
        "country": TEXT,
        "email_opt_out": BOOLEAN,
        "sms_opt_out": BOOLEAN,
        **dict.fromkeys(("consent_state", "external_id", "organisation_id"), TEXT),
        "source_created_at": INSTANT,
        "source_updated_at": INSTANT,
    },
    presentable=("type", "language", "country", "email_opt_out", "sms_opt_out", "consent_state"),
    # Signed on every reading; the picture itself may well be the same.
    volatile=frozenset({"avatar_url"}),
)

COMMUNICATIONS = Entity(
    name="communications",
    about="Messages sent to contacts, one row per communication",
    key="communication_id",
    columns={
        **dict.fromkeys(("communication_id", "contact_id", "state", "channel"), TEXT),
        "is_viewed": BOOLEAN,
        "viewed_at": INSTANT,
        "is_archived": BOOLEAN,
        "clicked_at": INSTANT,
        **dict.fromkeys(
            ("language", "sender", "recipient", "subject", "content", "plan_name"), TEXT
        ),
        "source_created_at": INSTANT,
    },
    presentable=("channel", "state", "language", "is_viewed", "is_archived", "viewed_at"),
)

TENANTS = Entity(
    name="tenants",
    about="Tenants of the product, one row per tenant",
    key="tenant_name",
    columns={
        **dict.fromkeys(("tenant_name", "tenant_id", "subscription_id", "display_name"), TEXT),
        "status_code": INTEGER,
        "status": TEXT,
        "step": INTEGER,
        "is_running": BOOLEAN,
        "subscription_is_active": BOOLEAN,
        "plan": TEXT,
        "started_at": INSTANT,
        "ends_at": INSTANT,
        "metadata": JSON,
        "specifications": JSON,
        "source_created_at": INSTANT,
        "source_updated_at": INSTANT,
    },
    presentable=("status", "step", "is_running", "plan", "started_at", "ends_at"),
)

APPROVAL_REQUESTS = Entity(
    name="approval_requests",
    about="Decisions that contacts are asked for, one row per approval request",
    key="approval_request_id",
    columns=dict.fromkeys(
        (
            "approval_request_id",
            "contact_id",
            "state",
            "entity_type",
            "entity_id",
            "entity_reference",
        ),
        TEXT,
    ),
    presentable=("state", "entity_type"),
)

PLANS = Entity(
    name="plans",
    about="Plans that tenants can be on, one row per plan",
    key="plan",
    columns={
        **dict.fromkeys(("plan", "display_name", "description", "tenancy_type"), TEXT),
        "display_order": INTEGER,
        **dict.fromkeys(("is_published", "is_subscribed", "is_locked_by_system"), BOOLEAN),
        "prices": JSON,
    },
    presentable=("plan", "display_name", "tenancy_type", "is_published", "is_subscribed"),
)

SPECIFICATIONS = Entity(
    name="specifications",
    about="What tenants are asked for when they are created, one row per specification",
    key="specification",
    columns={
        **dict.fromkeys(("specification", "display_name", "description"), TEXT),
        **dict.fromkeys(("is_required", "is_user_editable"), BOOLEAN),
        "regular_expression": TEXT,
        **dict.fromkeys(("is_published", "is_subscribed"), BOOLEAN),
    },
    presentable=("specification", "display_name", "is_required", "is_published"),
)

CONTACT_LISTS = Entity(
    name="contact_lists",
    about="Lists that contacts are on, one row per list",
    key="list_id",
    columns={
        **dict.fromkeys(("list_id", "display_name", "description", "type", "status"), TEXT),
        "member_count": INTEGER,
        **dict.fromkeys(("source_created_at", "source_updated_at"), INSTANT),
    },
    presentable=("display_name", "type", "status", "member_count"),
)

CAMPAIGNS = Entity(
    name="campaigns",
    about="Campaigns with their statistics, one row per campaign",
    key="campaign_id",
    columns={
        **dict.fromkeys(("campaign_id", "display_name", "status", "channel", "subject"), TEXT),
        **dict.fromkeys(("sent_count", "delivered_count", "viewed_count"), INTEGER),
        **dict.fromkeys(("clicked_count", "bounced_count", "unsubscribed_count"), INTEGER),
        **dict.fromkeys(("started_at", "ended_at"), INSTANT),
        **dict.fromkeys(("source_created_at", "source_updated_at"), INSTANT),
    },
    presentable=("display_name", "status", "channel", "sent_count", "viewed_count"),
)


@dataclass(frozen=True, slots=True)
class Stream:
    """One entity of one source: what a run works on.

    ``upstream`` is the stream that brings the contacts under which this one's lists hang.
    ``has_single_reads`` tells whether a run may name the contacts or tenants to read,
    ``has_creation_time`` whether it may name days, or a span of time, in which rows were created;
    ``is_fan_out`` whether it is read contact by contact (that of ROCS where it is set so).
    """

    source: str
    entity: Entity
    upstream: Stream | None = field(default=None, compare=False)
    has_single_reads: bool = field(default=False, compare=False)
    has_creation_time: bool = field(default=False, compare=False)
    is_fan_out: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        return f"{self.source}/{self.entity.name}"


CRMCOM_CONTACTS = Stream("crmcom", CONTACTS, has_single_reads=True, is_fan_out=True)
CRMCOM_COMMUNICATIONS = Stream(
    "crmcom",
    COMMUNICATIONS,
    CRMCOM_CONTACTS,
    has_single_reads=True,
    has_creation_time=True,
    is_fan_out=True,
)
CRMCOM_APPROVAL_REQUESTS = Stream(
    "crmcom", APPROVAL_REQUESTS, CRMCOM_CONTACTS, has_single_reads=True, is_fan_out=True
)
ROCS_CONTACTS = Stream("rocs", CONTACTS, has_single_reads=True, is_fan_out=True)
ROCS_COMMUNICATIONS = Stream("rocs", COMMUNICATIONS)
ROCS_CONTACT_LISTS = Stream("rocs", CONTACT_LISTS)
ROCS_CAMPAIGNS = Stream("rocs", CAMPAIGNS)
ROSAAS_TENANTS = Stream("rosaas", TENANTS, has_single_reads=True)
ROSAAS_PLANS = Stream("rosaas", PLANS)
ROSAAS_SPECIFICATIONS = Stream("rosaas", SPECIFICATIONS)

# In the order of a first sync: ROCS may name the contacts of CRM.COM, and these come before what
# hangs under them.
STREAMS = {
    str(stream): stream
    for stream in (
        ROSAAS_PLANS,
        ROSAAS_SPECIFICATIONS,
        ROSAAS_TENANTS,
        ROCS_CONTACTS,
        ROCS_CONTACT_LISTS,
        ROCS_CAMPAIGNS,
        ROCS_COMMUNICATIONS,
        CRMCOM_CONTACTS,
        CRMCOM_COMMUNICATIONS,
        CRMCOM_APPROVAL_REQUESTS,
    )
}

ENTITIES = {stream.entity.name: stream.entity for stream in STREAMS.values()}
