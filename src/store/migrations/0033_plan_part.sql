-- The series a plan was computed from, in parts of one warehouse each: `place` in the order they are read in, those that
-- teach a warehouse's season before the others. Plans without parts have their series in the snapshot itself.
CREATE TABLE plan_part (
    account_id TEXT NOT NULL,
    plan_id TEXT NOT NULL,
    place BIGINT NOT NULL,
    warehouse TEXT NOT NULL,
    items BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (account_id, plan_id, place),
    FOREIGN KEY (account_id, plan_id) REFERENCES plan (account_id, plan_id)
);
