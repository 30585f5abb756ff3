-- A token that all processes of an account use together: one row for each authorisation a seller has given. Whoever
-- asks for the next token holds the row for a while under a fence; `lost` waits for a person.
CREATE TABLE credential (
    account_id TEXT NOT NULL,
    source TEXT NOT NULL,
    -- Derived from the secrets the configuration gives: other ones begin a row of their own.
    origin TEXT NOT NULL,
    state TEXT NOT NULL,
    fence BIGINT NOT NULL,
    owner TEXT,
    lease_until BIGINT,
    -- A request whose answer never became known: the server may have used the token up.
    unclear_at BIGINT,
    -- Encrypted with a key that is derived from the secrets of the configuration and stored nowhere.
    sealed BYTEA,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, source, origin)
);

-- Calls of a civil day, where a source counts by days.
CREATE TABLE quota (
    account_id TEXT NOT NULL,
    source TEXT NOT NULL,
    operation TEXT NOT NULL,
    day TEXT NOT NULL,
    used BIGINT NOT NULL,
    PRIMARY KEY (account_id, source, operation)
);

-- Points that a source counts itself, as its answers tell, in thousandths. What was reserved since is taken off.
CREATE TABLE points (
    account_id TEXT NOT NULL,
    source TEXT NOT NULL,
    operation TEXT NOT NULL,
    available BIGINT NOT NULL,
    maximum BIGINT NOT NULL,
    restore BIGINT NOT NULL,
    cost BIGINT NOT NULL,
    told_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, source, operation)
);
