//! The places of a statement's arguments, as each engine wants them.

use super::dialect::Engine;

/// One statement for so many rows.
pub(super) fn bulk(engine: Engine, head: &str, rows: usize, width: usize, tail: &str) -> String {
    use std::fmt::Write as _;
    let mut sql = String::with_capacity(head.len() + tail.len() + rows * width * 6);
    sql.push_str(head);
    sql.push_str(" VALUES ");
    for row in 0..rows {
        sql.push_str(if row == 0 { "(" } else { ",(" });
        for column in 0..width {
            sql.push_str(if column == 0 { "" } else { "," });
            match engine {
                // Without numbers, for the reason told at `numbered`.
                Engine::Sqlite => sql.push('?'),
                Engine::Postgres => {
                    let _ = write!(sql, "${}", row * width + column + 1);
                }
            }
        }
        sql.push(')');
    }
    sql.push(' ');
    sql.push_str(tail);
    sql
}

/// The places as SQLite finds them quickly.
///
/// `$1` is looked up by name, one after the other; `?1` is found by number, but the driver then asks for every
/// place's name, which walks the list again: square in the thousands of places of a bulk insert. A plain `?` has no
/// name, so where the places stand in order, each once, they are written so.
pub(super) fn numbered(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len());
    let mut expected = 0_usize;
    let mut pieces = sql.split('$');
    out.push_str(pieces.next().unwrap_or_default());
    let in_order = pieces.clone().all(|piece| {
        let (number, _) = place(piece);
        expected += 1;
        number == Some(expected)
    });
    for piece in pieces {
        let (number, after) = place(piece);
        match number {
            Some(_) if in_order => {
                out.push('?');
                out.push_str(after);
            }
            Some(_) => {
                out.push('?');
                out.push_str(piece);
            }
            None => {
                out.push('$');
                out.push_str(piece);
            }
        }
    }
    out
}

/// The number a piece of SQL after a `$` begins with, and what follows it.
pub(super) fn place(piece: &str) -> (Option<usize>, &str) {
    let end = piece.find(|c: char| !c.is_ascii_digit()).unwrap_or(piece.len());
    let (digits, after) = piece.split_at(end);
    (digits.parse().ok(), after)
}
