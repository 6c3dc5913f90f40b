DELETE FROM push.fields WHERE is_configured = :is_configured
