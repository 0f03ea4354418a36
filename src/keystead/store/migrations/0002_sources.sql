-- Who is who at a source: users, groups, and what a SCIM client has named.
-- Sources are settings, so their keys refer to no table.

CREATE TABLE user_connections (
    id BIGINT PRIMARY KEY,
    type TEXT NOT NULL,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    source_id TEXT NOT NULL,
    identifier TEXT NOT NULL,
    secret TEXT,
    expires BIGINT,
    created BIGINT NOT NULL,
    last_updated BIGINT NOT NULL
);
CREATE UNIQUE INDEX uq_user_connections__identifier ON user_connections (identifier, source_id);
CREATE INDEX ix_user_connections_user ON user_connections (user_id);
CREATE INDEX ix_user_connections_source ON user_connections (source_id);
CREATE INDEX ix_user_connections_type ON user_connections (type, id);

CREATE TABLE group_connections (
    id BIGINT PRIMARY KEY,
    type TEXT NOT NULL,
    group_id TEXT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    source_id TEXT NOT NULL,
    identifier TEXT NOT NULL,
    created BIGINT NOT NULL,
    last_updated BIGINT NOT NULL
);
CREATE UNIQUE INDEX uq_group_connections__identifier ON group_connections (identifier, source_id);
CREATE INDEX ix_group_connections_group ON group_connections (group_id);
CREATE INDEX ix_group_connections_source ON group_connections (source_id);
CREATE INDEX ix_group_connections_type ON group_connections (type, id);

CREATE TABLE scim_source_users (
    uuid TEXT PRIMARY KEY,
    id TEXT NOT NULL,
    external_id TEXT NOT NULL,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    source_id TEXT NOT NULL,
    attributes JSONB NOT NULL
);
CREATE UNIQUE INDEX uq_scim_source_users__id ON scim_source_users (id);
CREATE UNIQUE INDEX uq_scim_source_users__external_id ON scim_source_users (external_id, source_id);
CREATE INDEX ix_scim_source_users_user ON scim_source_users (user_id);
CREATE INDEX ix_scim_source_users_source ON scim_source_users (source_id, id);

CREATE TABLE scim_source_groups (
    uuid TEXT PRIMARY KEY,
    id TEXT NOT NULL,
    external_id TEXT NOT NULL,
    group_id TEXT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    source_id TEXT NOT NULL,
    attributes JSONB NOT NULL
);
CREATE UNIQUE INDEX uq_scim_source_groups__id ON scim_source_groups (id);
CREATE UNIQUE INDEX uq_scim_source_groups__external_id ON scim_source_groups (external_id, source_id);
CREATE INDEX ix_scim_source_groups_group ON scim_source_groups (group_id);
CREATE INDEX ix_scim_source_groups_source ON scim_source_groups (source_id, id);

-- @down
DROP TABLE scim_source_groups;
DROP TABLE scim_source_users;
DROP TABLE group_connections;
DROP TABLE user_connections;
