//! An answer that is not what the definition says.

use crate::connector::decode::DecodeError;

/// The answer is not what the definition says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    #[error("{0}")]
    Rows(String),
    #[error("required column `{column}` is missing (wanted for `{field}`)")]
    Column { column: String, field: String },
    #[error("{place}: no column {}; there are {}", columns(missing), found.join(", "))]
    Columns {
        /// Where the header stands.
        place: String,
        /// Column, and the field it is for.
        missing: Vec<(String, String)>,
        found: Vec<String>,
    },
    #[error("stream `{0}` is not declared")]
    Stream(String),
    #[error("more than {0} rows in one answer")]
    TooMany(u64),
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

fn columns(missing: &[(String, String)]) -> String {
    let texts: Vec<String> = missing
        .iter()
        .map(|(column, field)| {
            if column == field {
                format!("`{column}`")
            } else {
                format!("`{column}` (for `{field}`)")
            }
        })
        .collect();
    texts.join(", ")
}
