-- What others call an order: the warehouse's inbound number, a booking, containers, tracking numbers.
CREATE TABLE order_reference (
    account_id TEXT NOT NULL,
    order_no TEXT NOT NULL,
    kind TEXT NOT NULL,
    reference TEXT NOT NULL,
    -- Who calls it so: a source, or the file it was read in.
    origin TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, order_no, kind, reference),
    FOREIGN KEY (account_id, order_no) REFERENCES stocking_order (account_id, order_no)
);
