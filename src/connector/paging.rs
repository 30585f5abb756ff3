//! Which page comes next, with guards against sources that page badly.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::definition::{Page, PageKind};
use super::path::Path;
use super::template::Places;

/// A source that pages in a way that would lose rows or never end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PagingError {
    #[error("the token of the next page was given before: following it would never end")]
    RepeatedToken,
    #[error("more than {max} pages")]
    TooManyPages { max: u32 },
    #[error("the number of rows changed from {before} to {after} between two pages")]
    TotalChanged { before: u64, after: u64 },
    #[error("the answer does not say how many rows there are (`{path}`)")]
    NoTotal { path: String },
    #[error("page {page} has {rows} rows, but {missing} are still to come and a page holds {size}")]
    ShortPage {
        page: u32,
        rows: u64,
        missing: u64,
        size: u32,
    },
    #[error("{count} empty pages in a row, each naming a next one")]
    EmptyPages { count: u32 },
    #[error("{rows} rows came, but the source said {total}")]
    TooManyRows { rows: u64, total: u64 },
}

const MAX_EMPTY_PAGES: u32 = 3;

/// Where a run of pages stands.
#[derive(Debug, Clone)]
pub struct Pager {
    page: u32,
    token: Option<String>,
    seen_tokens: BTreeSet<String>,
    rows: u64,
    total: Option<u64>,
    empty: u32,
}

impl Default for Pager {
    fn default() -> Self {
        Self {
            page: 1,
            token: None,
            seen_tokens: BTreeSet::new(),
            rows: 0,
            total: None,
            empty: 0,
        }
    }
}

impl Pager {
    #[must_use]
    pub fn page(&self) -> u32 {
        self.page
    }

    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// Fills `{page}`, `{size}` and `{token}`.
    pub fn fill(&self, how: &Page, places: &mut Places) {
        places.int("page", i64::from(self.page));
        if let Some(size) = how.size {
            places.int("size", i64::from(size));
        }
        places.text("token", self.token.as_deref().unwrap_or_default());
    }

    /// Takes what an answer says. True: there is a next page.
    ///
    /// # Errors
    /// When following the source would lose rows or never end.
    pub fn advance(&mut self, how: &Page, answer: Option<&Json>, rows: u64) -> Result<bool, PagingError> {
        self.rows += rows;
        let more = match how.kind {
            PageKind::None => false,
            PageKind::Token => self.next_token(how, answer, rows)?,
            PageKind::Number => self.next_number(how, answer, rows)?,
        };
        if more {
            if self.page >= how.max_pages {
                return Err(PagingError::TooManyPages { max: how.max_pages });
            }
            self.page += 1;
        }
        Ok(more)
    }

    fn next_token(&mut self, how: &Page, answer: Option<&Json>, rows: u64) -> Result<bool, PagingError> {
        let token = at(how.next.as_ref().map(|text| text.get_ref().as_str()), answer)
            .and_then(|value| match value {
                Json::String(text) => Some(text.clone()),
                Json::Number(number) => Some(number.to_string()),
                _ => None,
            })
            .filter(|token| !token.is_empty());
        let Some(token) = token else {
            self.token = None;
            return Ok(false);
        };
        self.empty = if rows == 0 { self.empty + 1 } else { 0 };
        if self.empty >= MAX_EMPTY_PAGES {
            return Err(PagingError::EmptyPages { count: self.empty });
        }
        if !self.seen_tokens.insert(token.clone()) {
            return Err(PagingError::RepeatedToken);
        }
        self.token = Some(token);
        Ok(true)
    }

    fn next_number(&mut self, how: &Page, answer: Option<&Json>, rows: u64) -> Result<bool, PagingError> {
        let path = how.total.as_ref().map(|text| text.get_ref().as_str());
        let total = at(path, answer)
            .and_then(|value| match value {
                Json::Number(number) => number.as_u64(),
                Json::String(text) => text.trim().parse().ok(),
                _ => None,
            })
            .ok_or_else(|| PagingError::NoTotal {
                path: path.unwrap_or_default().to_owned(),
            })?;
        if let Some(before) = self.total.replace(total)
            && before != total
        {
            return Err(PagingError::TotalChanged { before, after: total });
        }
        if self.rows > total {
            return Err(PagingError::TooManyRows {
                rows: self.rows,
                total,
            });
        }
        let missing = total - self.rows;
        let size = how.size.unwrap_or(u32::MAX);
        if missing > 0 && rows < u64::from(size) {
            return Err(PagingError::ShortPage {
                page: self.page,
                rows,
                missing,
                size,
            });
        }
        Ok(missing > 0)
    }
}

fn at<'a>(path: Option<&str>, answer: Option<&'a Json>) -> Option<&'a Json> {
    Path::parse(path?).ok()?.get(answer?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn how(text: &str) -> Page {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn a_repeated_token_ends_it() {
        let how = how("kind = 'token'\nnext = 'p.next'");
        let mut pager = Pager::default();
        assert_eq!(
            pager.advance(&how, Some(&json!({"p": {"next": "a"}})), 1),
            Ok(true)
        );
        assert_eq!(
            pager.advance(&how, Some(&json!({"p": {"next": "b"}})), 1),
            Ok(true)
        );
        assert_eq!(
            pager.advance(&how, Some(&json!({"p": {"next": "a"}})), 1),
            Err(PagingError::RepeatedToken)
        );
    }

    #[test]
    fn empty_pages_with_a_next_one_end_it_but_one_may_happen() {
        let how = how("kind = 'token'\nnext = 'next'");
        let mut pager = Pager::default();
        assert_eq!(pager.advance(&how, Some(&json!({"next": "a"})), 0), Ok(true));
        assert_eq!(pager.advance(&how, Some(&json!({"next": "b"})), 0), Ok(true));
        assert_eq!(
            pager.advance(&how, Some(&json!({"next": "c"})), 0),
            Err(PagingError::EmptyPages { count: 3 })
        );
    }

    #[test]
    fn numbered_pages_must_add_up_to_the_total() {
        let how = how("kind = 'number'\ntotal = 'count'\nsize = 2\nmax_pages = 3");
        let run = |pages: &[(&str, u64)]| {
            let mut pager = Pager::default();
            pages
                .iter()
                .map(|(count, rows)| pager.advance(&how, Some(&json!({"count": count})), *rows))
                .collect::<Vec<_>>()
        };
        assert_eq!(run(&[("3", 2), ("3", 1)]), [Ok(true), Ok(false)]);
        assert_eq!(run(&[("0", 0)]), [Ok(false)]);
        assert!(matches!(
            run(&[("3", 1)])[0],
            Err(PagingError::ShortPage { missing: 2, .. })
        ));
        assert!(matches!(
            run(&[("3", 2), ("4", 2)])[1],
            Err(PagingError::TotalChanged { .. })
        ));
        assert!(matches!(run(&[("x", 2)])[0], Err(PagingError::NoTotal { .. })));
        assert!(matches!(
            run(&[("9", 2), ("9", 2), ("9", 2)])[2],
            Err(PagingError::TooManyPages { max: 3 })
        ));
        assert!(matches!(
            run(&[("1", 2)])[0],
            Err(PagingError::TooManyRows { .. })
        ));
    }
}
