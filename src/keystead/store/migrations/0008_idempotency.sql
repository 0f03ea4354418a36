-- What was asked under an Idempotency-Key and how it was answered.
-- Without an answer, the request is under way or was broken off after it may have acted.

CREATE TABLE idempotency (
    digest TEXT PRIMARY KEY,
    request TEXT NOT NULL,
    expires BIGINT NOT NULL,
    status BIGINT,
    answer TEXT
);
CREATE INDEX ix_idempotency_expires ON idempotency (expires);

-- @down
DROP TABLE idempotency;
