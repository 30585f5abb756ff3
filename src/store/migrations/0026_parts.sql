-- A plan line may be ordered in two modes, each part by an order of its own: the mode is part of what is ordered or held once.
CREATE TABLE ordered_part (
    account_id TEXT NOT NULL,
    plan_id TEXT NOT NULL,
    warehouse TEXT NOT NULL,
    sku TEXT NOT NULL,
    mode TEXT NOT NULL,
    order_no TEXT NOT NULL,
    PRIMARY KEY (account_id, plan_id, warehouse, sku, mode),
    FOREIGN KEY (account_id, order_no) REFERENCES stocking_order (account_id, order_no)
);

INSERT INTO ordered_part (account_id, plan_id, warehouse, sku, mode, order_no)
    SELECT l.account_id, l.plan_id, l.warehouse, l.sku, o.mode, l.order_no FROM ordered_line l
    JOIN stocking_order o ON o.account_id = l.account_id AND o.order_no = l.order_no;

DROP TABLE ordered_line;
ALTER TABLE ordered_part RENAME TO ordered_line;

-- Which mode a line held so far was approved for is not known any more: an empty one is all of them.
CREATE TABLE held_part (
    account_id TEXT NOT NULL,
    plan_id TEXT NOT NULL,
    warehouse TEXT NOT NULL,
    sku TEXT NOT NULL,
    mode TEXT NOT NULL,
    units BIGINT NOT NULL,
    problems TEXT NOT NULL,
    since BIGINT NOT NULL,
    PRIMARY KEY (account_id, plan_id, warehouse, sku, mode)
);

INSERT INTO held_part (account_id, plan_id, warehouse, sku, mode, units, problems, since)
    SELECT account_id, plan_id, warehouse, sku, '', units, problems, since FROM held_line;

DROP TABLE held_line;
ALTER TABLE held_part RENAME TO held_line;
