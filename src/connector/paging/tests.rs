//! Every way to page, and every guard by its name.

use super::*;
use crate::connector::tree::{self, Want};

fn how(text: &str) -> Page {
    toml::from_str(text).unwrap()
}

/// One answer: its body, its headers, its rows, the field of its last row.
struct Answer<'t>(&'t str, &'t [(&'t str, &'t str)], u64, Option<&'t str>);

fn advance(pager: &mut Pager, how: &Page, answer: &Answer<'_>) -> Result<bool, PagingError> {
    let tree = tree::parse(answer.0.as_bytes(), &Want::all()).unwrap();
    let header = |name: &str| {
        answer
            .1
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| (*value).to_owned())
    };
    pager.advance(
        how,
        &Answered {
            tree: Some(&tree),
            header: &header,
            rows: answer.2,
            last: answer.3.map(str::to_owned),
            base: "https://api.example.com/v1",
        },
    )
}

/// What each of the answers leads to.
fn run(text: &str, answers: &[Answer<'_>]) -> Vec<Result<Option<String>, PagingError>> {
    let how = how(text);
    let mut pager = Pager::default();
    answers
        .iter()
        .map(|answer| {
            let more = advance(&mut pager, &how, answer)?;
            Ok(more.then(|| {
                pager
                    .token()
                    .map_or_else(|| pager.number(&how).to_string(), str::to_owned)
            }))
        })
        .collect()
}

fn next(text: &str) -> Result<Option<String>, PagingError> {
    Ok(Some(text.to_owned()))
}

#[test]
fn a_repeated_token_ends_it() {
    let ring = ["a", "b", "a"].map(|token| format!("{{\"p\": {{\"next\": \"{token}\"}}}}"));
    let answers: Vec<Answer<'_>> = ring.iter().map(|text| Answer(text, &[], 1, None)).collect();
    assert_eq!(
        run("kind = 'token'\nnext = 'p.next'", &answers),
        [next("a"), next("b"), Err(PagingError::RepeatedToken)]
    );
}

#[test]
fn empty_pages_with_a_next_one_end_it_but_one_may_happen() {
    let said = ["{\"next\": 1}", "{\"next\": 2}", "{\"next\": 3}"];
    let answers = said.map(|text| Answer(text, &[], 0, None));
    assert_eq!(
        run("kind = 'token'\nnext = 'next'", &answers),
        [next("1"), next("2"), Err(PagingError::EmptyPages { count: 3 })]
    );
}

#[test]
fn more_pages_than_the_definition_allows_end_it() {
    let said = ["{\"next\": 1}", "{\"next\": 2}", "{\"next\": 3}"];
    let answers = said.map(|text| Answer(text, &[], 1, None));
    assert_eq!(
        run("kind = 'token'\nnext = 'next'\nmax_pages = 3", &answers)[2],
        Err(PagingError::TooManyPages { max: 3 })
    );
}

#[test]
fn a_total_that_does_not_hold_ends_it() {
    let rows = "kind = 'number'\ntotal = 'count'\nsize = 2\nmax_pages = 3";
    let said = |texts: &[(&str, u64)]| {
        let texts: Vec<(String, u64)> = texts
            .iter()
            .map(|(total, rows)| (format!("{{\"count\": \"{total}\"}}"), *rows))
            .collect();
        let answers: Vec<Answer<'_>> = texts
            .iter()
            .map(|(text, rows)| Answer(text, &[], *rows, None))
            .collect();
        run(rows, &answers)
    };
    assert_eq!(said(&[("3", 2), ("3", 1)]), [next("2"), Ok(None)]);
    assert_eq!(said(&[("0", 0)]), [Ok(None)]);
    assert!(matches!(
        said(&[("3", 1)])[0],
        Err(PagingError::ShortPage { missing: 2, .. })
    ));
    assert!(matches!(
        said(&[("3", 2), ("4", 2)])[1],
        Err(PagingError::TotalChanged {
            what: "rows",
            before: 3,
            after: 4
        })
    ));
    assert!(matches!(said(&[("x", 2)])[0], Err(PagingError::NoTotal { .. })));
    assert!(matches!(
        said(&[("1", 2)])[0],
        Err(PagingError::TooManyRows { .. })
    ));
}

#[test]
fn an_offset_counts_the_rows_that_came() {
    let text = "kind = 'offset'\ntotal = 'total'\nsize = 200";
    let answers = [
        Answer("{\"total\": 401}", &[], 200, None),
        Answer("{\"total\": 401}", &[], 200, None),
        Answer("{\"total\": 401}", &[], 1, None),
    ];
    assert_eq!(run(text, &answers), [next("200"), next("400"), Ok(None)]);
    let mut places = Places::default();
    let mut pager = Pager::default();
    advance(&mut pager, &how(text), &answers[0]).unwrap();
    pager.fill(&how(text), &mut places);
    assert_eq!(
        places.get("offset"),
        Some(&crate::connector::template::Filling::Int(200))
    );
}

#[test]
fn a_number_of_pages_may_stand_in_a_header_and_may_not_change() {
    let text = "kind = 'number'\npages = 'header:Total-Pages'";
    let page = |pages: &'static [(&'static str, &'static str)], rows| Answer("[]", pages, rows, None);
    let (two, three) = (&[("total-pages", "2")], &[("total-pages", "3")]);
    assert_eq!(run(text, &[page(two, 5), page(two, 1)]), [next("2"), Ok(None)]);
    assert!(matches!(
        run(text, &[page(two, 5), page(three, 5)])[1],
        Err(PagingError::TotalChanged { what: "pages", .. })
    ));
    assert!(matches!(
        run(text, &[page(&[], 5)])[0],
        Err(PagingError::NoPages { .. })
    ));
    assert!(matches!(
        run(text, &[page(two, 0)])[0],
        Err(PagingError::EmptyPage { page: 1, pages: 2 })
    ));
}

#[test]
fn a_flag_that_is_a_text_says_whether_there_is_more() {
    let text = "kind = 'number'\nmore = \"nextPage == 'true'\"\nfirst = 0";
    let said = |flag: &'static str, rows| Answer(flag, &[], rows, None);
    let (yes, no) = ("{\"nextPage\": \"true\"}", "{\"nextPage\": \"false\"}");
    assert_eq!(run(text, &[said(yes, 2), said(no, 1)]), [next("1"), Ok(None)]);
    assert_eq!(
        run(text, &[said(yes, 0), said(yes, 0), said(yes, 0)])[2],
        Err(PagingError::EmptyPages { count: 3 })
    );
    // Shopify: hasNextPage is false although a cursor stands there.
    let graph = "kind = 'token'\nnext = 'info.endCursor'\nmore = 'info.hasNextPage == true'";
    let last = "{\"info\": {\"hasNextPage\": false, \"endCursor\": \"x\"}}";
    assert_eq!(run(graph, &[said(last, 2)]), [Ok(None)]);
}

#[test]
fn a_page_that_is_not_full_ends_it_only_where_declared() {
    let text = "kind = 'number'\nshort_is_last = true\nsize = 2";
    let page = |rows| Answer("{}", &[], rows, None);
    assert_eq!(run(text, &[page(2), page(1)]), [next("2"), Ok(None)]);
    assert_eq!(run(text, &[page(2), page(0)]), [next("2"), Ok(None)]);
    // A source that takes no notice of the size pages in another way than we think.
    assert!(matches!(
        run(text, &[page(3)])[0],
        Err(PagingError::LongPage { rows: 3, size: 2, .. })
    ));
}

#[test]
fn a_field_of_the_last_row_leads_on() {
    let text = "kind = 'row'\nnext = 'id'\nquery = 'after'\nsize = 2";
    let page = |rows, last| Answer("{}", &[], rows, last);
    assert_eq!(
        run(
            text,
            &[page(2, Some("7")), page(2, Some("9")), page(1, Some("10"))]
        ),
        [next("7"), next("9"), Ok(None)]
    );
    assert_eq!(
        run(text, &[page(2, Some("7")), page(2, Some("7"))])[1],
        Err(PagingError::RepeatedToken)
    );
    assert!(matches!(
        run(text, &[page(2, None)])[0],
        Err(PagingError::NoRowField { .. })
    ));
}

#[test]
fn a_link_header_leads_on_at_the_same_host_only() {
    let page = |link: &'static [(&'static str, &'static str)]| Answer("[]", link, 1, None);
    let good = &[(
        "link",
        "<https://api.example.com/v1/orders?page=1>; rel=\"prev\", <https://api.example.com/v1/orders?a=1,2&page=3>; title=\"x\"; rel=\"next\"",
    )];
    assert_eq!(
        run("kind = 'link'", &[page(good), page(&[])]),
        [next("https://api.example.com/v1/orders?a=1,2&page=3"), Ok(None)]
    );
    let evil = &[("link", "<https://evil.example.org/x>; rel=next")];
    assert_eq!(run("kind = 'link'", &[page(evil)]), [Err(PagingError::OtherHost)]);
}

#[test]
fn the_address_of_the_next_page_is_followed_at_the_same_host_only() {
    let at = |url: &str| {
        let text = format!("{{\"next\": \"{url}\"}}");
        run("kind = 'url'\nnext = 'next'", &[Answer(&text, &[], 1, None)]).remove(0)
    };
    assert_eq!(
        at("/2026-01/inventory?cursor=a%2Bb"),
        next("https://api.example.com/2026-01/inventory?cursor=a%2Bb")
    );
    assert_eq!(at("https://API.example.com/x"), next("https://API.example.com/x"));
    assert_eq!(at(""), Ok(None));
    for other in [
        "https://evil.example.org/x",
        "https://api.example.com@evil.example.org/x",
        "https://api.example.com.evil.example.org/",
        "https://api.example.com:8443/x",
        "http://api.example.com/x",
        "//evil.example.org/x",
        "next-page",
    ] {
        assert_eq!(at(other), Err(PagingError::OtherHost), "{other}");
    }
    let header = run(
        "kind = 'url'\nnext = 'header:Next-Page'",
        &[Answer(
            "[]",
            &[("next-page", "/2026-01/receiving?Page=2")],
            1,
            None,
        )],
    );
    assert_eq!(header, [next("https://api.example.com/2026-01/receiving?Page=2")]);
}

#[test]
fn walmart_gives_the_next_query_word_by_word() {
    let said = "{\"list\": {\"meta\": {\"nextCursor\": \"?limit=100&hasMoreElements=true&soIndex=1&poIndex=2%3D\"}}}";
    assert_eq!(
        run(
            "kind = 'query'\nnext = 'list.meta.nextCursor'",
            &[Answer(said, &[], 100, None)]
        ),
        [next("limit=100&hasMoreElements=true&soIndex=1&poIndex=2%3D")]
    );
}
