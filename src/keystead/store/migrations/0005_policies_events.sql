-- What policies look at (scores, earlier passwords), notifications, exports, reviews, offboardings, access requests.

CREATE TABLE reputation_scores (
    id TEXT PRIMARY KEY,
    identifier TEXT NOT NULL,
    ip TEXT NOT NULL,
    ip_geo_data TEXT NOT NULL,
    ip_asn_data TEXT NOT NULL,
    score BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    expires BIGINT NOT NULL
);
CREATE UNIQUE INDEX uq_reputation_scores__identifier ON reputation_scores (identifier, ip);
CREATE INDEX ix_reputation_scores_ip ON reputation_scores (ip);
CREATE INDEX ix_reputation_scores_updated ON reputation_scores (updated);
CREATE INDEX ix_reputation_scores_expires ON reputation_scores (expires);

-- Every hash that another one replaces, whoever replaces it; one made anew of the same password keeps its date.
CREATE TABLE password_history (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- @sqlite
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- @postgres
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    password TEXT NOT NULL,
    replaced BIGINT NOT NULL
);
CREATE INDEX ix_password_history_user ON password_history (user_id, replaced);
CREATE FUNCTION keystead_remember() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN INSERT INTO password_history (user_id, password, replaced) VALUES (OLD.id, OLD.password, NEW.password_change_date); RETURN NULL; END $$; -- @postgres
CREATE TRIGGER remember_password AFTER UPDATE OF password ON users FOR EACH ROW WHEN (OLD.password <> '' AND OLD.password <> NEW.password AND OLD.password_change_date <> NEW.password_change_date) EXECUTE FUNCTION keystead_remember(); -- @postgres
CREATE TRIGGER remember_password AFTER UPDATE OF password ON users WHEN OLD.password <> '' AND OLD.password <> NEW.password AND OLD.password_change_date <> NEW.password_change_date BEGIN INSERT INTO password_history (user_id, password, replaced) VALUES (OLD.id, OLD.password, NEW.password_change_date); END; -- @sqlite

CREATE TABLE notifications (
    id TEXT PRIMARY KEY,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    severity TEXT NOT NULL,
    body TEXT NOT NULL,
    hyperlink TEXT,
    hyperlink_label TEXT,
    created BIGINT NOT NULL,
    event TEXT,
    seen BOOLEAN NOT NULL
);
CREATE INDEX ix_notifications_user ON notifications (user_id, created);
CREATE INDEX ix_notifications_created ON notifications (created);
CREATE INDEX ix_notifications_event ON notifications (event);

CREATE TABLE data_exports (
    id TEXT PRIMARY KEY,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    requested_on BIGINT NOT NULL,
    model TEXT NOT NULL,
    query_params TEXT NOT NULL,
    file TEXT NOT NULL,
    completed BOOLEAN NOT NULL
);
CREATE INDEX ix_data_exports_user ON data_exports (user_id);
CREATE INDEX ix_data_exports_requested_on ON data_exports (requested_on);

CREATE TABLE lifecycle_iterations (
    id TEXT PRIMARY KEY,
    rule TEXT NOT NULL,
    content_type TEXT NOT NULL,
    object_id TEXT NOT NULL,
    state TEXT NOT NULL,
    opened_on BIGINT NOT NULL,
    grace_period_end BIGINT NOT NULL,
    next_review_date BIGINT NOT NULL
);
CREATE INDEX ix_lifecycle_iterations_rule ON lifecycle_iterations (rule);
CREATE INDEX ix_lifecycle_iterations_object ON lifecycle_iterations (content_type, object_id, opened_on);
CREATE INDEX ix_lifecycle_iterations_state ON lifecycle_iterations (state, opened_on);
CREATE TABLE lifecycle_reviews (
    id TEXT PRIMARY KEY,
    iteration TEXT NOT NULL REFERENCES lifecycle_iterations (id) ON DELETE CASCADE,
    reviewer BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    at BIGINT NOT NULL,
    note TEXT
);
CREATE INDEX ix_lifecycle_reviews_iteration ON lifecycle_reviews (iteration, at);
CREATE INDEX ix_lifecycle_reviews_reviewer ON lifecycle_reviews (reviewer);

CREATE TABLE user_offboardings (
    id TEXT PRIMARY KEY,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    scheduled_at BIGINT NOT NULL,
    action TEXT NOT NULL,
    revoke_sessions BOOLEAN NOT NULL,
    revoke_tokens BOOLEAN NOT NULL,
    status TEXT NOT NULL,
    created_by BIGINT REFERENCES users (id) ON DELETE SET NULL,
    created_at BIGINT NOT NULL,
    executed_at BIGINT
);
CREATE INDEX ix_user_offboardings_user ON user_offboardings (user_id);
CREATE INDEX ix_user_offboardings_due ON user_offboardings (status, scheduled_at);
CREATE INDEX ix_user_offboardings_created_by ON user_offboardings (created_by);

CREATE TABLE grant_requests (
    id TEXT PRIMARY KEY,
    created BIGINT NOT NULL,
    created_by BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    requester_data TEXT NOT NULL,
    fulfiller_data TEXT NOT NULL,
    revoked_by BIGINT REFERENCES users (id) ON DELETE SET NULL,
    agent_owner BIGINT REFERENCES users (id) ON DELETE SET NULL,
    expires BIGINT,
    status TEXT NOT NULL,
    targets TEXT NOT NULL
);
CREATE INDEX ix_grant_requests_created_by ON grant_requests (created_by);
CREATE INDEX ix_grant_requests_revoked_by ON grant_requests (revoked_by);
CREATE INDEX ix_grant_requests_agent_owner ON grant_requests (agent_owner);
CREATE INDEX ix_grant_requests_status ON grant_requests (status, created);

-- @down
DROP TABLE grant_requests;
DROP TABLE user_offboardings;
DROP TABLE lifecycle_reviews;
DROP TABLE lifecycle_iterations;
DROP TABLE data_exports;
DROP TABLE notifications;
DROP TRIGGER remember_password; -- @sqlite
DROP TRIGGER remember_password ON users; -- @postgres
DROP FUNCTION keystead_remember(); -- @postgres
DROP TABLE password_history;
DROP TABLE reputation_scores;
