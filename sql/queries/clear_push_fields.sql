DELETE FROM push.fields
