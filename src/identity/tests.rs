use super::*;

fn judge(kind: &str, number: &str) -> Result<(), Flaw> {
    match kind {
        "iso6346" => iso6346(number),
        "gtin" => gtin(number),
        "sscc" => sscc(number),
        "uscc" => uscc(number),
        "vat" => vat(number),
        "abn" => abn(number),
        "jp_corporate" => jp_corporate(number),
        other => panic!("no such kind: {other}"),
    }
}

/// The verdicts are another program's (`tests/fixtures/identity/README.md`).
#[test]
fn every_number_is_judged_as_an_independent_program_judges_it() {
    let rows = include_str!("../../tests/fixtures/identity/numbers.csv");
    let mut seen = 0;
    let mut wrong = Vec::new();
    for row in rows.lines().skip(1) {
        let [kind, number, valid] = row.split(',').collect::<Vec<_>>()[..] else {
            panic!("three fields: {row}")
        };
        seen += 1;
        if judge(kind, number).is_ok() != (valid == "yes") {
            wrong.push(row);
        }
    }
    assert!(seen > 1_500, "{seen}");
    assert_eq!(wrong, Vec::<&str>::new());
}

#[test]
fn what_is_wrong_is_said_with_the_digit_that_would_be_right() {
    let said = |flaw: Result<(), Flaw>| flaw.unwrap_err().to_string();
    assert_eq!(
        said(iso6346("CSQU3054384")),
        "check digit 3: one of the characters before it, or it, is mistyped"
    );
    assert_eq!(said(sscc("1234")), "18 digits");
    assert_eq!(
        said(vat("DE123456789")),
        "a VAT number whose check sum comes out: a character is mistyped"
    );
    assert_eq!(
        said(vat("12345")),
        "a VAT number of the EU, GB or XI, beginning with its country"
    );
}

#[test]
fn r3_an_eori_of_another_customs_territory_or_length_does_not_hold() {
    assert_eq!(eori("GB123456789000", "GB"), Ok(()));
    assert_eq!(eori("DE1234567890123", "DE"), Ok(()));
    assert_eq!(eori("FR12345678900012", "DE"), Ok(()), "any member state's holds");
    for (number, country) in [
        ("GB12345678900", "GB"),
        ("DE1234567890123", "GB"),
        ("GB123456789000", "DE"),
        ("DE", "DE"),
        ("DE12345678901234567", "DE"),
        ("de123", "DE"),
    ] {
        assert!(eori(number, country).is_err(), "{number} to {country}");
    }
}

#[test]
fn an_importer_of_the_us_is_known_by_one_of_three_numbers() {
    for good in ["12-3456789", "12-3456789AB", "123-45-6789", "260101-12345"] {
        assert_eq!(importer_number(good), Ok(()), "{good}");
    }
    for bad in [
        "",
        "123456789",
        "12-345678",
        "12-3456789A",
        "IOE-1",
        "12-3456789ABC",
    ] {
        assert!(importer_number(bad).is_err(), "{bad}");
    }
}

#[test]
fn ports_are_those_of_the_list() {
    assert!(port("CNYTN").unwrap().sea_port());
    assert!(!port("CNYTN").unwrap().airport());
    assert!(port("GBFXT").unwrap().sea_port());
    assert!(port("CNSZX").unwrap().airport());
    assert_eq!(port("CNXXX"), Err(Flaw::Unlisted("UN/LOCODE 2022-2")));
    for bad in ["", "Yantian", "cnytn", "CN1TN", "CNYT", "盐田"] {
        assert!(matches!(port(bad), Err(Flaw::Form(_))), "{bad}");
    }
}

#[test]
fn a_tariff_code_has_its_countrys_length_and_a_subheading_of_2022() {
    assert_eq!(tariff_code("6912001000", "CN"), Ok(()));
    assert_eq!(tariff_code("9903880100", "US"), Ok(()));
    assert!(matches!(tariff_code("69120010", "CN"), Err(Flaw::Form(_))));
    assert!(matches!(tariff_code("6912990000", "CN"), Err(Flaw::Unlisted(_))));
    // 8524 came with the edition of 2022.
    assert_eq!(tariff_code("852411", "DE"), Ok(()));
    assert!(agree("6912001000", "6912002500") && !agree("6912001000", "6911101000") && !agree("", ""));
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,24}") {
        for kind in ["iso6346", "gtin", "sscc", "uscc", "vat", "abn", "jp_corporate"] {
            let _ = judge(kind, &text);
        }
        let _ = (eori(&text, "GB"), importer_number(&text), port(&text).is_ok(), tariff_code(&text, "CN"));
    }

    #[test]
    fn a_slip_in_one_digit_of_a_carton_code_is_found(body in "[0-9]{17}", place in 0_usize..18, by in 1_u32..10) {
        let digits: Vec<u32> = body.chars().filter_map(|c| c.to_digit(10)).collect();
        let code = format!("{body}{}", gtin_check_digit(&digits));
        proptest::prop_assert_eq!(sscc(&code), Ok(()));
        let slipped: String = code
            .chars()
            .enumerate()
            .map(|(at, c)| if at == place { char::from_digit((c.to_digit(10).unwrap() + by) % 10, 10).unwrap() } else { c })
            .collect();
        proptest::prop_assert!(sscc(&slipped).is_err());
    }
}
