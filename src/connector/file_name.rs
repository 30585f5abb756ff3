//! Names of files with `*` and `?`, as a connector file gives them.

/// A compiled name. Capital letters do not matter: exports come as `Stock.XLSX` too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamePattern(Vec<Sign>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    One(char),
    /// `?`
    Any,
    /// `*`
    Many,
}

/// What stands for the provider's code of a warehouse.
pub const WAREHOUSE: &str = "{warehouse}";

impl NamePattern {
    /// # Errors
    /// What is wanted instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        Self::of_warehouse(text, None)
    }

    /// With the code of a warehouse where the name has its place; any code when there is none.
    ///
    /// # Errors
    /// What is wanted instead.
    pub fn of_warehouse(text: &str, code: Option<&str>) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() || text.contains(['/', '\\']) || text.chars().any(char::is_control) {
            return Err(format!(
                "the name of a file such as `stock*.xlsx`, without a folder, instead of `{text}`"
            ));
        }
        let mut signs = Vec::new();
        let mut parts = text.split(WAREHOUSE).peekable();
        while let Some(part) = parts.next() {
            if part.contains(['{', '}']) {
                return Err(format!("no place but `{WAREHOUSE}` in `{text}`"));
            }
            signs.extend(part.chars().flat_map(char::to_lowercase).map(|sign| match sign {
                '*' => Sign::Many,
                '?' => Sign::Any,
                sign => Sign::One(sign),
            }));
            if parts.peek().is_some() {
                match code {
                    // A star in a code is a star.
                    Some(code) => signs.extend(code.chars().flat_map(char::to_lowercase).map(Sign::One)),
                    None => signs.push(Sign::Many),
                }
            }
        }
        Ok(Self(signs))
    }

    #[must_use]
    pub fn fits(&self, name: &str) -> bool {
        let name: Vec<char> = name.chars().flat_map(char::to_lowercase).collect();
        let (mut sign, mut at) = (0, 0);
        // Where the last star stands, and how far it reaches.
        let mut star: Option<(usize, usize)> = None;
        while at < name.len() {
            match self.0.get(sign) {
                Some(Sign::Many) => {
                    star = Some((sign, at));
                    sign += 1;
                }
                Some(Sign::Any) => (sign, at) = (sign + 1, at + 1),
                Some(Sign::One(one)) if Some(one) == name.get(at) => (sign, at) = (sign + 1, at + 1),
                _ => match &mut star {
                    None => return false,
                    Some((place, reach)) => {
                        *reach += 1;
                        (sign, at) = (*place + 1, *reach);
                    }
                },
            }
        }
        self.0.iter().skip(sign).all(|sign| *sign == Sign::Many)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, name: &str) -> bool {
        NamePattern::parse(pattern).unwrap().fits(name)
    }

    #[test]
    fn stars_and_question_marks_stand_for_what_they_do_everywhere() {
        for (pattern, name, wanted) in [
            ("stock*.xlsx", "stock_20261123.xlsx", true),
            ("stock*.xlsx", "Stock.XLSX", true),
            ("stock*.xlsx", "stock.xlsx.tmp", false),
            ("stock*.xlsx", "my stock.xlsx", false),
            ("*库存*", "英国仓库存（11月）.csv", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*a*b*a", "xxabyyba", true),
            ("*a*b*a", "xxabyyb", false),
            ("*", "", true),
        ] {
            assert_eq!(fits(pattern, name), wanted, "{pattern} {name}");
        }
        // As many ways to try as there are letters, and not their power.
        assert!(!fits(&"*a".repeat(40), &"a".repeat(39)));
    }

    #[test]
    fn a_warehouse_has_its_place_and_its_signs_are_no_pattern() {
        let of = |code| NamePattern::of_warehouse("stock_{warehouse}_*.csv", Some(code)).unwrap();
        assert!(of("UK*").fits("stock_uk*_1.csv"));
        assert!(!of("UK*").fits("stock_UKMA_1.csv"));
        assert!(fits("stock_{warehouse}_*.csv", "stock_UKMA_1.csv"));
        for wrong in ["", "a/b", "..\\x", "{ware}", "a\nb"] {
            assert!(NamePattern::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
