//! Heads and parts of a mail, as far as we read mails.

/// Head and body of a mail or a part: the first empty line divides them.
pub(crate) fn split(text: &str) -> (&str, &str) {
    text.trim_start_matches('\n')
        .split_once("\n\n")
        .unwrap_or((text, ""))
}

/// Name and value of each header, folded lines joined.
pub(crate) fn fields(head: &str) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = Vec::new();
    for line in head.lines() {
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = all.last_mut() {
                value.push(' ');
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            all.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    all
}

pub(crate) fn field<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    fields
        .iter()
        .find(|(found, _)| found == name)
        .map(|(_, value)| value.as_str())
}

pub(crate) fn parameter(value: &str, name: &str) -> Option<String> {
    value.split(';').skip(1).find_map(|part| {
        let (found, value) = part.split_once('=')?;
        found
            .trim()
            .eq_ignore_ascii_case(name)
            .then(|| value.trim().trim_matches('"').to_owned())
    })
}

pub(crate) fn parts<'a>(body: &'a str, boundary: &str) -> Vec<&'a str> {
    let marker = format!("--{boundary}");
    let mut found = Vec::new();
    let mut start = None;
    let mut at = 0;
    for line in body.split_inclusive('\n') {
        if line.trim_end().starts_with(&marker) {
            if let Some(part) = start.and_then(|start: usize| body.get(start..at)) {
                found.push(part);
            }
            start = Some(at + line.len());
            if line.trim_end() == format!("{marker}--") {
                return found;
            }
        }
        at += line.len();
    }
    // A report that was cut off: the last part as far as it goes.
    found.extend(start.and_then(|start| body.get(start..)));
    found
}
