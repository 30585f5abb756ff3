-- What a report says of the goods themselves, where it does.
ALTER TABLE receipt_event ADD COLUMN lot TEXT;
ALTER TABLE receipt_event ADD COLUMN unit_value TEXT;
ALTER TABLE receipt_event ADD COLUMN value_currency TEXT;

-- How each difference stands now; body is the difference as JSON, undone_on the day it went away.
CREATE TABLE difference (
    account_id TEXT NOT NULL,
    difference_id TEXT NOT NULL,
    revision BIGINT NOT NULL,
    order_no TEXT NOT NULL,
    first_seen TEXT NOT NULL,
    as_of TEXT NOT NULL,
    undone_on TEXT,
    body TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, difference_id)
);

CREATE INDEX difference_order ON difference (account_id, order_no);

-- Everything that happened to each difference, never changed: opened, changed, undone, opened again.
CREATE TABLE difference_event (
    account_id TEXT NOT NULL,
    difference_id TEXT NOT NULL,
    revision BIGINT NOT NULL,
    as_of TEXT NOT NULL,
    event TEXT NOT NULL,
    body TEXT NOT NULL,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, difference_id, revision)
);

CREATE INDEX difference_event_day ON difference_event (account_id, as_of);
