"""RoSaaS: the names of its fields and of its status numbers."""

from __future__ import annotations

from sync_pipeline.mapping.fields import Field, Form

# From the list item and the detail of a tenant together; the status has its own two columns.
TENANT = (
    Field("tenant_name", Form.LOWER, ("systemName",)),
    Field("tenant_id", Form.TEXT, ("tenantId",)),
    Field("subscription_id", Form.TEXT, ("subscriptionId", "id")),
    Field("display_name", Form.TEXT, ("displayName",)),
    Field("step", Form.INTEGER, ("step",)),
    Field("subscription_is_active", Form.BOOLEAN, ("isActive",)),
    Field("plan", Form.TEXT, ("plan.systemName",)),
    Field("started_at", Form.INSTANT, ("startDate",)),
    Field("ends_at", Form.INSTANT, ("endDate",)),
    Field("metadata", Form.JSON_TEXT, ("metadata",)),
    Field("specifications", Form.JSON, ("specifications",)),
    Field("source_created_at", Form.INSTANT, ("createdDate",)),
    Field("source_updated_at", Form.INSTANT, ("editedDate",)),
)

# Members of its two forms that have no column.
BESIDES_TENANT = frozenset(
    {
        "healthCheckUrl",
        "healthCheckUrlIsOverridden",
        "lastLimitsResetDate",
        "lastResetDate",
    }
)
BESIDES_PLAN = frozenset({"tenancyType"})
BESIDES_SPECIFICATION = frozenset({"validationFailureDescription", "value"})

STATUS = "status"
STATUS_NAMES = {
    -1: "None",
    1: "RecordCreated",
    2: "SendingCreationRequest",
    3: "Creating",
    4: "CreatedAsActive",
    5: "SendingActivationRequest",
    6: "Activating",
    7: "Active",
    8: "SendingDeactivationRequest",
    9: "Deactivating",
    10: "Inactive",
    11: "SendingDeletionRequest",
    12: "Deleting",
    13: "Deleted",
    14: "Failure",
}
# Older servers call status 10 so.
STATUS_CODES = {name.upper(): code for code, name in STATUS_NAMES.items()} | {"DEACTIVE": 10}
RUNNING = (4, 7)
TENANT_STATUS = (
    Field("status_code", Form.INTEGER, (STATUS,)),
    Field("status", Form.KEYWORD, (STATUS,)),
    Field("is_running", Form.BOOLEAN, (STATUS,)),
)
# The status that a tenant is to have, and the call that reports it.
STATUS_WRITES = {
    "CreatedAsActive": "created",
    "Active": "active",
    "Inactive": "inactive",
    "Failure": "failure",
    "Deleted": "deleted",
}
METADATA = "metadata"
# What can be reported and not be read.
UPGRADE_APPLIED = "upgrade_applied"

PLAN = (
    Field("plan", Form.TEXT, ("systemName",)),
    Field("display_name", Form.TEXT, ("displayName",)),
    Field("description", Form.TEXT, ("description",)),
    Field("tenancy_type", Form.TEXT, ("tenancyTypeName",)),
    Field("display_order", Form.INTEGER, ("displayOrder",)),
    Field("is_published", Form.BOOLEAN, ("isPublished",)),
    Field("is_subscribed", Form.BOOLEAN, ("isSubscribed",)),
    Field("is_locked_by_system", Form.BOOLEAN, ("isLockedBySystem",)),
    Field("prices", Form.JSON, ("prices",)),
)

SPECIFICATION = (
    Field("specification", Form.TEXT, ("systemName",)),
    Field("display_name", Form.TEXT, ("displayName.en", "displayName")),
    Field("description", Form.TEXT, ("description.en", "description")),
    Field("is_required", Form.BOOLEAN, ("isRequired",)),
    Field("is_user_editable", Form.BOOLEAN, ("isUserEditable",)),
    Field("regular_expression", Form.VERBATIM, ("regularExpression",)),
    Field("is_published", Form.BOOLEAN, ("isPublished",)),
    Field("is_subscribed", Form.BOOLEAN, ("isSubscribed",)),
)
