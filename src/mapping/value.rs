//! Paths and formats: how a mapping names a value of the model.
