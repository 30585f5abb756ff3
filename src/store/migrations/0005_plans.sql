-- Plans are immutable and named by their inputs; the inputs and the plan itself are blobs.
CREATE TABLE plan (
    account_id TEXT NOT NULL,
    plan_id TEXT NOT NULL,
    -- 1, 2, 3 … within the account: the highest is the current plan.
    seq BIGINT NOT NULL,
    parent_id TEXT,
    as_of TEXT NOT NULL,
    engine TEXT NOT NULL,
    snapshot_sha256 TEXT NOT NULL,
    policy_sha256 TEXT NOT NULL,
    plan_sha256 TEXT NOT NULL,
    -- JSON: the alerts of the parent that were acknowledged when this plan was made.
    acknowledged TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, plan_id),
    UNIQUE (account_id, seq)
);

-- What people made of a suggestion: one row for each (plan, line, source of the answer).
CREATE TABLE decision (
    account_id TEXT NOT NULL,
    plan_id TEXT NOT NULL,
    warehouse TEXT NOT NULL,
    sku TEXT NOT NULL,
    -- `cli`, `file:<name>`, `mail`, …
    source TEXT NOT NULL,
    -- adopt, change, reject, watch
    decision TEXT NOT NULL,
    -- Units to order; NULL for reject and watch.
    units BIGINT,
    decided_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    decided_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, plan_id, warehouse, sku, source),
    FOREIGN KEY (account_id, plan_id) REFERENCES plan (account_id, plan_id)
);

-- An acknowledged alert stays silent until it is worse. Read when the next plan is made.
CREATE TABLE alert_ack (
    account_id TEXT NOT NULL,
    warehouse TEXT NOT NULL,
    sku TEXT NOT NULL,
    acknowledged_by TEXT NOT NULL,
    acknowledged_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, warehouse, sku)
);
