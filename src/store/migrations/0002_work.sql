-- A civil time that came due. Whoever ticks first inserts the row; the key makes it happen once per civil date.
CREATE TABLE occurrence (
    account_id TEXT NOT NULL,
    schedule TEXT NOT NULL,
    civil_date TEXT NOT NULL,
    state TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    note TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, schedule, civil_date)
);

-- Work that survives a crash. `attempt` is the fence: every change of a leased row names it.
CREATE TABLE job (
    account_id TEXT NOT NULL,
    job_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    dedupe_key TEXT NOT NULL,
    payload TEXT NOT NULL,
    state TEXT NOT NULL,
    priority BIGINT NOT NULL,
    run_after BIGINT NOT NULL,
    attempt BIGINT NOT NULL,
    max_attempts BIGINT NOT NULL,
    lease_owner TEXT,
    lease_until BIGINT,
    schedule TEXT,
    civil_date TEXT,
    last_error TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, job_id),
    FOREIGN KEY (account_id, schedule, civil_date) REFERENCES occurrence (account_id, schedule, civil_date)
);

-- One live job per thing to do; finished ones stay as history.
CREATE UNIQUE INDEX job_live ON job (account_id, kind, dedupe_key) WHERE state IN ('ready', 'leased');
CREATE INDEX job_ready ON job (account_id, state, run_after);

CREATE TABLE job_attempt (
    account_id TEXT NOT NULL,
    job_id TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    owner TEXT NOT NULL,
    outcome TEXT,
    error TEXT,
    started_at BIGINT NOT NULL,
    ended_at BIGINT,
    PRIMARY KEY (account_id, job_id, attempt),
    FOREIGN KEY (account_id, job_id) REFERENCES job (account_id, job_id)
);

-- The last number given to a message of a target: the row lock orders those who enqueue at the same time.
CREATE TABLE outbox_target (
    account_id TEXT NOT NULL,
    channel TEXT NOT NULL,
    target TEXT NOT NULL,
    last_sequence BIGINT NOT NULL,
    PRIMARY KEY (account_id, channel, target)
);

-- What must leave exactly once. Rows are never deleted: the state says what became of the message.
CREATE TABLE outbox (
    account_id TEXT NOT NULL,
    business_key TEXT NOT NULL,
    channel TEXT NOT NULL,
    target TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    depends_on TEXT,
    remote_name TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    size BIGINT NOT NULL,
    envelope TEXT,
    message_id TEXT,
    state TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    run_after BIGINT NOT NULL,
    lease_owner TEXT,
    lease_until BIGINT,
    -- Written before the step that cannot be taken back: the rename of a file, the hand-over of a mail.
    handed_at BIGINT,
    receipt TEXT,
    first_error TEXT,
    last_error TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    sent_at BIGINT,
    PRIMARY KEY (account_id, business_key),
    UNIQUE (account_id, channel, target, sequence),
    FOREIGN KEY (account_id, sha256) REFERENCES blob (account_id, sha256),
    FOREIGN KEY (account_id, depends_on) REFERENCES outbox (account_id, business_key),
    FOREIGN KEY (account_id, channel, target) REFERENCES outbox_target (account_id, channel, target)
);

CREATE INDEX outbox_due ON outbox (account_id, state, channel, target, sequence);

CREATE TABLE outbox_attempt (
    account_id TEXT NOT NULL,
    business_key TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    owner TEXT NOT NULL,
    outcome TEXT,
    error TEXT,
    started_at BIGINT NOT NULL,
    ended_at BIGINT,
    PRIMARY KEY (account_id, business_key, attempt),
    FOREIGN KEY (account_id, business_key) REFERENCES outbox (account_id, business_key)
);
