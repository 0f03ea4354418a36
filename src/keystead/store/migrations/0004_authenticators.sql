-- Devices with which people prove who they are, and invitations.

CREATE TABLE devices_totp (
    id BIGINT PRIMARY KEY,
    name TEXT NOT NULL,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    confirmed BOOLEAN NOT NULL,
    created BIGINT NOT NULL,
    last_updated BIGINT NOT NULL,
    last_used BIGINT,
    key_sealed TEXT NOT NULL,
    digits BIGINT NOT NULL,
    last_step BIGINT NOT NULL
);
CREATE INDEX ix_devices_totp_user ON devices_totp (user_id);

CREATE TABLE devices_static (
    id BIGINT PRIMARY KEY,
    name TEXT NOT NULL,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    confirmed BOOLEAN NOT NULL,
    created BIGINT NOT NULL,
    last_updated BIGINT NOT NULL,
    last_used BIGINT
);
CREATE INDEX ix_devices_static_user ON devices_static (user_id);
CREATE TABLE static_codes (
    device_id BIGINT NOT NULL REFERENCES devices_static (id) ON DELETE CASCADE,
    digest TEXT NOT NULL,
    PRIMARY KEY (device_id, digest)
);

CREATE TABLE devices_duo (
    id BIGINT PRIMARY KEY,
    name TEXT NOT NULL,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    confirmed BOOLEAN NOT NULL,
    created BIGINT NOT NULL,
    last_updated BIGINT NOT NULL,
    last_used BIGINT,
    duo_user_id TEXT NOT NULL
);
CREATE INDEX ix_devices_duo_user ON devices_duo (user_id);

CREATE TABLE devices_sms (
    id BIGINT PRIMARY KEY,
    name TEXT NOT NULL,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    confirmed BOOLEAN NOT NULL,
    created BIGINT NOT NULL,
    last_updated BIGINT NOT NULL,
    last_used BIGINT,
    phone_number TEXT NOT NULL
);
CREATE INDEX ix_devices_sms_user ON devices_sms (user_id);

CREATE TABLE devices_email (
    id BIGINT PRIMARY KEY,
    name TEXT NOT NULL,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    confirmed BOOLEAN NOT NULL,
    created BIGINT NOT NULL,
    last_updated BIGINT NOT NULL,
    last_used BIGINT,
    email TEXT NOT NULL
);
CREATE INDEX ix_devices_email_user ON devices_email (user_id);

CREATE TABLE devices_webauthn (
    id BIGINT PRIMARY KEY,
    name TEXT NOT NULL,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    confirmed BOOLEAN NOT NULL,
    created BIGINT NOT NULL,
    last_updated BIGINT NOT NULL,
    last_used BIGINT,
    aaguid TEXT NOT NULL,
    credential_id TEXT,
    public_key TEXT NOT NULL,
    sign_count BIGINT NOT NULL,
    rp_id TEXT NOT NULL
);
CREATE INDEX ix_devices_webauthn_user ON devices_webauthn (user_id);
CREATE UNIQUE INDEX uq_devices_webauthn__credential_id ON devices_webauthn (credential_id);

CREATE TABLE devices_endpoint (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    confirmed BOOLEAN NOT NULL,
    created BIGINT NOT NULL,
    last_updated BIGINT NOT NULL,
    last_used BIGINT,
    host_identifier TEXT NOT NULL
);
CREATE INDEX ix_devices_endpoint_user ON devices_endpoint (user_id);

CREATE TABLE invitations (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    expires BIGINT,
    fixed_data TEXT NOT NULL,
    created_by BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    single_use BOOLEAN NOT NULL,
    flow TEXT
);
CREATE INDEX ix_invitations_name ON invitations (name);
CREATE INDEX ix_invitations_created_by ON invitations (created_by);
CREATE INDEX ix_invitations_flow ON invitations (flow);
CREATE INDEX ix_invitations_expires ON invitations (expires);

-- @down
DROP TABLE invitations;
DROP TABLE devices_endpoint;
DROP TABLE devices_webauthn;
DROP TABLE devices_email;
DROP TABLE devices_sms;
DROP TABLE devices_duo;
DROP TABLE static_codes;
DROP TABLE devices_static;
DROP TABLE devices_totp;
