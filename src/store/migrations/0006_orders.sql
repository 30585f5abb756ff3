-- Stocking orders. The model is the frozen document of the current revision, as JSON.
CREATE TABLE stocking_order (
    account_id TEXT NOT NULL,
    order_no TEXT NOT NULL,
    revision BIGINT NOT NULL,
    state TEXT NOT NULL,
    warehouse TEXT NOT NULL,
    forwarder TEXT NOT NULL,
    mode TEXT NOT NULL,
    plan_id TEXT,
    created_on TEXT NOT NULL,
    ship_by TEXT NOT NULL,
    eta_p50 TEXT NOT NULL,
    eta_p90 TEXT NOT NULL,
    shipped_on TEXT,
    model TEXT NOT NULL,
    PRIMARY KEY (account_id, order_no)
);

CREATE TABLE order_event (
    account_id TEXT NOT NULL,
    order_no TEXT NOT NULL,
    seq BIGINT NOT NULL,
    event TEXT NOT NULL,
    PRIMARY KEY (account_id, order_no, seq),
    FOREIGN KEY (account_id, order_no) REFERENCES stocking_order (account_id, order_no)
);

-- A plan line becomes part of one order only, however often it is approved.
CREATE TABLE ordered_line (
    account_id TEXT NOT NULL,
    plan_id TEXT NOT NULL,
    warehouse TEXT NOT NULL,
    sku TEXT NOT NULL,
    order_no TEXT NOT NULL,
    PRIMARY KEY (account_id, plan_id, warehouse, sku),
    FOREIGN KEY (account_id, order_no) REFERENCES stocking_order (account_id, order_no)
);

-- Approved lines that could not be booked, with everything in their way.
CREATE TABLE held_line (
    account_id TEXT NOT NULL,
    plan_id TEXT NOT NULL,
    warehouse TEXT NOT NULL,
    sku TEXT NOT NULL,
    units BIGINT NOT NULL,
    problems TEXT NOT NULL,
    since BIGINT NOT NULL,
    PRIMARY KEY (account_id, plan_id, warehouse, sku)
);

CREATE TABLE order_document (
    account_id TEXT NOT NULL,
    order_no TEXT NOT NULL,
    revision BIGINT NOT NULL,
    document TEXT NOT NULL,
    file_name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (account_id, order_no, revision, document),
    FOREIGN KEY (account_id, order_no) REFERENCES stocking_order (account_id, order_no)
);

-- How long a stage of a lane took, learned from receipts and from imported history (R21).
CREATE TABLE lead_time (
    account_id TEXT NOT NULL,
    warehouse TEXT NOT NULL,
    mode TEXT NOT NULL,
    stage TEXT NOT NULL,
    reference TEXT NOT NULL,
    from_day TEXT NOT NULL,
    to_day TEXT NOT NULL,
    PRIMARY KEY (account_id, warehouse, mode, stage, reference)
);

-- Every file that came in, once by its bytes, however it is named.
CREATE TABLE inbox_file (
    account_id TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    origin TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    problems TEXT NOT NULL,
    read_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, sha256)
);
