-- What customers sent back, as the warehouse took it in. A row of the source again brings it up to date. Stock and sales do
-- not come from here: what can be sold again is in the stock that the warehouse counts.
CREATE TABLE customer_return (
    account_id TEXT NOT NULL,
    source TEXT NOT NULL,
    return_key TEXT NOT NULL,
    order_id TEXT NOT NULL,
    sku_code TEXT NOT NULL,
    units BIGINT NOT NULL,
    returned_at BIGINT NOT NULL,
    disposition TEXT,
    reason TEXT,
    centre TEXT,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, source, return_key)
);

CREATE INDEX customer_return_at ON customer_return (account_id, returned_at);
