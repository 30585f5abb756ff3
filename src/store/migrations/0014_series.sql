-- The days of sales_day packed: one row per SKU code, channel and year. A second form of the same facts for those who
-- read a whole history; written in the transaction that changes the days, and packed anew from them by `db repack`.
CREATE TABLE sales_series (
    account_id TEXT NOT NULL,
    source TEXT NOT NULL,
    fulfilment TEXT NOT NULL,
    sku_code TEXT NOT NULL,
    year BIGINT NOT NULL,
    -- for each row of sales_day: days since the one before (the first since the year began), units
    days BYTEA NOT NULL,
    PRIMARY KEY (account_id, source, fulfilment, sku_code, year)
);

-- Whether the series of a source are whole. Whoever changes its days locks this row first.
CREATE TABLE sales_packed (
    account_id TEXT NOT NULL,
    source TEXT NOT NULL,
    -- the form they are packed in; 0: not yet, the next change of the source's days packs all of them
    form BIGINT NOT NULL,
    PRIMARY KEY (account_id, source)
);

INSERT INTO sales_packed (account_id, source, form) SELECT DISTINCT account_id, source, 0 FROM sales_day;
