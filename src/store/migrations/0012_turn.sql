-- Whose turn it is to work on an account: one row per account and kind of work, taken for a while. Whoever takes it
-- raises the fence; whoever holds an older fence can commit nothing any more.
CREATE TABLE turn (
    account_id TEXT NOT NULL,
    name TEXT NOT NULL,
    owner TEXT NOT NULL,
    fence BIGINT NOT NULL,
    taken_at BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    PRIMARY KEY (account_id, name)
);
