SELECT
    push.request_update(
        :source, :entity, :record_id, CAST(:changes AS jsonb), CAST(:base AS jsonb)
    )
