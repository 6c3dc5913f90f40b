"""The codes of RoSaaS's event webhooks (contract, 2.7) and of its tenants' statuses.

Names differ between its documents and its code: an event is known by its code, and stored by the
name that the code has here.
"""

from __future__ import annotations

from types import MappingProxyType

LIFECYCLE = (
    "creation",
    "activation",
    "deactivation",
    "deletion",
    "unavailable",
    "reset",
    "upgrade",
    "downgrade",
)
STATUS_CHANGED = 2
NAMES = MappingProxyType(
    {
        1: "Tenant.RegisteredInRosasDb",
        STATUS_CHANGED: "Tenant.StatusChanged",
        3: "Tenant.AvailabilityChangedToHealthy",
        4: "Tenant.AvailabilityChangedToUnhealthy",
        5: "Subscription.Trial.UpgradedToStandard",
        6: "Subscription.Renewal.Disabled",
        7: "Subscription.HasBeenRenewedAutomatically",
        8: "Subscription.HasBeenUpgraded",
        9: "Subscription.Upgrade.Enabled",
        10: "Subscription.Downgrade.Enabled",
        11: "Subscription.ForcedDowngrade.Enabled",
        12: "Subscription.HasBeenDowngraded",
        13: "Subscription.SuspendedDueToUnpaid",
        14: "Subscription.AutoRenewal.Enabled",
        15: "Subscription.AutoRenewal.Disabled",
        16: "Subscription.UpgradingDisabled",
        17: "Subscription.DowngradingDisabled",
        18: "Tenant.ResourcesBeingProvisioned",
        19: "ExternalSystem.CreatedTenantResources",
    }
)
# The documents' names where they differ, in lower case.
ALIASES = MappingProxyType(
    {
        "tenant.availability.changedtohealthy": 3,
        "tenant.availability.changedtounhealthy": 4,
        "subscription.autorenewal.hasbeenrenewedautomatically": 7,
    }
    | {name.lower(): code for code, name in NAMES.items()}
)
KINDS = MappingProxyType(
    dict.fromkeys(range(5, 18), "subscription")
    | {1: "creation", 3: "healthy", 4: "unavailable", 18: "creation", 19: "creation"}
)
# What a tenant's new status tells of it.
KINDS_BY_STATUS = MappingProxyType(
    dict.fromkeys(range(1, 5), "creation")
    | dict.fromkeys(range(5, 8), "activation")
    | dict.fromkeys(range(8, 11), "deactivation")
    | dict.fromkeys(range(11, 14), "deletion")
    | {14: "failure"}
)
