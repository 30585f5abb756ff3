-- One line of a marketplace order. The lines of an order are replaced as a whole by a newer state of that order.
CREATE TABLE order_line (
    account_id TEXT NOT NULL,
    source TEXT NOT NULL,
    order_id TEXT NOT NULL,
    -- order, SKU and how many lines of that SKU came before it in the order
    fact_key TEXT NOT NULL,
    sku_code TEXT NOT NULL,
    marketplace TEXT NOT NULL,
    fulfilment TEXT NOT NULL,
    ordered_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    -- civil day of ordered_at in the marketplace's zone
    day TEXT NOT NULL,
    -- pending, unshipped, shipped, cancelled
    state TEXT NOT NULL,
    units BIGINT NOT NULL,
    replacement BIGINT NOT NULL,
    PRIMARY KEY (account_id, source, order_id, fact_key)
);
CREATE INDEX order_line_day ON order_line (account_id, source, day);

-- Units ordered and not cancelled, per civil day. Derived from order_line in the transaction that changed it.
CREATE TABLE sales_day (
    account_id TEXT NOT NULL,
    source TEXT NOT NULL,
    day TEXT NOT NULL,
    fulfilment TEXT NOT NULL,
    sku_code TEXT NOT NULL,
    units BIGINT NOT NULL,
    PRIMARY KEY (account_id, source, day, fulfilment, sku_code)
);

-- Which civil days a source has answered for. A day without a row is a gap, not a day without sales.
CREATE TABLE source_day (
    account_id TEXT NOT NULL,
    source TEXT NOT NULL,
    day TEXT NOT NULL,
    -- the stream that answered
    stream TEXT NOT NULL,
    -- complete, partial
    state TEXT NOT NULL,
    PRIMARY KEY (account_id, source, day)
);

-- The newest whole snapshot of a warehouse. When a later pull fails, it stays and says since when it is stale.
CREATE TABLE stock_snapshot (
    account_id TEXT NOT NULL,
    source TEXT NOT NULL,
    warehouse TEXT NOT NULL,
    -- NULL: no snapshot was ever taken whole
    as_of BIGINT,
    stale_since BIGINT,
    problem TEXT,
    PRIMARY KEY (account_id, source, warehouse)
);

CREATE TABLE stock_row (
    account_id TEXT NOT NULL,
    source TEXT NOT NULL,
    warehouse TEXT NOT NULL,
    sku_code TEXT NOT NULL,
    -- buckets: NULL is unknown
    available BIGINT,
    reserved BIGINT,
    pending_putaway BIGINT,
    inbound BIGINT,
    unsellable BIGINT,
    frozen BIGINT,
    transfer BIGINT,
    total BIGINT,
    PRIMARY KEY (account_id, source, warehouse, sku_code)
);

-- What was available in the last snapshot of each civil day: tells days out of stock from days without demand.
CREATE TABLE stock_day (
    account_id TEXT NOT NULL,
    warehouse TEXT NOT NULL,
    sku_code TEXT NOT NULL,
    day TEXT NOT NULL,
    available BIGINT,
    PRIMARY KEY (account_id, warehouse, sku_code, day)
);

CREATE TABLE inbound_notice (
    account_id TEXT NOT NULL,
    source TEXT NOT NULL,
    inbound_no TEXT NOT NULL,
    warehouse TEXT NOT NULL,
    reference TEXT NOT NULL,
    state TEXT NOT NULL,
    closed BIGINT NOT NULL,
    updated_at BIGINT,
    PRIMARY KEY (account_id, source, inbound_no)
);

CREATE TABLE inbound_line (
    account_id TEXT NOT NULL,
    source TEXT NOT NULL,
    inbound_no TEXT NOT NULL,
    line_no BIGINT NOT NULL,
    carton TEXT,
    sku_code TEXT NOT NULL,
    announced BIGINT,
    put_away BIGINT,
    PRIMARY KEY (account_id, source, inbound_no, line_no)
);

-- Where each stream stands. The resume state is written in the transaction of the rows it speaks for.
CREATE TABLE source_stream (
    account_id TEXT NOT NULL,
    source TEXT NOT NULL,
    stream TEXT NOT NULL,
    resume TEXT,
    -- as-of of the newest complete data
    as_of BIGINT,
    max_age_ms BIGINT NOT NULL,
    last_rows BIGINT,
    rows_before BIGINT,
    -- of the last pull: running, ok, partial, failed, interrupted
    state TEXT NOT NULL,
    problem TEXT,
    PRIMARY KEY (account_id, source, stream)
);

CREATE TABLE pull_history (
    account_id TEXT NOT NULL,
    source TEXT NOT NULL,
    stream TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at BIGINT,
    state TEXT NOT NULL,
    pages BIGINT NOT NULL,
    row_count BIGINT NOT NULL,
    warnings TEXT NOT NULL,
    problem TEXT,
    PRIMARY KEY (account_id, source, stream, started_at)
);

-- The answers as they came, by hash: what the facts were read from.
CREATE TABLE raw_page (
    account_id TEXT NOT NULL,
    source TEXT NOT NULL,
    stream TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    first_seen BIGINT NOT NULL,
    PRIMARY KEY (account_id, source, stream, sha256),
    FOREIGN KEY (account_id, sha256) REFERENCES blob (account_id, sha256)
);
