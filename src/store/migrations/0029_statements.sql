-- Totals that documents and reports state of their lines. All those of a document say what it has posted as receipt events.
CREATE TABLE receipt_statement (
    account_id TEXT NOT NULL,
    origin TEXT NOT NULL,
    document TEXT NOT NULL,
    line TEXT NOT NULL,
    said_at BIGINT NOT NULL,
    content TEXT NOT NULL,
    warehouse TEXT NOT NULL,
    reference TEXT NOT NULL,
    carton TEXT,
    sku_code TEXT NOT NULL,
    kind TEXT NOT NULL,
    units BIGINT NOT NULL,
    happened_at BIGINT NOT NULL,
    lot TEXT,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, origin, document, line, said_at, content)
);

-- What a warehouse found beside its counts: labels, scans, pictures. body is the finding as JSON.
CREATE TABLE receipt_finding (
    account_id TEXT NOT NULL,
    origin TEXT NOT NULL,
    finding_key TEXT NOT NULL,
    reference TEXT NOT NULL,
    sku_code TEXT NOT NULL,
    body TEXT NOT NULL,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, origin, finding_key)
);

CREATE INDEX receipt_finding_reference ON receipt_finding (account_id, reference);
