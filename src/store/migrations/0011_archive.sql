-- The archive: one entry for every document, message, received file, raw page, order event and plan, chained by
-- hash. Only added to: what retention takes away is the content, never the entry.
CREATE TABLE archive_entry (
    account_id TEXT NOT NULL,
    -- 1, 2, 3 … without holes: the order of the chain, whatever the clock says.
    seq BIGINT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    order_no TEXT,
    -- of the content: a blob's name, or the hash of an event's text
    sha256 TEXT NOT NULL,
    -- hash of the entry before, and of this one
    previous TEXT NOT NULL,
    hash TEXT NOT NULL,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, seq)
);

CREATE INDEX archive_entry_order ON archive_entry (account_id, order_no, seq);

-- Where the chain ends. Its row lock orders those who write at the same time; it is taken last in a transaction.
CREATE TABLE archive_head (
    account_id TEXT NOT NULL,
    -- 'main'
    chain TEXT NOT NULL,
    seq BIGINT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (account_id, chain)
);

-- A legal hold keeps everything of an order, however old, until it is lifted.
CREATE TABLE legal_hold (
    account_id TEXT NOT NULL,
    order_no TEXT NOT NULL,
    placed_at BIGINT NOT NULL,
    placed_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    lifted_at BIGINT,
    lifted_by TEXT,
    PRIMARY KEY (account_id, order_no, placed_at),
    FOREIGN KEY (account_id, order_no) REFERENCES stocking_order (account_id, order_no)
);

-- How a waiting file looks and since when it was seen so: it is taken when it has stood still for a while.
CREATE TABLE inbox_look (
    account_id TEXT NOT NULL,
    origin TEXT NOT NULL,
    name TEXT NOT NULL,
    size BIGINT NOT NULL,
    modified BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, origin, name)
);

-- Which orders a received file speaks of.
CREATE TABLE inbox_link (
    account_id TEXT NOT NULL,
    order_no TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (account_id, order_no, sha256),
    FOREIGN KEY (account_id, order_no) REFERENCES stocking_order (account_id, order_no),
    FOREIGN KEY (account_id, sha256) REFERENCES inbox_file (account_id, sha256)
);

CREATE INDEX inbox_link_file ON inbox_link (account_id, sha256);

-- What a file said as inbound mappings read it (JSON); the first rows of one nobody could read (JSON).
ALTER TABLE inbox_file ADD COLUMN facts TEXT;
ALTER TABLE inbox_file ADD COLUMN first_rows TEXT;
