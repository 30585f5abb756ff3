-- The next serial number of a company's GS1 prefix: no code is given twice.
CREATE TABLE sscc_serial (
    account_id TEXT NOT NULL,
    prefix TEXT NOT NULL,
    next BIGINT NOT NULL,
    PRIMARY KEY (account_id, prefix)
);
