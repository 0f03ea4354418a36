-- Proofs from elsewhere that count once, until they would be too old anyway.

CREATE TABLE spent_proofs (
    digest TEXT PRIMARY KEY,
    expires BIGINT NOT NULL
);
CREATE INDEX ix_spent_proofs_expires ON spent_proofs (expires);

-- @down
DROP TABLE spent_proofs;
