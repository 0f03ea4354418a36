-- Settings documents, their change log, and the records of first light.
-- Instants are microseconds since 1970 UTC; JSON is text unless it is searched inside.

CREATE TABLE settings_head (seq BIGINT NOT NULL);
INSERT INTO settings_head (seq) VALUES (0);
CREATE TABLE settings (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    doc TEXT NOT NULL,
    seq BIGINT NOT NULL
);
CREATE TABLE settings_changes (
    seq BIGINT PRIMARY KEY,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    doc TEXT,
    at BIGINT NOT NULL
);
CREATE INDEX ix_settings_changes_id ON settings_changes (id, seq);

CREATE TABLE id_blocks (name TEXT PRIMARY KEY, next BIGINT NOT NULL);
CREATE TABLE installation (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE row_counts (name TEXT NOT NULL, shard BIGINT NOT NULL, n BIGINT NOT NULL, PRIMARY KEY (name, shard));

CREATE TABLE users (
    id BIGINT PRIMARY KEY,
    uuid TEXT NOT NULL,
    username TEXT NOT NULL,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    is_active BOOLEAN NOT NULL,
    type TEXT NOT NULL,
    path TEXT NOT NULL,
    attributes JSONB NOT NULL,
    password TEXT NOT NULL,
    password_change_date BIGINT NOT NULL,
    date_joined BIGINT NOT NULL,
    last_login BIGINT,
    last_updated BIGINT NOT NULL
);
CREATE UNIQUE INDEX uq_users__username ON users (username);
CREATE UNIQUE INDEX uq_users__uuid ON users (uuid);
CREATE INDEX ix_users_username_lower ON users (lower(username));
CREATE INDEX ix_users_email_lower ON users (lower(email));
CREATE INDEX ix_users_email ON users (email);
CREATE INDEX ix_users_name ON users (name);
CREATE INDEX ix_users_path ON users (path);
CREATE INDEX ix_users_type ON users (type, username);
CREATE INDEX ix_users_last_login ON users (last_login);
CREATE INDEX ix_users_date_joined ON users (date_joined);

CREATE TABLE groups (
    id TEXT PRIMARY KEY,
    num_pk BIGINT NOT NULL,
    name TEXT NOT NULL,
    is_superuser BOOLEAN NOT NULL,
    attributes JSONB NOT NULL
);
CREATE UNIQUE INDEX uq_groups__name ON groups (name);
CREATE UNIQUE INDEX uq_groups__num_pk ON groups (num_pk);
CREATE INDEX ix_groups_superuser ON groups (is_superuser, name);
CREATE TABLE group_parents (
    group_id TEXT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    parent_id TEXT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    PRIMARY KEY (group_id, parent_id)
);
CREATE INDEX ix_group_parents_parent ON group_parents (parent_id, group_id);
CREATE TABLE group_members (
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    group_id TEXT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    PRIMARY KEY (user_id, group_id)
);
CREATE INDEX ix_group_members_group ON group_members (group_id, user_id);
CREATE TABLE user_roles (
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role_id TEXT NOT NULL,
    PRIMARY KEY (user_id, role_id)
);
CREATE INDEX ix_user_roles_role ON user_roles (role_id, user_id);
CREATE TABLE group_roles (
    group_id TEXT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    role_id TEXT NOT NULL,
    PRIMARY KEY (group_id, role_id)
);
CREATE INDEX ix_group_roles_role ON group_roles (role_id, group_id);

CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    identifier TEXT NOT NULL,
    intent TEXT NOT NULL,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    description TEXT NOT NULL,
    key_digest TEXT NOT NULL,
    key_sealed TEXT NOT NULL,
    expires BIGINT,
    expiring BOOLEAN NOT NULL,
    managed TEXT
);
CREATE UNIQUE INDEX uq_tokens__identifier ON tokens (identifier);
CREATE UNIQUE INDEX uq_tokens__key_digest ON tokens (key_digest);
CREATE UNIQUE INDEX uq_tokens__managed ON tokens (managed);
CREATE INDEX ix_tokens_user ON tokens (user_id);

CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    digest TEXT NOT NULL,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    last_used BIGINT NOT NULL,
    last_ip TEXT NOT NULL,
    last_user_agent TEXT NOT NULL,
    auth TEXT NOT NULL
);
CREATE UNIQUE INDEX uq_sessions__digest ON sessions (digest);
CREATE INDEX ix_sessions_user ON sessions (user_id);
CREATE INDEX ix_sessions_expires ON sessions (expires);

CREATE TABLE flow_runs (
    digest TEXT PRIMARY KEY,
    flow TEXT NOT NULL,
    state TEXT NOT NULL,
    version BIGINT NOT NULL,
    expires BIGINT NOT NULL
);
CREATE INDEX ix_flow_runs_expires ON flow_runs (expires);

CREATE TABLE consents (
    id BIGINT PRIMARY KEY,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    application TEXT NOT NULL,
    permissions TEXT NOT NULL,
    expires BIGINT,
    expiring BOOLEAN NOT NULL
);
CREATE UNIQUE INDEX uq_consents__user ON consents (user_id, application);
CREATE INDEX ix_consents_application ON consents (application);

CREATE TABLE events (
    position INTEGER PRIMARY KEY AUTOINCREMENT, -- @sqlite
    position BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- @postgres
    id TEXT NOT NULL,
    action TEXT NOT NULL,
    app TEXT NOT NULL,
    user_pk BIGINT,
    username TEXT NOT NULL,
    actor TEXT NOT NULL,
    model TEXT NOT NULL,
    model_pk TEXT NOT NULL,
    context TEXT NOT NULL,
    client_ip TEXT,
    created BIGINT NOT NULL,
    expires BIGINT,
    brand TEXT NOT NULL
);
CREATE UNIQUE INDEX uq_events__id ON events (id);
CREATE INDEX ix_events_created ON events (created);
CREATE INDEX ix_events_action ON events (action, created);
CREATE INDEX ix_events_user ON events (user_pk, created);
CREATE INDEX ix_events_client_ip ON events (client_ip, created);
CREATE INDEX ix_events_model ON events (model, model_pk, created);
CREATE INDEX ix_events_expires ON events (expires);

CREATE TABLE oauth_codes (
    digest TEXT PRIMARY KEY,
    grant_id TEXT NOT NULL,
    provider BIGINT NOT NULL,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    session_id TEXT,
    request TEXT NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    redeemed BIGINT
);
CREATE INDEX ix_oauth_codes_user ON oauth_codes (user_id);
CREATE INDEX ix_oauth_codes_expires ON oauth_codes (expires);
CREATE TABLE oauth_grants (
    id TEXT PRIMARY KEY,
    provider BIGINT NOT NULL,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    session_id TEXT,
    scope TEXT NOT NULL,
    auth TEXT NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    revoked BIGINT
);
CREATE INDEX ix_oauth_grants_user ON oauth_grants (user_id);
CREATE INDEX ix_oauth_grants_provider ON oauth_grants (provider);
CREATE INDEX ix_oauth_grants_session ON oauth_grants (session_id);
CREATE INDEX ix_oauth_grants_expires ON oauth_grants (expires);
CREATE TABLE oauth_refresh_tokens (
    digest TEXT PRIMARY KEY,
    grant_id TEXT NOT NULL REFERENCES oauth_grants (id) ON DELETE CASCADE,
    parent TEXT,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL
);
CREATE UNIQUE INDEX uq_oauth_refresh_tokens__parent ON oauth_refresh_tokens (parent);
CREATE INDEX ix_oauth_refresh_tokens_grant ON oauth_refresh_tokens (grant_id);
CREATE TABLE oauth_revoked (
    jti TEXT PRIMARY KEY,
    expires BIGINT NOT NULL
);
CREATE INDEX ix_oauth_revoked_expires ON oauth_revoked (expires);

-- How many rows a large table holds, kept by triggers so that no code can forget it: a list's count costs nothing.
-- On PostgreSQL a backend writes a shard of its own choosing, so that inserts do not queue for one row.
-- The statement is one line for each engine because marks are per line.
CREATE FUNCTION keystead_guard(name TEXT, touched BIGINT, expected BIGINT) RETURNS BOOLEAN LANGUAGE plpgsql AS $$ BEGIN IF touched <> expected THEN RAISE EXCEPTION USING ERRCODE = 'KS001', MESSAGE = name; END IF; RETURN TRUE; END $$; -- @postgres
CREATE FUNCTION keystead_contains(whole JSONB, part JSONB) RETURNS BOOLEAN LANGUAGE sql IMMUTABLE AS $$ SELECT whole @> part $$; -- @postgres
CREATE INDEX ix_users_attributes ON users USING gin (attributes jsonb_path_ops); -- @postgres
CREATE INDEX ix_groups_attributes ON groups USING gin (attributes jsonb_path_ops); -- @postgres
CREATE FUNCTION keystead_count() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN INSERT INTO row_counts (name, shard, n) VALUES (TG_TABLE_NAME, pg_backend_pid() % 16, CASE TG_OP WHEN 'INSERT' THEN (SELECT count(*) FROM moved) ELSE -(SELECT count(*) FROM moved) END) ON CONFLICT (name, shard) DO UPDATE SET n = row_counts.n + excluded.n; RETURN NULL; END $$; -- @postgres
CREATE TRIGGER count_users_in AFTER INSERT ON users REFERENCING NEW TABLE AS moved FOR EACH STATEMENT EXECUTE FUNCTION keystead_count(); -- @postgres
CREATE TRIGGER count_users_out AFTER DELETE ON users REFERENCING OLD TABLE AS moved FOR EACH STATEMENT EXECUTE FUNCTION keystead_count(); -- @postgres
CREATE TRIGGER count_groups_in AFTER INSERT ON groups REFERENCING NEW TABLE AS moved FOR EACH STATEMENT EXECUTE FUNCTION keystead_count(); -- @postgres
CREATE TRIGGER count_groups_out AFTER DELETE ON groups REFERENCING OLD TABLE AS moved FOR EACH STATEMENT EXECUTE FUNCTION keystead_count(); -- @postgres
CREATE TRIGGER count_events_in AFTER INSERT ON events REFERENCING NEW TABLE AS moved FOR EACH STATEMENT EXECUTE FUNCTION keystead_count(); -- @postgres
CREATE TRIGGER count_events_out AFTER DELETE ON events REFERENCING OLD TABLE AS moved FOR EACH STATEMENT EXECUTE FUNCTION keystead_count(); -- @postgres
INSERT INTO row_counts (name, shard, n) VALUES ('users', 0, 0), ('groups', 0, 0), ('events', 0, 0); -- @sqlite
CREATE TRIGGER count_users_in AFTER INSERT ON users BEGIN UPDATE row_counts SET n = n + 1 WHERE name = 'users'; END; -- @sqlite
CREATE TRIGGER count_users_out AFTER DELETE ON users BEGIN UPDATE row_counts SET n = n - 1 WHERE name = 'users'; END; -- @sqlite
CREATE TRIGGER count_groups_in AFTER INSERT ON groups BEGIN UPDATE row_counts SET n = n + 1 WHERE name = 'groups'; END; -- @sqlite
CREATE TRIGGER count_groups_out AFTER DELETE ON groups BEGIN UPDATE row_counts SET n = n - 1 WHERE name = 'groups'; END; -- @sqlite
CREATE TRIGGER count_events_in AFTER INSERT ON events BEGIN UPDATE row_counts SET n = n + 1 WHERE name = 'events'; END; -- @sqlite
CREATE TRIGGER count_events_out AFTER DELETE ON events BEGIN UPDATE row_counts SET n = n - 1 WHERE name = 'events'; END; -- @sqlite

-- @down
DROP TABLE oauth_revoked;
DROP TABLE oauth_refresh_tokens;
DROP TABLE oauth_grants;
DROP TABLE oauth_codes;
DROP TABLE events;
DROP TABLE consents;
DROP TABLE flow_runs;
DROP TABLE sessions;
DROP TABLE tokens;
DROP TABLE group_roles;
DROP TABLE user_roles;
DROP TABLE group_members;
DROP TABLE group_parents;
DROP TABLE groups;
DROP TABLE users;
DROP TABLE row_counts;
DROP TABLE installation;
DROP TABLE id_blocks;
DROP TABLE settings_changes;
DROP TABLE settings;
DROP TABLE settings_head;
DROP FUNCTION keystead_contains(JSONB, JSONB); -- @postgres
DROP FUNCTION keystead_count(); -- @postgres
DROP FUNCTION keystead_guard(TEXT, BIGINT, BIGINT); -- @postgres
