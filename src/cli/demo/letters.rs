//! Takes a mail apart, so that its page and its workbook can be opened with a double click.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// One part of a mail that is no container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Lower case, without parameters.
    pub media_type: String,
    pub file_name: Option<String>,
    pub content_id: Option<String>,
    pub bytes: Vec<u8>,
}

/// Parts inside parts: ours nest three deep.
const MAX_DEPTH: usize = 8;

/// Every part of a mail, in order. Text keeps its charset, which is UTF-8 in ours.
#[must_use]
pub fn parts(mail: &[u8]) -> Vec<Part> {
    let text = String::from_utf8_lossy(mail).replace("\r\n", "\n");
    let mut found = Vec::new();
    collect(&text, MAX_DEPTH, &mut found);
    found
}

fn collect(text: &str, depth: usize, found: &mut Vec<Part>) {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    // A folded header goes on with white space.
    let head = head.replace("\n ", " ").replace("\n\t", " ");
    let header = |name: &str| {
        head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.trim()
                .eq_ignore_ascii_case(name)
                .then(|| value.trim().to_owned())
        })
    };
    let content_type = header("content-type").unwrap_or_default();
    if let (Some(boundary), true) = (parameter(&content_type, "boundary"), depth > 0) {
        let opening = format!("--{boundary}");
        for piece in format!("\n{body}").split(&format!("\n{opening}")).skip(1) {
            if let Some(inner) = piece.strip_prefix('\n') {
                collect(inner, depth - 1, found);
            }
        }
        return;
    }
    let encoding = header("content-transfer-encoding").unwrap_or_default();
    let bytes = match encoding.to_ascii_lowercase().as_str() {
        "base64" => {
            let packed: String = body.split_whitespace().collect();
            STANDARD.decode(packed).unwrap_or_default()
        }
        "quoted-printable" => unquoted(body),
        _ => body.as_bytes().to_vec(),
    };
    let file_name = header("content-disposition")
        .and_then(|value| parameter(&value, "filename"))
        .or_else(|| parameter(&content_type, "name"));
    found.push(Part {
        media_type: content_type
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase(),
        file_name,
        content_id: header("content-id").map(|id| id.trim_matches(['<', '>']).to_owned()),
        bytes,
    });
}

fn parameter(value: &str, name: &str) -> Option<String> {
    value.split(';').skip(1).find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        key.trim()
            .eq_ignore_ascii_case(name)
            .then(|| value.trim().trim_matches('"').to_owned())
    })
}

/// Undoes quoted-printable: `=C2=B7` is two bytes, `=` at the end of a line joins it with the next.
fn unquoted(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bytes = text.bytes().peekable();
    while let Some(byte) = bytes.next() {
        if byte != b'=' {
            out.push(byte);
            continue;
        }
        match (bytes.next(), bytes.peek().copied()) {
            (Some(b'\n'), _) => {}
            (Some(high), Some(low)) => {
                let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|n| u8::try_from(n).ok());
                if let (Some(high), Some(low)) = (digit(high), digit(low)) {
                    out.push(high * 16 + low);
                    bytes.next();
                } else {
                    out.extend([byte, high]);
                }
            }
            (Some(other), None) => out.extend([byte, other]),
            (None, _) => out.push(byte),
        }
    }
    out
}

/// The mail's page with its pictures inside, so that it stands alone.
#[must_use]
pub fn page(parts: &[Part]) -> Option<String> {
    let html = parts.iter().find(|part| part.media_type == "text/html")?;
    let mut page = String::from_utf8_lossy(&html.bytes).into_owned();
    for part in parts {
        if let Some(id) = &part.content_id {
            let data = format!("data:{};base64,{}", part.media_type, STANDARD.encode(&part.bytes));
            page = page.replace(&format!("\"cid:{id}\""), &format!("\"{data}\""));
        }
    }
    Some(page)
}

/// The suggestion workbook of a mail.
#[must_use]
pub fn workbook(parts: &[Part]) -> Option<&Part> {
    parts
        .iter()
        .find(|part| part.media_type.ends_with("spreadsheetml.sheet"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: &str = "Subject: x\r\nContent-Type: multipart/mixed;\r\n boundary=\"m\"\r\n\r\n--m\r\n\
        Content-Type: multipart/related; boundary=\"r\"\r\n\r\n--r\r\n\
        Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
        <p>red =C2=B7 =\r\n20</p><img src=3D\"cid:a@x\">\r\n--r\r\n\
        Content-Type: image/png\r\nContent-ID: <a@x>\r\nContent-Transfer-Encoding: base64\r\n\r\nUE\r\nsw\r\n--r--\r\n\
        --m\r\nContent-Disposition: attachment; filename=\"a.xlsx\"\r\n\
        Content-Type: application/vnd.openxmlformats-officedocument.spreadsheetml.sheet\r\n\
        Content-Transfer-Encoding: base64\r\n\r\nUEsDBA==\r\n--m--\r\n";

    #[test]
    fn a_mail_falls_into_its_parts() {
        let parts = parts(MAIL.as_bytes());
        let types: Vec<&str> = parts.iter().map(|part| part.media_type.as_str()).collect();
        assert_eq!(
            types,
            [
                "text/html",
                "image/png",
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
            ]
        );
        let book = workbook(&parts).unwrap();
        assert_eq!(
            (book.file_name.as_deref(), book.bytes.as_slice()),
            (Some("a.xlsx"), b"PK\x03\x04".as_slice())
        );
        assert_eq!(
            page(&parts).unwrap().trim_end(),
            "<p>red · 20</p><img src=\"data:image/png;base64,UEsw\">"
        );
        assert_eq!(super::parts(b"no parts").len(), 1);
        assert!(workbook(&super::parts(b"no parts")).is_none());
    }
}
