-- What is to leave once the change that wants it has landed. The body is sealed: it may hold links that open accounts.

CREATE TABLE outbox (
    id TEXT PRIMARY KEY,
    topic TEXT NOT NULL,
    body TEXT NOT NULL,
    created BIGINT NOT NULL,
    due BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    error TEXT NOT NULL
);
CREATE INDEX ix_outbox_due ON outbox (due);

-- @down
DROP TABLE outbox;
