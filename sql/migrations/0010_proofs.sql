-- All four proofs are in use.

COMMENT ON COLUMN ops.watermarks.proof IS 'How the last reading was proven: single_response (one answer was the whole list), tail_first (read backwards, in the order of creation that the rows show), agreeing_passes (read again until nothing unknown came) or incomplete';
