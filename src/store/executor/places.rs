//! The places of a statement, as each engine wants them written.

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
