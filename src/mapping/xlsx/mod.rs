//! Workbooks: a forwarder's own filled without loss, and ours written new.
