-- Certificates of goods and registrations of the seller; the paper itself is a blob.
CREATE TABLE certificate (
    account_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    number TEXT NOT NULL,
    country TEXT NOT NULL,
    sha256 TEXT,
    body TEXT NOT NULL,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, kind, number, country)
);

-- What the gates said of a revision of an order when it was last looked at, with the rates they reckoned by.
CREATE TABLE order_check (
    account_id TEXT NOT NULL,
    order_no TEXT NOT NULL,
    revision BIGINT NOT NULL,
    checked_at BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (account_id, order_no, revision),
    FOREIGN KEY (account_id, order_no) REFERENCES stocking_order (account_id, order_no)
);
