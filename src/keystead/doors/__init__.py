"""How requests arrive; no business rules. Each door has one table that says errors in its protocol's language."""
