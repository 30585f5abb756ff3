//! Pull: pages through the connectors, normalised into facts, page and cursor committed together.
