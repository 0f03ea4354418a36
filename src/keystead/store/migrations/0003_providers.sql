-- Links of outgoing synchronisation, remote connections, streams of signals; numbers by which the API names grants.

CREATE TABLE scim_users (
    id TEXT PRIMARY KEY,
    remote_id TEXT NOT NULL,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    provider BIGINT NOT NULL,
    attributes JSONB NOT NULL
);
CREATE UNIQUE INDEX uq_scim_users__remote_id ON scim_users (provider, remote_id, user_id);
CREATE INDEX ix_scim_users_user ON scim_users (user_id);

CREATE TABLE scim_groups (
    id TEXT PRIMARY KEY,
    remote_id TEXT NOT NULL,
    group_id TEXT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    provider BIGINT NOT NULL,
    attributes JSONB NOT NULL
);
CREATE UNIQUE INDEX uq_scim_groups__remote_id ON scim_groups (provider, remote_id, group_id);
CREATE INDEX ix_scim_groups_group ON scim_groups (group_id);

CREATE TABLE google_workspace_users (
    id TEXT PRIMARY KEY,
    remote_id TEXT NOT NULL,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    provider BIGINT NOT NULL,
    attributes JSONB NOT NULL
);
CREATE UNIQUE INDEX uq_google_workspace_users__remote_id ON google_workspace_users (provider, remote_id, user_id);
CREATE INDEX ix_google_workspace_users_user ON google_workspace_users (user_id);

CREATE TABLE google_workspace_groups (
    id TEXT PRIMARY KEY,
    remote_id TEXT NOT NULL,
    group_id TEXT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    provider BIGINT NOT NULL,
    attributes JSONB NOT NULL
);
CREATE UNIQUE INDEX uq_google_workspace_groups__remote_id ON google_workspace_groups (provider, remote_id, group_id);
CREATE INDEX ix_google_workspace_groups_group ON google_workspace_groups (group_id);

CREATE TABLE microsoft_entra_users (
    id TEXT PRIMARY KEY,
    remote_id TEXT NOT NULL,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    provider BIGINT NOT NULL,
    attributes JSONB NOT NULL
);
CREATE UNIQUE INDEX uq_microsoft_entra_users__remote_id ON microsoft_entra_users (provider, remote_id, user_id);
CREATE INDEX ix_microsoft_entra_users_user ON microsoft_entra_users (user_id);

CREATE TABLE microsoft_entra_groups (
    id TEXT PRIMARY KEY,
    remote_id TEXT NOT NULL,
    group_id TEXT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    provider BIGINT NOT NULL,
    attributes JSONB NOT NULL
);
CREATE UNIQUE INDEX uq_microsoft_entra_groups__remote_id ON microsoft_entra_groups (provider, remote_id, group_id);
CREATE INDEX ix_microsoft_entra_groups_group ON microsoft_entra_groups (group_id);

CREATE TABLE rac_connection_tokens (
    id TEXT PRIMARY KEY,
    provider BIGINT NOT NULL,
    endpoint TEXT NOT NULL,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    session_id TEXT,
    expires BIGINT
);
CREATE INDEX ix_rac_connection_tokens_provider ON rac_connection_tokens (provider);
CREATE INDEX ix_rac_connection_tokens_endpoint ON rac_connection_tokens (endpoint);
CREATE INDEX ix_rac_connection_tokens_user ON rac_connection_tokens (user_id);
CREATE INDEX ix_rac_connection_tokens_session ON rac_connection_tokens (session_id);

CREATE TABLE ssf_streams (
    id TEXT PRIMARY KEY,
    provider BIGINT NOT NULL,
    status TEXT NOT NULL,
    delivery_method TEXT NOT NULL,
    endpoint_url TEXT,
    events_requested TEXT NOT NULL,
    format TEXT NOT NULL,
    aud TEXT NOT NULL,
    iss TEXT NOT NULL
);
CREATE INDEX ix_ssf_streams_provider ON ssf_streams (provider);

-- @down
DROP TABLE ssf_streams;
DROP TABLE rac_connection_tokens;
DROP TABLE microsoft_entra_groups;
DROP TABLE microsoft_entra_users;
DROP TABLE google_workspace_groups;
DROP TABLE google_workspace_users;
DROP TABLE scim_groups;
DROP TABLE scim_users;
