-- What an order was before each revision, to say what changed.
CREATE TABLE order_revision (
    account_id TEXT NOT NULL,
    order_no TEXT NOT NULL,
    revision BIGINT NOT NULL,
    model TEXT NOT NULL,
    PRIMARY KEY (account_id, order_no, revision),
    FOREIGN KEY (account_id, order_no) REFERENCES stocking_order (account_id, order_no)
);
