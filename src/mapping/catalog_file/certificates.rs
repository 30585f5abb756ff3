//! The `certificates` file: certificates of goods and registrations of the seller (R25, R26).

use super::{Parsed, parse};
use crate::catalog::Fault;
use crate::ids::Sku;
use crate::mapping::table::{Column, Row, Table, date_from};
use crate::order::Certificate;

const CERTIFICATES: [Column; 10] = [
    Column::required("type").or(&["证书类型", "类型"]),
    Column::required("number").or(&["证书编号", "编号", "注册号"]),
    Column::optional("issuer").or(&["发证机构"]),
    Column::optional("country").or(&["国家"]),
    Column::optional("skus").or(&["SKU", "适用SKU"]),
    Column::optional("categories").or(&["适用类别"]),
    Column::optional("valid_from").or(&["生效日"]),
    Column::optional("valid_to").or(&["有效期至", "到期日"]),
    Column::optional("file").or(&["文件"]),
    Column::optional("owner").or(&["负责人"]),
];

/// Reads a `certificates` file. `file` names the paper beside it; its bytes are read by whoever imports.
#[must_use]
pub fn parse_certificates(table: &Table) -> Parsed<Certificate> {
    parse(table, &CERTIFICATES, read, |one: &Certificate| {
        let key = [one.kind.as_str(), &one.number, &one.country].join(" ");
        ("number", key.trim_end().to_owned())
    })
}

fn read(row: &mut Row<'_>) -> Option<Certificate> {
    let kind = row.required_code("type", "a type such as ce or weee");
    let number = row.required_code("number", "the number of the paper");
    let country = row.code("country").unwrap_or_default().to_uppercase();
    let framed = country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase());
    if !framed && !country.is_empty() {
        row.refuse_found("country", &country, "two capital letters, like DE, or nothing");
    }
    let skus: Vec<Sku> = list(&row.text("skus"))
        .into_iter()
        .filter_map(|text| match Sku::new(&text) {
            Ok(sku) => Some(sku),
            Err(error) => {
                row.refuse_found("skus", &text, error.to_string());
                None
            }
        })
        .collect();
    let [valid_from, valid_to] = ["valid_from", "valid_to"]
        .map(|name| row.parsed(name, "a date like 2026-11-22, or nothing", date_from));
    if let (Some(first), Some(last)) = (valid_from, valid_to)
        && last < first
    {
        let fault = Fault::new("valid_to", &last, format!("a day not before {first}"));
        row.refuse_found(fault.field, fault.found, fault.wanted);
    }
    Some(Certificate {
        kind: kind?.to_lowercase(),
        number: number?,
        issuer: row.text("issuer"),
        country,
        skus,
        categories: list(&row.text("categories").to_lowercase()),
        valid_from,
        valid_to,
        owner: row.text("owner"),
        sha256: None,
        file_name: row.text("file"),
    })
}

/// Names with commas, semicolons or bars between them.
fn list(text: &str) -> Vec<String> {
    text.split([',', ';', '|', ',', ';', '、', '\n'])
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::table::{self, Limits};

    #[test]
    fn r25_certificates_are_read_and_what_cannot_be_is_named() {
        let text = "type,number,country,skus,valid_from,valid_to,file\nCE,CE-1,,A;B,2026-01-01,2027-01-01,ce.pdf\n\
                    weee,DE 123,de,,,,\nce,CE-1,,,,,\nce,CE-2,Germany,,2027-01-01,2026-01-01,\n";
        let parsed = parse_certificates(
            &table::read("certificates.csv", text.as_bytes(), &Limits::default()).unwrap(),
        );
        assert_eq!(parsed.rows.len(), 2);
        let first = &parsed.rows[0].value;
        assert_eq!((first.kind.as_str(), first.skus.len()), ("ce", 2));
        assert_eq!(parsed.rows[1].value.country, "DE");
        let said: Vec<String> = parsed.problems.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(said.join("\n"), @"
        certificates.csv, line 4, `number`: found `ce CE-1`, wanted one row each, the first is at line 2
        certificates.csv, line 5, `country`: found `GERMANY`, wanted two capital letters, like DE, or nothing
        certificates.csv, line 5, `valid_to`: found `2026-01-01`, wanted a day not before 2027-01-01
        ");
    }
}
