-- Lines large enough to be out of all proportion (store::facts::large_lines): few of all, and asked for every night.
CREATE INDEX order_line_large ON order_line (account_id, day) WHERE units >= 20;
