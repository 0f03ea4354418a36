-- What belongs to the installation (files, versions, tasks and schedules), agents, and devices with what they tell.

CREATE TABLE files (
    usage TEXT NOT NULL,
    name TEXT NOT NULL,
    mime_type TEXT NOT NULL,
    sum TEXT NOT NULL,
    content BYTEA NOT NULL, -- @postgres
    content BLOB NOT NULL, -- @sqlite
    created BIGINT NOT NULL,
    PRIMARY KEY (usage, name)
);
CREATE TABLE version_history (
    id BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    version TEXT NOT NULL,
    build TEXT NOT NULL
);

CREATE TABLE tasks (
    id TEXT PRIMARY KEY,
    queue_name TEXT NOT NULL,
    actor_name TEXT NOT NULL,
    state TEXT NOT NULL,
    mtime BIGINT NOT NULL,
    retries BIGINT NOT NULL,
    eta BIGINT,
    rel_obj_app_label TEXT NOT NULL,
    rel_obj_model TEXT NOT NULL,
    rel_obj_id TEXT,
    uid TEXT NOT NULL,
    logs TEXT NOT NULL,
    previous_logs TEXT NOT NULL,
    aggregated_status TEXT NOT NULL,
    description TEXT,
    expires BIGINT
);
CREATE INDEX ix_tasks_mtime ON tasks (mtime);
CREATE INDEX ix_tasks_actor_name ON tasks (actor_name, mtime);
CREATE INDEX ix_tasks_status ON tasks (aggregated_status, mtime);
CREATE INDEX ix_tasks_rel_obj ON tasks (rel_obj_id);
CREATE INDEX ix_tasks_expires ON tasks (expires);
CREATE TABLE schedules (
    id TEXT PRIMARY KEY,
    identifier TEXT,
    uid TEXT NOT NULL,
    actor_name TEXT NOT NULL,
    rel_obj_app_label TEXT NOT NULL,
    rel_obj_model TEXT NOT NULL,
    rel_obj_id TEXT,
    crontab TEXT NOT NULL,
    paused BOOLEAN NOT NULL,
    next_run BIGINT NOT NULL,
    description TEXT,
    last_task_status TEXT
);
CREATE UNIQUE INDEX uq_schedules__uid ON schedules (uid);
CREATE INDEX ix_schedules_actor_name ON schedules (actor_name);
CREATE INDEX ix_schedules_rel_obj ON schedules (rel_obj_id);

CREATE TABLE workers (
    id TEXT PRIMARY KEY,
    version TEXT NOT NULL,
    seen BIGINT NOT NULL
);

CREATE TABLE agents (
    user_id BIGINT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    parent_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    policy_behavior TEXT NOT NULL,
    expires BIGINT,
    expiring BOOLEAN NOT NULL
);
CREATE INDEX ix_agents_parent ON agents (parent_id);

CREATE TABLE endpoint_devices (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    identifier TEXT NOT NULL,
    access_group TEXT,
    expires BIGINT,
    expiring BOOLEAN NOT NULL,
    attributes JSONB NOT NULL
);
CREATE UNIQUE INDEX uq_endpoint_devices__identifier ON endpoint_devices (identifier);
CREATE INDEX ix_endpoint_devices_name ON endpoint_devices (name);
CREATE INDEX ix_endpoint_devices_access_group ON endpoint_devices (access_group);
CREATE INDEX ix_endpoint_devices_expires ON endpoint_devices (expires);
CREATE TABLE endpoint_connections (
    id TEXT PRIMARY KEY,
    device_id TEXT NOT NULL REFERENCES endpoint_devices (id) ON DELETE CASCADE,
    connector TEXT NOT NULL,
    vendor TEXT NOT NULL,
    facts TEXT,
    facts_created BIGINT,
    facts_expires BIGINT
);
CREATE UNIQUE INDEX uq_endpoint_connections__device ON endpoint_connections (device_id, connector);
CREATE INDEX ix_endpoint_connections_connector ON endpoint_connections (connector);
CREATE TABLE endpoint_bindings (
    id TEXT PRIMARY KEY,
    policy TEXT,
    group_id TEXT REFERENCES groups (id) ON DELETE CASCADE,
    user_id BIGINT REFERENCES users (id) ON DELETE CASCADE,
    device_id TEXT NOT NULL REFERENCES endpoint_devices (id) ON DELETE CASCADE,
    negate BOOLEAN NOT NULL,
    enabled BOOLEAN NOT NULL,
    place BIGINT NOT NULL,
    timeout BIGINT NOT NULL,
    failure_result BOOLEAN NOT NULL,
    expires BIGINT,
    expiring BOOLEAN NOT NULL,
    is_primary BOOLEAN NOT NULL,
    connector TEXT
);
CREATE INDEX ix_endpoint_bindings_device ON endpoint_bindings (device_id);
CREATE INDEX ix_endpoint_bindings_user ON endpoint_bindings (user_id);
CREATE INDEX ix_endpoint_bindings_group ON endpoint_bindings (group_id);
CREATE INDEX ix_endpoint_bindings_policy ON endpoint_bindings (policy);
CREATE TABLE enrollment_tokens (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    connector TEXT NOT NULL,
    device_group TEXT,
    key_digest TEXT NOT NULL,
    key_sealed TEXT NOT NULL,
    expires BIGINT,
    expiring BOOLEAN NOT NULL
);
CREATE UNIQUE INDEX uq_enrollment_tokens__key_digest ON enrollment_tokens (key_digest);
CREATE INDEX ix_enrollment_tokens_connector ON enrollment_tokens (connector);
CREATE INDEX ix_enrollment_tokens_expires ON enrollment_tokens (expires);
CREATE TABLE apple_secure_enclaves (
    id TEXT PRIMARY KEY,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    apple_secure_enclave_key TEXT NOT NULL,
    apple_enclave_key_id TEXT NOT NULL,
    device_type TEXT NOT NULL
);
CREATE INDEX ix_apple_secure_enclaves_user ON apple_secure_enclaves (user_id);
CREATE INDEX ix_apple_secure_enclaves_key ON apple_secure_enclaves (apple_enclave_key_id);

-- @down
DROP TABLE apple_secure_enclaves;
DROP TABLE enrollment_tokens;
DROP TABLE endpoint_bindings;
DROP TABLE endpoint_connections;
DROP TABLE endpoint_devices;
DROP TABLE agents;
DROP TABLE workers;
DROP TABLE schedules;
DROP TABLE tasks;
DROP TABLE version_history;
DROP TABLE files;
