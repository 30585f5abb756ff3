//! Names of things: short texts that are checked once, where they enter.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a text cannot be an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    #[error("{what} is empty")]
    Empty { what: &'static str },
    #[error("{what} has {length} characters, at most {max} are allowed")]
    TooLong {
        what: &'static str,
        length: usize,
        max: usize,
    },
    #[error("{what} `{value}` contains a control character")]
    Control { what: &'static str, value: String },
}

const MAX_ID_CHARS: usize = 80;

fn check(what: &'static str, value: &str) -> Result<(), IdError> {
    if value.is_empty() {
        return Err(IdError::Empty { what });
    }
    let length = value.chars().count();
    if length > MAX_ID_CHARS {
        return Err(IdError::TooLong {
            what,
            length,
            max: MAX_ID_CHARS,
        });
    }
    if value.chars().any(char::is_control) {
        return Err(IdError::Control {
            what,
            value: value.escape_debug().to_string(),
        });
    }
    Ok(())
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Trims, then checks: not empty, at most 80 characters, no control characters.
            ///
            /// # Errors
            /// [`IdError`] names what was wrong.
            pub fn new(value: impl AsRef<str>) -> Result<Self, IdError> {
                let value = value.as_ref().trim();
                check($what, value)?;
                Ok(Self(value.to_owned()))
            }

            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(value: String) -> Result<Self, IdError> {
                Self::new(value)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(value: &str) -> Result<Self, IdError> {
                Self::new(value)
            }
        }
    };
}

text_id!(
    /// One seller. First column of every key in the store.
    AccountId,
    "account"
);
text_id!(
    /// The seller's own master SKU.
    Sku,
    "SKU"
);
text_id!(
    /// A warehouse, qualified by its provider: `goodcang:UKMA`, `amazon:GB`.
    WarehouseCode,
    "warehouse code"
);
text_id!(
    /// A configured data source: one store or one warehouse account, e.g. `amazon-uk`.
    SourceId,
    "source"
);
text_id!(
    /// A forwarder (货代) as configured.
    ForwarderId,
    "forwarder"
);
text_id!(
    /// Number of a stocking order (备货单号), never reused.
    OrderNo,
    "order number"
);
text_id!(
    /// SHA-256 of a plan's inputs, in hex.
    PlanId,
    "plan id"
);

impl WarehouseCode {
    /// The provider part: `goodcang` of `goodcang:UKMA`; empty when the code is not qualified.
    #[must_use]
    pub fn provider(&self) -> &str {
        self.0.split_once(':').map_or("", |(provider, _)| provider)
    }

    /// The code as the provider writes it: `UKMA` of `goodcang:UKMA`.
    #[must_use]
    pub fn local(&self) -> &str {
        self.0.split_once(':').map_or(&self.0, |(_, local)| local)
    }
}

impl PlanId {
    /// The first twelve characters: what a person reads and types.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_trim_and_refuse_what_would_break_a_key() {
        assert_eq!(Sku::new(" 85123A ").unwrap().as_str(), "85123A");
        assert_eq!(Sku::new("  "), Err(IdError::Empty { what: "SKU" }));
        assert!(matches!(Sku::new("a\nb"), Err(IdError::Control { .. })));
        assert!(matches!(
            Sku::new("x".repeat(81)),
            Err(IdError::TooLong { length: 81, .. })
        ));
    }

    #[test]
    fn warehouse_codes_split_at_the_provider() {
        let code = WarehouseCode::new("goodcang:UKMA").unwrap();
        assert_eq!((code.provider(), code.local()), ("goodcang", "UKMA"));
    }
}
