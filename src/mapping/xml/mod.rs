//! XML documents in the order of their schema, validated before they leave.
