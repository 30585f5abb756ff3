//! The person of the demo: opens the morning's mail, fills in the decision column of its workbook, and drops the
//! workbook into the inbox, as 运营 would.

use std::fs;
use std::path::{Path, PathBuf};

use super::letters;
use crate::digest::sha256_hex;
use crate::mapping::table::{Limits, read_sheet};
use crate::mapping::xlsx::{At, Want, write_cells};
use crate::simulate::Mail;
use crate::wording::{Lang, text};

#[derive(Debug, thiserror::Error)]
pub enum PersonError {
    #[error("cannot open {}", path.display())]
    File {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the mail {} has no workbook", .0.display())]
    NoWorkbook(PathBuf),
    #[error("{0}")]
    Workbook(crate::problem::Problem),
}

/// What the person did with a morning's mail.
#[derive(Debug, Default, Clone, Copy)]
pub struct Answered {
    pub adopted: usize,
    pub changed: usize,
    pub rejected: usize,
}

/// Answers a mail: takes the suggestions, doubles a carton here, refuses one there. Nothing is random: the same mail
/// is answered in the same way.
pub fn answer(mail: &Mail, inbox: &Path) -> Result<Answered, PersonError> {
    let workbook = workbook(mail)?;
    let (cells, answered) = decide(&workbook)?;
    if cells.is_empty() {
        return Ok(answered);
    }
    let sheet = text(Lang::Zh, "mail.sheet.suggestions", &[]);
    let edited = write_cells(&workbook, &sheet, &cells).map_err(PersonError::Workbook)?;
    let path = inbox.join(format!("reply-{}.xlsx", &sha256_hex(&workbook)[..12]));
    fs::write(&path, edited).map_err(|source| PersonError::File { path, source })?;
    Ok(answered)
}

/// The workbook of a mail, as it came.
pub fn workbook(mail: &Mail) -> Result<Vec<u8>, PersonError> {
    let bytes = fs::read(&mail.file).map_err(|source| PersonError::File {
        path: mail.file.clone(),
        source,
    })?;
    letters::workbook(&letters::parts(&bytes))
        .map(|part| part.bytes.clone())
        .ok_or_else(|| PersonError::NoWorkbook(mail.file.clone()))
}

/// Every so many suggestions this person orders a carton more, and every so many none at all.
const ONE_CARTON_MORE: usize = 7;
const NONE_AT_ALL: usize = 11;

fn decide(workbook: &[u8]) -> Result<(Vec<(At, Want)>, Answered), PersonError> {
    let title = |key: &str| text(Lang::Zh, &format!("mail.book.{key}"), &[]);
    let sheet = text(Lang::Zh, "mail.sheet.suggestions", &[]);
    let table =
        read_sheet("mail.xlsx", workbook, Some(&sheet), &Limits::default()).map_err(PersonError::Workbook)?;
    let mut rows = table.raw_rows();
    let heads: Vec<String> = rows
        .by_ref()
        .map(|(_, cells)| cells.to_vec())
        .find(|cells| cells.iter().any(|cell| *cell == title("decision")))
        .unwrap_or_default();
    let column = |key: &str| heads.iter().position(|head| *head == title(key));
    let (Some(decision), Some(units), Some(suggested), Some(cartons), Some(data)) = (
        column("decision"),
        column("new_units"),
        column("suggested"),
        column("cartons"),
        column("data"),
    ) else {
        let wanted = "the columns of a daily mail";
        return Err(PersonError::Workbook(crate::problem::Problem::new(
            "mail.xlsx",
            "",
            "",
            heads.join(" | "),
            wanted,
        )));
    };
    let mut cells = Vec::new();
    let mut answered = Answered::default();
    let complete = text(Lang::Zh, "mail.state.complete", &[]);
    for (number, row) in rows {
        let number_at = |at: usize| row.get(at).and_then(|cell| cell.trim().parse::<i64>().ok());
        let Some(wanted) = number_at(suggested).filter(|wanted| *wanted > 0) else {
            continue;
        };
        if row.get(data).is_none_or(|state| *state != complete) {
            continue;
        }
        let at = |column: usize| At {
            row: u32::try_from(number).unwrap_or(0),
            column: u32::try_from(column + 1).unwrap_or(0),
        };
        let line = answered.adopted + answered.changed + answered.rejected + 1;
        let word = |choice: &str| Want::Text(text(Lang::Zh, &format!("mail.choice.{choice}"), &[]));
        if line % NONE_AT_ALL == 0 {
            cells.push((at(decision), word("reject")));
            answered.rejected += 1;
        } else if line % ONE_CARTON_MORE == 0 && number_at(cartons).is_some_and(|count| count > 0) {
            let carton = wanted / number_at(cartons).unwrap_or(1);
            cells.push((at(decision), word("change")));
            cells.push((at(units), Want::Number((wanted + carton).into())));
            answered.changed += 1;
        } else {
            cells.push((at(decision), word("adopt")));
            answered.adopted += 1;
        }
    }
    Ok((cells, answered))
}
