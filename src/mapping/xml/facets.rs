//! What a plain value may be: lengths, patterns, digits, lists. The validator was seen to pass over the facets of types that
//! restrict another type's text (`simpleContent`), which is where the declarations of the WCO have all of theirs.

use std::collections::BTreeMap;

use regex::Regex;

use super::content::{Name, local};
use super::xsd::XsdNode;

/// Derivation chains in real schemas are four long; a longer one is a cycle.
const MAX_BASES: usize = 8;

#[derive(Debug, Default)]
pub(super) struct Facets {
    base: Name,
    length: Option<usize>,
    min_length: Option<usize>,
    max_length: Option<usize>,
    total_digits: Option<usize>,
    fraction_digits: Option<usize>,
    /// One of them has to fit.
    patterns: Vec<Regex>,
    allowed: Vec<String>,
}

impl Facets {
    /// Of the `restriction` or `extension` of a type.
    ///
    /// # Errors
    /// A pattern that cannot be read.
    pub fn read(derived: &XsdNode) -> Result<Self, String> {
        let mut facets = Self {
            base: derived.get("base").unwrap_or_default().to_owned(),
            ..Self::default()
        };
        for facet in &derived.children {
            let value = facet.get("value").unwrap_or_default();
            let number = value.parse().ok();
            match facet.tag.as_str() {
                "length" => facets.length = number,
                "minLength" => facets.min_length = number,
                "maxLength" => facets.max_length = number,
                "totalDigits" => facets.total_digits = number,
                "fractionDigits" => facets.fraction_digits = number,
                "enumeration" => facets.allowed.push(value.to_owned()),
                "pattern" => {
                    let whole = format!("^(?:{value})$");
                    let pattern = Regex::new(&whole).map_err(|error| error.to_string())?;
                    facets.patterns.push(pattern);
                }
                _ => {}
            }
        }
        Ok(facets)
    }

    /// What the facets want and the text is not.
    fn fault(&self, text: &str) -> Option<String> {
        let length = text.chars().count();
        let (whole, fraction) = digits(text);
        if self.length.is_some_and(|wanted| length != wanted) {
            return self.length.map(|wanted| format!("exactly {wanted} characters"));
        }
        if self.min_length.is_some_and(|min| length < min) {
            return self.min_length.map(|min| format!("at least {min} characters"));
        }
        if self.max_length.is_some_and(|max| length > max) {
            return self.max_length.map(|max| format!("at most {max} characters"));
        }
        if self.total_digits.is_some_and(|max| whole + fraction > max) {
            return self.total_digits.map(|max| format!("at most {max} digits"));
        }
        if self.fraction_digits.is_some_and(|max| fraction > max) {
            return self
                .fraction_digits
                .map(|max| format!("at most {max} digits after the point"));
        }
        if !self.patterns.is_empty() && !self.patterns.iter().any(|pattern| pattern.is_match(text)) {
            let shown = self
                .patterns
                .iter()
                .map(|pattern| pattern.as_str().trim_start_matches("^(?:").trim_end_matches(")$"));
            return Some(format!("the pattern {}", shown.collect::<Vec<_>>().join(" or ")));
        }
        if !self.allowed.is_empty() && !self.allowed.iter().any(|allowed| allowed == text) {
            return Some(format!("one of {}", self.allowed.join(", ")));
        }
        None
    }
}

/// How many digits count before and after the point of a number.
fn digits(text: &str) -> (usize, usize) {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let whole = whole.trim_start_matches(['+', '-', '0']);
    (whole.len(), fraction.trim_end_matches('0').len())
}

/// What the type of that name and those it is derived from want of a text and do not find.
pub(super) fn fault(all: &BTreeMap<Name, Facets>, of_type: &str, text: &str) -> Option<String> {
    let mut chain = Vec::new();
    let mut next = of_type;
    while let Some(facets) = all.get(next)
        && chain.len() < MAX_BASES
    {
        chain.push(facets);
        next = &facets.base;
    }
    // Of a string the spaces count, of everything else those around it do not.
    let text = match local(next) {
        "string" | "normalizedString" => text.to_owned(),
        _ => text.split_whitespace().collect::<Vec<_>>().join(" "),
    };
    if local(next) == "decimal" && !is_decimal(&text) {
        return Some("a number".to_owned());
    }
    chain.iter().find_map(|facets| facets.fault(&text))
}

fn is_decimal(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    plain(whole) && plain(fraction) && !(whole.is_empty() && fraction.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{digits, is_decimal};

    #[test]
    fn digits_are_counted_as_they_count() {
        assert_eq!(digits("0012.500"), (2, 1));
        assert_eq!(digits("-0.05"), (0, 2));
        assert_eq!(digits("7"), (1, 0));
    }

    #[test]
    fn a_decimal_has_a_point_and_no_exponent() {
        for text in ["1", "-1.5", ".5", "5.", "+0"] {
            assert!(is_decimal(text), "{text}");
        }
        for text in ["", ".", "1e3", "1,5", "NaN", " 1"] {
            assert!(!is_decimal(text), "{text}");
        }
    }
}
