-- Versions of master records: kind is item, warehouse or lane. Never changed, only added: on a day the newest
-- start not after it counts, and of one start the newest revision.
CREATE TABLE master_version (
    account_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    record_key TEXT NOT NULL,
    valid_from TEXT NOT NULL,
    revision BIGINT NOT NULL,
    body TEXT NOT NULL,
    file TEXT NOT NULL,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, kind, record_key, valid_from, revision)
);

-- What another system's code means, and when. An empty date is an open end; the newest revision counts.
CREATE TABLE code_claim (
    account_id TEXT NOT NULL,
    source TEXT NOT NULL,
    store TEXT NOT NULL,
    kind TEXT NOT NULL,
    code TEXT NOT NULL,
    sku TEXT NOT NULL,
    valid_from TEXT NOT NULL,
    revision BIGINT NOT NULL,
    multiple BIGINT NOT NULL,
    valid_to TEXT NOT NULL,
    file TEXT NOT NULL,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, source, store, kind, code, sku, valid_from, revision)
);

-- Codes that came in and mean nothing yet: a person maps them. Mapped ones keep their row.
CREATE TABLE unmapped_code (
    account_id TEXT NOT NULL,
    source TEXT NOT NULL,
    kind TEXT NOT NULL,
    code TEXT NOT NULL,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL,
    times BIGINT NOT NULL,
    mapped_at BIGINT,
    PRIMARY KEY (account_id, source, kind, code)
);
