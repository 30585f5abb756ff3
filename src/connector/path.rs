//! Dotted paths into an answer: `data.list[].code`, `^.id` for the row one level up, `name?` for what may be absent,
//! `quantities[name=available].quantity` for the one element of a list that says so.

use serde_json::Value as Json;

/// What a path can be followed in.
pub trait Tree: Sized {
    /// The value under a name.
    fn field(&self, key: &str) -> Option<&Self>;
    fn items(&self) -> Option<&[Self]>;
    fn is_null(&self) -> bool;
    /// Whether it is this text.
    fn says(&self, text: &str) -> bool;
}

impl Tree for Json {
    /// Some systems write keys with trailing blanks; a name matches when it is equal after trimming.
    fn field(&self, key: &str) -> Option<&Self> {
        let object = self.as_object()?;
        object.get(key).or_else(|| {
            object
                .iter()
                .find(|(name, _)| name.len() > key.len() && name.trim_end() == key)
                .map(|(_, value)| value)
        })
    }

    fn items(&self) -> Option<&[Self]> {
        self.as_array().map(Vec::as_slice)
    }

    fn is_null(&self) -> bool {
        Self::is_null(self)
    }

    fn says(&self, text: &str) -> bool {
        match self {
            Self::String(own) => own == text,
            Self::Bool(own) => own.to_string() == text,
            Self::Number(own) => own.to_string() == text,
            _ => false,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// The value itself.
    One,
    /// `key[]`: every element of the list under the key.
    Each,
    /// `key[name=text]`: the element of the list whose field says this.
    Where(String, String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Segment {
    key: String,
    step: Step,
    optional: bool,
}

impl Segment {
    fn value<'a, T: Tree>(&self, at: &'a T) -> Option<&'a T> {
        if self.key.is_empty() {
            Some(at)
        } else {
            at.field(&self.key)
        }
    }
}

/// A compiled path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// How many rows up it starts.
    up: usize,
    segments: Vec<Segment>,
    text: String,
}

const MAX_SEGMENTS: usize = 16;

impl Path {
    /// # Errors
    /// What is wanted instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut up = 0;
        let mut rest = text.trim();
        while let Some(after) = rest.strip_prefix("^.") {
            up += 1;
            rest = after;
        }
        let wrong = || format!("a path, names with dots such as `data.list[]`, instead of `{text}`");
        let mut segments = Vec::new();
        for part in rest.split('.') {
            let (part, optional) = part.strip_suffix('?').map_or((part, false), |part| (part, true));
            let (key, step) = match part.strip_suffix(']').and_then(|part| part.split_once('[')) {
                None => (part, Step::One),
                Some((key, "")) => (key, Step::Each),
                Some((key, condition)) => {
                    let (name, said) = condition.split_once('=').ok_or_else(wrong)?;
                    (key, Step::Where(name.trim().to_owned(), said.trim().to_owned()))
                }
            };
            // `[]` alone is the answer itself, when it is a list.
            let is_root = key.is_empty() && step == Step::Each && segments.is_empty() && up == 0;
            if key.is_empty() && !is_root || key.contains(['[', ']', '^', '?', '(', ')', '\'', '|']) {
                return Err(wrong());
            }
            segments.push(Segment {
                key: key.to_owned(),
                step,
                optional,
            });
        }
        if segments.len() + up > MAX_SEGMENTS {
            return Err(format!("at most {MAX_SEGMENTS} levels in `{text}`"));
        }
        Ok(Self {
            up,
            segments,
            text: text.trim().to_owned(),
        })
    }

    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    #[must_use]
    pub fn up(&self) -> usize {
        self.up
    }

    /// The first name: what a column or a top-level field of the row is called.
    #[must_use]
    pub fn head(&self) -> &str {
        self.segments.first().map_or("", |segment| segment.key.as_str())
    }

    /// The names on the way, up to the list that is searched.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        let searched = self
            .segments
            .iter()
            .position(|segment| matches!(segment.step, Step::Where(..)))
            .map_or(self.segments.len(), |index| index + 1);
        self.segments
            .iter()
            .take(searched)
            .map(|segment| segment.key.as_str())
            .filter(|key| !key.is_empty())
    }

    /// The names on the way to the element that stands `up` levels above a row of this path.
    #[must_use]
    pub fn above(&self, up: usize) -> Vec<&str> {
        let lists: Vec<usize> = (0..self.segments.len())
            .filter(|index| {
                self.segments
                    .get(*index)
                    .is_some_and(|segment| segment.step == Step::Each)
            })
            .collect();
        let depth = match (up, lists.len().checked_sub(up)) {
            // The row may lie below its list.
            (0, _) => self.segments.len(),
            (_, None | Some(0)) => 0,
            (_, Some(level)) => lists.get(level - 1).map_or(0, |index| index + 1),
        };
        self.segments
            .iter()
            .take(depth)
            .map(|segment| segment.key.as_str())
            .filter(|key| !key.is_empty())
            .collect()
    }

    /// The value, when the path leads to one place and it is there.
    #[must_use]
    pub fn get<'a, T: Tree>(&self, root: &'a T) -> Option<&'a T> {
        self.segments.iter().try_fold(root, |at, segment| {
            let value = segment.value(at)?;
            match &segment.step {
                Step::Where(name, said) => found(value, name, said),
                Step::One | Step::Each => Some(value),
            }
        })
    }

    /// Whether the path goes through a list.
    #[must_use]
    pub fn is_list(&self) -> bool {
        self.segments.iter().any(|segment| segment.step == Step::Each)
    }

    /// Every value the path leads to, lists opened.
    #[must_use]
    pub fn all<'a, T: Tree>(&self, root: &'a T) -> Vec<&'a T> {
        let mut found_here = vec![root];
        for segment in &self.segments {
            let mut next = Vec::new();
            for value in found_here.iter().filter_map(|at| segment.value(*at)) {
                match &segment.step {
                    Step::One => next.push(value),
                    Step::Each => next.extend(value.items().unwrap_or_default()),
                    Step::Where(name, said) => next.extend(found(value, name, said)),
                }
            }
            found_here = next;
        }
        found_here
    }

    /// Walks the rows: calls `row` with the chain of enclosing elements, the row itself last.
    ///
    /// # Errors
    /// When a named level is absent, null or no list where `[]` says it is one: the answer has another shape than the
    /// definition, which is not the same as no rows.
    pub fn each_row<'a, T: Tree>(&self, root: &'a T, row: &mut dyn FnMut(&[&'a T])) -> Result<(), String> {
        let mut chain = vec![root];
        walk(&self.segments, root, &mut chain, &self.text, row)
    }
}

fn found<'a, T: Tree>(list: &'a T, name: &str, said: &str) -> Option<&'a T> {
    list.items()?
        .iter()
        .find(|item| item.field(name).is_some_and(|value| value.says(said)))
}

fn walk<'a, T: Tree>(
    segments: &[Segment],
    at: &'a T,
    chain: &mut Vec<&'a T>,
    path: &str,
    row: &mut dyn FnMut(&[&'a T]),
) -> Result<(), String> {
    let Some((segment, rest)) = segments.split_first() else {
        // A row that lies below the element of its list is the row all the same.
        match chain.last_mut() {
            Some(last) if !std::ptr::eq(*last, at) => {
                let element = std::mem::replace(last, at);
                row(chain);
                if let Some(last) = chain.last_mut() {
                    *last = element;
                }
            }
            _ => row(chain),
        }
        return Ok(());
    };
    let value = match segment.value(at) {
        None if segment.optional => return Ok(()),
        Some(value) if value.is_null() && segment.optional => return Ok(()),
        Some(value) if !value.is_null() => value,
        _ => return Err(format!("`{}` of rows path `{path}` is missing", segment.key)),
    };
    match &segment.step {
        Step::One => walk(rest, value, chain, path, row),
        Step::Where(name, said) => match found(value, name, said) {
            Some(value) => walk(rest, value, chain, path, row),
            None if segment.optional => Ok(()),
            None => Err(format!(
                "no `{name}={said}` in `{}` of rows path `{path}`",
                segment.key
            )),
        },
        Step::Each => {
            let items = value
                .items()
                .ok_or_else(|| format!("`{}` of rows path `{path}` is no list", segment.key))?;
            for item in items {
                chain.push(item);
                let done = walk(rest, item, chain, path, row);
                chain.pop();
                done?;
            }
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nested_rows_know_what_encloses_them() {
        let page =
            json!({"orders": [{"id": 1, "lines": [{"sku": "a"}, {"sku": "b"}]}, {"id": 2, "lines": []}]});
        let mut seen = Vec::new();
        let rows = Path::parse("orders[].lines[]").unwrap();
        rows.each_row(&page, &mut |chain| {
            seen.push((
                chain[chain.len() - 2]["id"].clone(),
                chain[chain.len() - 1]["sku"].clone(),
            ));
        })
        .unwrap();
        assert_eq!(seen, vec![(json!(1), json!("a")), (json!(1), json!("b"))]);
    }

    #[test]
    fn a_missing_level_is_not_an_empty_list() {
        let rows = Path::parse("data.list[]").unwrap();
        let said = |page: Json| rows.each_row(&page, &mut |_| {}).unwrap_err();
        assert_eq!(said(json!({})), "`data` of rows path `data.list[]` is missing");
        assert_eq!(
            said(json!({"data": {"list": ""}})),
            "`list` of rows path `data.list[]` is no list"
        );
        let lenient = Path::parse("data.list[]?").unwrap();
        assert!(lenient.each_row(&json!({"data": {}}), &mut |_| {}).is_ok());
    }

    #[test]
    fn keys_with_trailing_blanks_are_found() {
        let path = Path::parse("box_total_count").unwrap();
        assert_eq!(path.get(&json!({"box_total_count ": 4})), Some(&json!(4)));
    }

    #[test]
    fn the_element_of_a_list_that_says_so_is_found() {
        let level =
            json!({"quantities": [{"name": "on_hand", "quantity": 9}, {"name": "available", "quantity": 7}]});
        let path = Path::parse("quantities[name=available].quantity").unwrap();
        assert_eq!(path.get(&level), Some(&json!(7)));
        assert_eq!(path.all(&level), [&json!(7)]);
        assert_eq!(path.keys().collect::<Vec<_>>(), ["quantities"]);
        assert!(Path::parse("quantities[available].quantity").is_err());
        let gone = Path::parse("quantities[name=damaged].quantity").unwrap();
        assert_eq!(gone.get(&level), None);
    }

    #[test]
    fn an_answer_that_is_a_list_has_rows_too() {
        let rows = Path::parse("[].lines[]").unwrap();
        let mut seen = 0;
        rows.each_row(&json!([{"lines": [1, 2]}, {"lines": [3]}]), &mut |_| seen += 1)
            .unwrap();
        assert_eq!(seen, 3);
        assert!(rows.each_row(&json!({"lines": [1]}), &mut |_| {}).is_err());
        assert_eq!(rows.above(1), Vec::<&str>::new());
        assert!(Path::parse("a.[]").is_err());
        assert!(Path::parse("").is_err());
    }

    #[test]
    fn what_encloses_a_row_has_a_path_too() {
        let rows = Path::parse("data.orders[].body.lines[].item").unwrap();
        assert_eq!(rows.above(0), ["data", "orders", "body", "lines", "item"]);
        assert_eq!(rows.above(1), ["data", "orders"]);
        assert_eq!(rows.above(2), Vec::<&str>::new());
    }
}
