"""Deliver one claimed update: change its record or create it, once it is time to look."""

from __future__ import annotations

from sync_pipeline.mapping.pushable import is_creation
from sync_pipeline.push.change import Changing
from sync_pipeline.push.courier import Courier, Delivered
from sync_pipeline.push.create import Creating
from sync_pipeline.warehouse.outbox import Claim, Ending


async def deliver(courier: Courier, claim: Claim) -> Delivered:
    """Return what came of an update; raises WarehouseError alone."""
    if claim.maybe_sent_at is not None:
        grace_ends_at = claim.maybe_sent_at + courier.grace
        if grace_ends_at > courier.clock():
            # Whoever had it may have sent it, and it may still be applied.
            return Delivered(Ending(claim, "sending", "it may be on its way", grace_ends_at))
    update = claim.update
    kind = Creating if is_creation(update.stream, update.entity_id) else Changing
    return await kind(courier, claim).run()
