-- What carriers and trackers tell of shipments and containers on their way. Never changed: a new estimate is a new row.
CREATE TABLE tracking_event (
    account_id TEXT NOT NULL,
    source TEXT NOT NULL,
    event_key TEXT NOT NULL,
    shipment TEXT,
    container TEXT,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    happened_at BIGINT NOT NULL,
    place TEXT,
    vessel TEXT,
    voyage TEXT,
    said TEXT,
    told_at BIGINT,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, source, event_key)
);

CREATE INDEX tracking_event_shipment ON tracking_event (account_id, shipment);
CREATE INDEX tracking_event_container ON tracking_event (account_id, container);
