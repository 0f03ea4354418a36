-- Lists as files: how often one was tried, when it goes, and its content in parts.

ALTER TABLE data_exports ADD COLUMN attempts BIGINT NOT NULL DEFAULT 0;
ALTER TABLE data_exports ADD COLUMN expires BIGINT NOT NULL DEFAULT 0;
CREATE INDEX ix_data_exports_expires ON data_exports (expires);
CREATE INDEX ix_data_exports_waiting ON data_exports (completed, requested_on);
CREATE TABLE export_parts (
    export_id TEXT NOT NULL REFERENCES data_exports (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    content BYTEA NOT NULL, -- @postgres
    content BLOB NOT NULL, -- @sqlite
    PRIMARY KEY (export_id, number)
);

-- @down
DROP TABLE export_parts;
DROP INDEX ix_data_exports_waiting;
DROP INDEX ix_data_exports_expires;
ALTER TABLE data_exports DROP COLUMN expires;
ALTER TABLE data_exports DROP COLUMN attempts;
