-- What forwarders billed for orders, a row a charge; a bill that comes again takes the place of its rows.
CREATE TABLE bill_charge (
    account_id TEXT NOT NULL,
    order_no TEXT NOT NULL,
    bill_no TEXT NOT NULL,
    -- Which of the bill's charges for the order.
    nth BIGINT NOT NULL,
    charge TEXT NOT NULL,
    amount TEXT NOT NULL,
    currency TEXT NOT NULL,
    -- Who sent the file.
    origin TEXT NOT NULL,
    PRIMARY KEY (account_id, order_no, bill_no, nth),
    FOREIGN KEY (account_id, order_no) REFERENCES stocking_order (account_id, order_no)
);
