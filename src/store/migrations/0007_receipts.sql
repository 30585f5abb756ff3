-- Batches that warehouses report. Never changed; origin is the source, or `file` for all dropped-in reports.
CREATE TABLE receipt_event (
    account_id TEXT NOT NULL,
    origin TEXT NOT NULL,
    event_key TEXT NOT NULL,
    source TEXT NOT NULL,
    warehouse TEXT NOT NULL,
    reference TEXT NOT NULL,
    carton TEXT,
    sku_code TEXT NOT NULL,
    kind TEXT NOT NULL,
    units BIGINT NOT NULL,
    happened_at BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, origin, event_key)
);

CREATE INDEX receipt_event_reference ON receipt_event (account_id, reference);

-- How each reconciled line stood, a new revision whenever that changed.
CREATE TABLE receipt_line (
    account_id TEXT NOT NULL,
    order_no TEXT NOT NULL,
    sku TEXT NOT NULL,
    revision BIGINT NOT NULL,
    as_of TEXT NOT NULL,
    state TEXT NOT NULL,
    verdict TEXT NOT NULL,
    difference BIGINT NOT NULL,
    body TEXT NOT NULL,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, order_no, sku, revision)
);
