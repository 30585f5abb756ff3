//! Certificates, registrations and contracts with their last days: a table that a person keeps.

use chrono::NaiveDate;

use super::table::{self, Column, Limits, date_from};
use crate::problem::Problem;

/// One paper that ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paper {
    pub number: String,
    /// What it is, and for which goods or party.
    pub name: String,
    /// A contract or licence of a party, not a certificate of goods.
    pub is_contract: bool,
    pub valid_to: NaiveDate,
    pub owner: Option<String>,
}

/// Good rows, and what is wrong with the others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Papers {
    pub papers: Vec<Paper>,
    pub problems: Vec<Problem>,
}

const COLUMNS: [Column; 6] = [
    Column::required("number").or(&["证书编号", "编号", "合同编号", "certificate_no"]),
    Column::optional("name").or(&["证书", "名称", "证书名称", "certificate"]),
    Column::optional("subject").or(&["SKU", "产品", "适用产品", "party", "对方"]),
    Column::optional("kind").or(&["类型"]),
    Column::required("valid_to").or(&["有效期至", "到期日", "expires", "expiry"]),
    Column::optional("owner").or(&["负责人"]),
];

/// # Errors
/// When it is no table with these columns.
pub fn read(name: &str, bytes: &[u8]) -> Result<Papers, Vec<Problem>> {
    let table = table::read(name, bytes, &Limits::default()).map_err(|problem| vec![problem])?;
    let columns = table.columns(&COLUMNS)?;
    let mut found = Papers::default();
    for mut row in columns.rows() {
        let number = row.required_code("number", "the number of the paper");
        let valid_to = row.required("valid_to", "its last day, like 2027-06-30", date_from);
        let kind = row.parsed("kind", "certificate or contract (证书, 合同)", |text| match text
            .to_lowercase()
            .as_str()
        {
            "certificate" | "registration" | "证书" | "注册" | "备案" => Some(false),
            "contract" | "licence" | "license" | "合同" | "许可证" => Some(true),
            _ => None,
        });
        let name = [row.text("name"), row.text("subject")];
        let name: Vec<String> = name.into_iter().filter(|text| !text.is_empty()).collect();
        let owner = Some(row.text("owner")).filter(|owner| !owner.is_empty());
        match (number, valid_to) {
            (Some(number), Some(valid_to)) if row.problems().is_empty() => {
                if found.papers.iter().any(|paper: &Paper| paper.number == number) {
                    row.refuse("number", "each paper once");
                    found.problems.extend(row.into_problems());
                    continue;
                }
                found.papers.push(Paper {
                    number,
                    name: name.join(", "),
                    is_contract: kind.unwrap_or(false),
                    valid_to,
                    owner,
                });
            }
            _ => found.problems.extend(row.into_problems()),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_rows_count_and_the_others_are_named() {
        let text = "证书编号,名称,适用产品,类型,有效期至,负责人\nCE-1,CE,G-MUG-3,证书,2027-06-30,小王\n\
                    C-9,仓库合同,GoodCang,合同,2026/12/31,\nCE-1,CE,X,证书,2027-06-30,\nX,,,票,soon,\n";
        let found = read("c.csv", text.as_bytes()).unwrap();
        assert_eq!(found.papers.len(), 2);
        assert_eq!(found.papers[0].name, "CE, G-MUG-3");
        assert!(found.papers[1].is_contract);
        let told: Vec<String> = found.problems.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 3, "{told:#?}");
        assert!(read("c.csv", b"a,b\n1,2\n").is_err());
    }
}
