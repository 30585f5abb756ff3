use super::*;

#[test]
fn every_shipped_mapping_is_valid_and_its_tests_hold() {
    let all = builtin().unwrap();
    assert_eq!(all.len(), 7);
    for mapping in &all {
        let held = run_tests(mapping).unwrap_or_else(|failures| panic!("{}", failures.join("\n")));
        assert!(held > 0);
    }
}

#[test]
fn r41_no_test_file_of_one_mapping_is_taken_by_another() {
    let all = builtin().unwrap();
    for mapping in &all {
        for case in mapping.tests.iter().filter(|case| !case.expect.is_empty()) {
            let document = Document::new(&case.name, case.file.as_bytes());
            let readers: Vec<String> = read(&all, None, &document, chrono_tz::UTC)
                .into_iter()
                .map(|reading| reading.mapping)
                .collect();
            assert_eq!(
                readers,
                [format!("{}@{}", mapping.id, mapping.version)],
                "{}",
                case.name
            );
        }
    }
}

#[test]
fn a_faulty_mapping_names_everything_at_once() {
    let text = "[inbound]\nlanguage = 2\nid = ''\nversion = 1\nkind = 'booking-rejection'\nformat = 'table'\nrows = 'x'\n[fields]\nordre = { from = ['order'] }\nreason = { from = [] }\n[wen]\n";
    let said: Vec<String> = Inbound::parse("x.toml", text)
        .unwrap_err()
        .iter()
        .map(ToString::to_string)
        .collect();
    insta::assert_snapshot!(said.join("\n"), @r"
    x.toml, `inbound.language`: found `2`, wanted 1
    x.toml, `inbound.id`: found ``, wanted a name
    x.toml, `inbound.rows`: found `x`, wanted nothing: only JSON and XML have a place of rows
    x.toml, `fields`: found `ordre`, wanted a fact of this kind; did you mean `order`?
    x.toml, `fields.reason.from`: found ``, wanted at least one place
    x.toml, `fields.order`: found ``, wanted a place: every booking-rejection has it
    x.toml, `test`: found ``, wanted at least one [[test]] with a file and what comes out of it
    x.toml, line 11, column 2: found `wen`, wanted a known name; did you mean `when`?
    ");
}

#[test]
fn r41_first_rows_are_cut_and_escaped() {
    let text = format!("a,b\n\u{1b}[2Jx,\u{202e}gpj.exe\n{},=1+1\n", "y".repeat(300));
    let rows = Document::new("x.csv", text.as_bytes()).first_rows();
    assert_eq!(rows.len(), 3);
    assert!(
        rows.iter()
            .all(|row| !row.contains('\u{1b}') && !row.contains('\u{202e}')),
        "{rows:?}"
    );
    assert!(rows[2].chars().count() < 120, "{rows:?}");
    let pdf = Document::new("x.pdf", b"%PDF-1.7\n\xff\xfe").first_rows();
    assert_eq!(pdf, ["11 bytes, begins with 25 50 44 46 2d 31 2e 37 0a ff fe"]);
    assert!(Document::new("empty", b"").first_rows().is_empty());
}
