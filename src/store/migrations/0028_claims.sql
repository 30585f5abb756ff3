-- Cases: what is missing or broken of an order. How one stands is the replay of its events.
CREATE TABLE claim_case (
    account_id TEXT NOT NULL,
    case_no TEXT NOT NULL,
    order_no TEXT NOT NULL,
    state TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, case_no),
    FOREIGN KEY (account_id, order_no) REFERENCES stocking_order (account_id, order_no)
);

CREATE TABLE case_event (
    account_id TEXT NOT NULL,
    case_no TEXT NOT NULL,
    seq BIGINT NOT NULL,
    event TEXT NOT NULL,
    PRIMARY KEY (account_id, case_no, seq),
    FOREIGN KEY (account_id, case_no) REFERENCES claim_case (account_id, case_no)
);

-- How many units of a difference are missing now. A difference belongs to one case.
CREATE TABLE case_line (
    account_id TEXT NOT NULL,
    difference_id TEXT NOT NULL,
    case_no TEXT NOT NULL,
    units BIGINT NOT NULL,
    PRIMARY KEY (account_id, difference_id),
    UNIQUE (account_id, difference_id, units),
    FOREIGN KEY (account_id, case_no) REFERENCES claim_case (account_id, case_no)
);

CREATE TABLE claim (
    account_id TEXT NOT NULL,
    claim_no TEXT NOT NULL,
    case_no TEXT NOT NULL,
    state TEXT NOT NULL,
    drafted_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, claim_no),
    FOREIGN KEY (account_id, case_no) REFERENCES claim_case (account_id, case_no)
);

CREATE TABLE claim_event (
    account_id TEXT NOT NULL,
    claim_no TEXT NOT NULL,
    seq BIGINT NOT NULL,
    event TEXT NOT NULL,
    PRIMARY KEY (account_id, claim_no, seq),
    FOREIGN KEY (account_id, claim_no) REFERENCES claim (account_id, claim_no)
);

-- Every claimed unit, numbered from 1 within its difference: the key refuses a second claim on it. `units` follows case_line, so that
-- no unit beyond those that are missing can be claimed, nor can fewer be missing than are claimed.
CREATE TABLE claim_unit (
    account_id TEXT NOT NULL,
    difference_id TEXT NOT NULL,
    unit BIGINT NOT NULL,
    units BIGINT NOT NULL,
    claim_no TEXT NOT NULL,
    PRIMARY KEY (account_id, difference_id, unit),
    FOREIGN KEY (account_id, difference_id, units) REFERENCES case_line (account_id, difference_id, units) ON UPDATE CASCADE,
    FOREIGN KEY (account_id, claim_no) REFERENCES claim (account_id, claim_no),
    CHECK (unit <= units)
);

CREATE INDEX claim_unit_claim ON claim_unit (account_id, claim_no);

-- Money that came, each payment once.
CREATE TABLE recovery (
    account_id TEXT NOT NULL,
    claim_no TEXT NOT NULL,
    reference TEXT NOT NULL,
    amount TEXT NOT NULL,
    currency TEXT NOT NULL,
    paid_on TEXT NOT NULL,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, claim_no, reference),
    FOREIGN KEY (account_id, claim_no) REFERENCES claim (account_id, claim_no)
);
