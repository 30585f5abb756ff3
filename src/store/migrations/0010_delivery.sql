-- What a target's server was found to do, and when; asked again when it announces other extensions.
CREATE TABLE outbox_server (
    account_id TEXT NOT NULL,
    channel TEXT NOT NULL,
    target TEXT NOT NULL,
    announced TEXT NOT NULL,
    capabilities TEXT NOT NULL,
    probed_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, channel, target),
    FOREIGN KEY (account_id, channel, target) REFERENCES outbox_target (account_id, channel, target)
);

-- Attempts of the current minute, counted by all processes together; only for targets with a limit.
CREATE TABLE outbox_minute (
    account_id TEXT NOT NULL,
    channel TEXT NOT NULL,
    target TEXT NOT NULL,
    minute BIGINT NOT NULL,
    used BIGINT NOT NULL,
    PRIMARY KEY (account_id, channel, target),
    FOREIGN KEY (account_id, channel, target) REFERENCES outbox_target (account_id, channel, target)
);

-- What the mail server, or later a bounce, said about each recipient of a mail.
CREATE TABLE outbox_recipient (
    account_id TEXT NOT NULL,
    business_key TEXT NOT NULL,
    recipient TEXT NOT NULL,
    state TEXT NOT NULL,
    answer TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, business_key, recipient),
    FOREIGN KEY (account_id, business_key) REFERENCES outbox (account_id, business_key)
);

-- Delivery reports of other mail servers (RFC 3464) about mails that had been accepted: a log, each report once.
CREATE TABLE outbox_bounce (
    account_id TEXT NOT NULL,
    report_sha256 TEXT NOT NULL,
    recipient TEXT NOT NULL,
    business_key TEXT NOT NULL,
    action TEXT NOT NULL,
    status TEXT NOT NULL,
    diagnostic TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, report_sha256, recipient),
    FOREIGN KEY (account_id, business_key) REFERENCES outbox (account_id, business_key)
);

-- A bounce names a mail by its Message-ID.
CREATE INDEX outbox_message_id ON outbox (account_id, message_id);
CREATE INDEX outbox_bounce_message ON outbox_bounce (account_id, business_key);
