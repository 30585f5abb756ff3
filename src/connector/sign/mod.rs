//! Signatures, by the names of their canonicalisers. What is signed, with which key and where the signature goes is
//! said by the connector file; here stands only how bytes become a signature.

mod aes_ecb;
mod canonical;

use md5::{Digest as _, Md5};
use serde_json::Value as Json;

use super::definition::{Case, KeyAt, Sign, SignKind, SignedFields};
use super::request::Draft;
use super::template::{Given, Part, Places, Template};
use crate::digest::hex;

/// Signs a request and puts the signature where the rule says.
///
/// # Errors
/// The name of what is missing.
pub(super) fn sign(rule: &Sign, draft: &mut Draft, given: &Given, places: &Places) -> Result<(), String> {
    let key = given.fill(&Template::parse(rule.key.get_ref())?, places, str::to_owned)?;
    let signed = match rule.kind {
        SignKind::Md5Wrap => {
            let parts = parts(rule, draft, given, places)?;
            md5_hex(&match rule.key_at {
                KeyAt::Before => format!("{key}{parts}"),
                KeyAt::After => format!("{parts}{key}"),
                KeyAt::Around => format!("{key}{parts}{key}"),
            })
        }
        SignKind::HmacSortedJson => {
            let parts = parts(rule, draft, given, places)?;
            let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key.as_bytes());
            hex(ring::hmac::sign(&key, parts.as_bytes()).as_ref())
        }
        SignKind::BodyMd5 => {
            let parts = if rule.parts.is_empty() {
                draft.content.text()
            } else {
                parts(rule, draft, given, places)?
            };
            md5_hex(&format!("{}{key}", md5_hex(&parts)))
        }
        SignKind::AesEcbMd5 => {
            let mut fields: Vec<(String, String)> = Vec::new();
            for which in &rule.fields {
                match which {
                    SignedFields::Query => fields.extend(draft.query.iter().cloned()),
                    SignedFields::Body => fields.extend(canonical::fields(&draft.content)),
                }
            }
            let message = md5_hex(&canonical::pairs(fields)).to_ascii_uppercase();
            aes_ecb::base64(&key, &message)?
        }
    };
    let signed = match (rule.kind, rule.case) {
        (SignKind::AesEcbMd5, _) | (_, Case::Lower) => signed,
        (_, Case::Upper) => signed.to_ascii_uppercase(),
    };
    let into = rule.into.get_ref();
    match into.split_once('.') {
        Some(("query", name)) => draft.query.push((name.to_owned(), signed)),
        Some(("header", name)) => draft.headers.push((name.to_ascii_lowercase(), signed)),
        Some(("body", path)) => draft.content.put(path, signed)?,
        _ => return Err(format!("`{into}` is no place for a signature")),
    }
    Ok(())
}

/// The signed text: the parts, one after the other.
fn parts(rule: &Sign, draft: &Draft, given: &Given, places: &Places) -> Result<String, String> {
    let sorted = rule.sorted.unwrap_or(rule.kind == SignKind::HmacSortedJson);
    let mut out = String::new();
    for text in &rule.parts {
        let template = Template::parse(text.get_ref())?;
        let mut places = places.clone();
        for part in template.parts() {
            if let Part::Place(name) = part
                && let Some(value) = of_request(name, draft, sorted)?
            {
                places.text(name, value);
            }
        }
        out.push_str(&given.fill(&template, &places, str::to_owned)?);
    }
    Ok(out)
}

/// A place that the request itself fills; None for the others.
fn of_request(name: &str, draft: &Draft, sorted: bool) -> Result<Option<String>, String> {
    let show = |json: &Json| {
        if sorted {
            canonical::sorted(json)
        } else {
            json.to_string()
        }
    };
    let missing = || format!("`{{{name}}}` is to be signed and not in the request");
    Ok(Some(match name.split_once('.') {
        None => match name {
            "method" => format!("{:?}", draft.method).to_ascii_uppercase(),
            "path" => draft.path.clone(),
            "body" => match &draft.content {
                super::body::Content::Json(json) => show(json),
                other => other.text(),
            },
            _ => return Ok(None),
        },
        Some(("query", name)) => draft
            .query
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.clone())
            .ok_or_else(missing)?,
        Some(("body", path)) => match draft.content.get(path).ok_or_else(missing)? {
            Json::String(text) => text,
            json => show(&json),
        },
        Some(_) => return Ok(None),
    }))
}

fn md5_hex(text: &str) -> String {
    hex(&Md5::digest(text.as_bytes()))
}
