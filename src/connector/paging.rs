//! Which page comes next, with guards against sources that page badly.

use std::collections::BTreeSet;

use super::cell::Cell;
use super::definition::{Page, PageKind, Text};
use super::expr::Expr;
use super::path::Path;
use super::template::Places;
use super::tree::Node;

/// A source that pages in a way that would lose rows or never end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PagingError {
    #[error("the token of the next page was given before: following it would never end")]
    RepeatedToken,
    #[error("more than {max} pages")]
    TooManyPages { max: u32 },
    #[error("the number of {what} changed from {before} to {after} between two pages")]
    TotalChanged {
        what: &'static str,
        before: u64,
        after: u64,
    },
    #[error("the answer does not say how many rows there are (`{path}`)")]
    NoTotal { path: String },
    #[error("the answer does not say how many pages there are (`{path}`)")]
    NoPages { path: String },
    #[error("page {page} has {rows} rows, but {missing} are still to come and a page holds {size}")]
    ShortPage {
        page: u32,
        rows: u64,
        missing: u64,
        size: u32,
    },
    #[error("page {page} has {rows} rows, more than the {size} that were asked for")]
    LongPage { page: u32, rows: u64, size: u32 },
    #[error("{count} empty pages in a row, each naming a next one")]
    EmptyPages { count: u32 },
    #[error("page {page} is empty, but {pages} pages were promised")]
    EmptyPage { page: u32, pages: u64 },
    #[error("{rows} rows came, but the source said {total}")]
    TooManyRows { rows: u64, total: u64 },
    #[error("the next page is said to be at another host than the connector's own")]
    OtherHost,
    #[error("the last row has no `{path}` to go on from")]
    NoRowField { path: String },
}

const MAX_EMPTY_PAGES: u32 = 3;

/// What an answer says about the page after it.
pub struct Answered<'a> {
    pub tree: Option<&'a Node<'a>>,
    pub header: &'a dyn Fn(&str) -> Option<String>,
    pub rows: u64,
    /// `row`: the field of the last row.
    pub last: Option<String>,
    /// The connector's own address: a next page elsewhere is refused.
    pub base: &'a str,
}

impl Answered<'_> {
    /// The text at a path, or in a header.
    fn said(&self, place: Option<&Text>) -> Option<String> {
        let place = place?.get_ref();
        let text = match place.strip_prefix("header:") {
            Some(name) => (self.header)(name.trim())?,
            None => Cell::of_node(Path::parse(place).ok()?.get(self.tree?)?)
                .show()?
                .into_owned(),
        };
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    fn number(&self, place: Option<&Text>) -> Option<u64> {
        self.said(place)?.parse().ok()
    }

    fn holds(&self, condition: Option<&Text>) -> Option<bool> {
        let condition = Expr::parse(condition?.get_ref()).ok()?;
        Some(condition.holds(&|path| {
            let found = path.get(self.tree?)?;
            Cell::of_node(found).show().map(std::borrow::Cow::into_owned)
        }))
    }
}

/// What paging counts, where that is not the rows.
#[must_use]
pub fn counted(how: &Page, tree: Option<&Node<'_>>) -> Option<u64> {
    let path = Path::parse(how.count.as_ref()?.get_ref()).ok()?;
    u64::try_from(path.all(tree?).len()).ok()
}

/// Where a run of pages stands.
#[derive(Debug, Clone, Default)]
pub struct Pager {
    /// Pages that were read.
    done: u32,
    token: Option<String>,
    seen_tokens: BTreeSet<String>,
    rows: u64,
    total: Option<u64>,
    pages: Option<u64>,
    empty: u32,
}

impl Pager {
    #[must_use]
    pub fn page(&self) -> u32 {
        self.done + 1
    }

    /// What leads to the page after the last one read: a token, an address, or a query, as the kind of paging has it.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// What the page to ask for is called: its number, or the rows before it.
    #[must_use]
    pub fn number(&self, how: &Page) -> u64 {
        match how.kind {
            PageKind::Offset => self.rows,
            _ => u64::from(how.first) + u64::from(self.done),
        }
    }

    /// Fills `{page}`, `{size}`, `{offset}` and `{token}`.
    pub fn fill(&self, how: &Page, places: &mut Places) {
        places.int("page", i64::from(how.first) + i64::from(self.done));
        places.int("offset", i64::try_from(self.rows).unwrap_or(i64::MAX));
        if let Some(size) = how.size {
            places.int("size", i64::from(size));
        }
        places.text("token", self.token.as_deref().unwrap_or_default());
    }

    /// Takes what an answer says. True: there is a next page.
    ///
    /// # Errors
    /// When following the source would lose rows or never end.
    pub fn advance(&mut self, how: &Page, answer: &Answered<'_>) -> Result<bool, PagingError> {
        self.rows += answer.rows;
        let more = match how.kind {
            PageKind::None => false,
            PageKind::Token => self.follow(answer, self.next_of(how, answer))?,
            PageKind::Query => {
                let query = self
                    .next_of(how, answer)
                    .map(|query| query.trim_start_matches('?').to_owned());
                self.follow(answer, query)?
            }
            PageKind::Url => {
                let url = self.next_of(how, answer).map(|url| own_url(&url, answer.base));
                self.follow(answer, url.transpose()?)?
            }
            PageKind::Link => {
                let url = (answer.header)("link").and_then(|link| next_link(&link));
                let url = url.map(|url| own_url(&url, answer.base));
                self.follow(answer, url.transpose()?)?
            }
            PageKind::Row => self.next_row(how, answer)?,
            PageKind::Number | PageKind::Offset => self.next_number(how, answer)?,
        };
        if more && self.page() >= how.max_pages {
            return Err(PagingError::TooManyPages { max: how.max_pages });
        }
        self.done += 1;
        Ok(more)
    }

    /// A source may say in so many words that there is no next page.
    fn next_of(&self, how: &Page, answer: &Answered<'_>) -> Option<String> {
        if answer.holds(how.more.as_ref()) == Some(false) {
            return None;
        }
        answer.said(how.next.as_ref())
    }

    fn follow(&mut self, answer: &Answered<'_>, next: Option<String>) -> Result<bool, PagingError> {
        let Some(next) = next else {
            self.token = None;
            return Ok(false);
        };
        self.not_empty_again(answer.rows)?;
        if !self.seen_tokens.insert(next.clone()) {
            return Err(PagingError::RepeatedToken);
        }
        self.token = Some(next);
        Ok(true)
    }

    fn not_empty_again(&mut self, rows: u64) -> Result<(), PagingError> {
        self.empty = if rows == 0 { self.empty + 1 } else { 0 };
        if self.empty >= MAX_EMPTY_PAGES {
            return Err(PagingError::EmptyPages { count: self.empty });
        }
        Ok(())
    }

    fn next_row(&mut self, how: &Page, answer: &Answered<'_>) -> Result<bool, PagingError> {
        let more = match answer.holds(how.more.as_ref()) {
            Some(more) => more,
            None => answer.rows > 0 && self.full(how, answer.rows)?,
        };
        if !more || answer.rows == 0 {
            self.token = None;
            return Ok(false);
        }
        let last = answer.last.clone().ok_or_else(|| PagingError::NoRowField {
            path: how
                .next
                .as_ref()
                .map_or_else(String::new, |text| text.get_ref().clone()),
        })?;
        self.follow(answer, Some(last))
    }

    /// Whether a page holds as many rows as were asked for; without a size every page does.
    fn full(&self, how: &Page, rows: u64) -> Result<bool, PagingError> {
        let Some(size) = how.size else { return Ok(true) };
        if rows > u64::from(size) {
            return Err(PagingError::LongPage {
                page: self.page(),
                rows,
                size,
            });
        }
        Ok(rows == u64::from(size))
    }

    fn next_number(&mut self, how: &Page, answer: &Answered<'_>) -> Result<bool, PagingError> {
        let path = |text: Option<&Text>| text.map_or_else(String::new, |text| text.get_ref().clone());
        let mut more = None;
        if how.total.is_some() {
            let total = answer
                .number(how.total.as_ref())
                .ok_or_else(|| PagingError::NoTotal {
                    path: path(how.total.as_ref()),
                })?;
            more = Some(self.by_total(how, answer.rows, total)?);
        }
        if how.pages.is_some() {
            let pages = answer
                .number(how.pages.as_ref())
                .ok_or_else(|| PagingError::NoPages {
                    path: path(how.pages.as_ref()),
                })?;
            unchanged("pages", &mut self.pages, pages)?;
            let next = u64::from(self.page()) < pages;
            if next && answer.rows == 0 {
                return Err(PagingError::EmptyPage {
                    page: self.page(),
                    pages,
                });
            }
            more = Some(more.unwrap_or(next));
        }
        if let Some(said) = answer.holds(how.more.as_ref()) {
            if said {
                self.not_empty_again(answer.rows)?;
            }
            more = Some(more.unwrap_or(said));
        }
        if more.is_none() && how.short_is_last {
            more = Some(answer.rows > 0 && self.full(how, answer.rows)?);
        }
        Ok(more.unwrap_or(false))
    }

    fn by_total(&mut self, how: &Page, rows: u64, total: u64) -> Result<bool, PagingError> {
        unchanged("rows", &mut self.total, total)?;
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
                page: self.page(),
                rows,
                missing,
                size,
            });
        }
        Ok(missing > 0)
    }
}

fn unchanged(what: &'static str, held: &mut Option<u64>, now: u64) -> Result<(), PagingError> {
    match held.replace(now) {
        Some(before) if before != now => Err(PagingError::TotalChanged {
            what,
            before,
            after: now,
        }),
        _ => Ok(()),
    }
}

/// Scheme and host with port, in small letters.
fn origin(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?', '#', '\\']).next()?;
    Some(format!("{scheme}://{host}").to_ascii_lowercase())
}

/// The address of a next page: absolute at the connector's own host, or without one.
fn own_url(url: &str, base: &str) -> Result<String, PagingError> {
    let own = origin(base).ok_or(PagingError::OtherHost)?;
    if url.contains(|sign: char| sign.is_control() || sign == '\\') || url.starts_with("//") {
        return Err(PagingError::OtherHost);
    }
    if url.starts_with('/') {
        return Ok(format!("{own}{url}"));
    }
    match origin(url) {
        Some(found) if found == own => Ok(url.to_owned()),
        _ => Err(PagingError::OtherHost),
    }
}

/// The address of `rel="next"` of a `Link` header.
fn next_link(header: &str) -> Option<String> {
    let mut rest = header;
    while let Some((_, after)) = rest.split_once('<') {
        let (url, after) = after.split_once('>')?;
        let parameters = after.split('<').next().unwrap_or_default();
        let is_next = parameters.split([';', ',']).any(|parameter| {
            parameter.trim().split_once('=').is_some_and(|(name, value)| {
                name.trim().eq_ignore_ascii_case("rel")
                    && value
                        .trim()
                        .trim_matches('"')
                        .split_ascii_whitespace()
                        .any(|rel| rel.eq_ignore_ascii_case("next"))
            })
        });
        if is_next {
            return Some(url.to_owned());
        }
        rest = after;
    }
    None
}

#[cfg(test)]
mod tests;
