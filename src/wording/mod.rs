//! Every text a person reads, in Simplified Chinese and English, from one catalogue (R81).
//!
//! One TOML file per area; a key holds both languages. A missing translation falls back to English and fails a test.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Default)]
pub enum Lang {
    #[default]
    #[serde(rename = "zh-CN")]
    Zh,
    #[serde(rename = "en")]
    En,
}

impl Lang {
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Zh => "zh-CN",
            Self::En => "en",
        }
    }
}

#[derive(Debug, Deserialize)]
struct Entry {
    zh: Option<String>,
    en: Option<String>,
}

type Catalogue = BTreeMap<String, Entry>;

const FILES: [(&str, &str); 15] = [
    ("gate", include_str!("gate.toml")),
    ("cash", include_str!("cash.toml")),
    ("pack", include_str!("pack.toml")),
    ("plan", include_str!("plan.toml")),
    ("mail", include_str!("mail.toml")),
    ("documents", include_str!("documents.toml")),
    ("receipts", include_str!("receipts.toml")),
    ("differences", include_str!("differences.toml")),
    ("claim", include_str!("claim.toml")),
    ("cli", include_str!("cli.toml")),
    ("work", include_str!("work.toml")),
    ("web", include_str!("web.toml")),
    ("connector", include_str!("connector.toml")),
    ("backtest", include_str!("backtest.toml")),
    ("deadline", include_str!("deadline.toml")),
];

static CATALOGUE: LazyLock<Result<Catalogue, String>> = LazyLock::new(load);

/// Keys are `<file>.<key>`; keys in a file are written flat and quoted: `"reason.due" = { zh = "…", en = "…" }`.
fn load() -> Result<Catalogue, String> {
    let mut all = Catalogue::new();
    for (area, text) in FILES {
        let part: Catalogue = toml::from_str(text).map_err(|error| format!("{area}.toml: {error}"))?;
        all.extend(
            part.into_iter()
                .map(|(key, entry)| (format!("{area}.{key}"), entry)),
        );
    }
    Ok(all)
}

/// The text of a key with `{name}` places filled in. An unknown key shows itself, so that it is seen.
#[must_use]
pub fn text(lang: Lang, key: &str, places: &[(&str, &str)]) -> String {
    let template = CATALOGUE
        .as_ref()
        .ok()
        .and_then(|all| all.get(key))
        .and_then(|entry| match lang {
            Lang::Zh => entry.zh.as_ref().or(entry.en.as_ref()),
            Lang::En => entry.en.as_ref(),
        });
    let Some(template) = template else {
        return format!("[{key}]");
    };
    let mut out = template.clone();
    for (name, value) in places {
        out = out.replace(&format!("{{{name}}}"), value);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_both_languages_and_the_same_places() {
        let all = load().unwrap();
        let places = |text: &str| {
            let mut found: Vec<String> = text
                .split('{')
                .skip(1)
                .filter_map(|rest| rest.split_once('}').map(|(name, _)| name.to_owned()))
                .collect();
            found.sort();
            found.dedup();
            found
        };
        for (key, entry) in &all {
            let zh = entry.zh.as_deref().unwrap_or_default();
            let en = entry.en.as_deref().unwrap_or_default();
            assert!(!zh.is_empty() && !en.is_empty(), "`{key}` lacks a language");
            assert_eq!(places(zh), places(en), "`{key}` fills different places");
        }
    }

    /// Every key that stands as a literal in a call that shows it.
    #[test]
    fn every_key_that_the_program_names_is_there() {
        let all = load().unwrap();
        let mut folders = vec![std::path::PathBuf::from(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/src"
        ))];
        let mut named = 0;
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                if path.extension().is_none_or(|ending| ending != "rs") {
                    continue;
                }
                let source = std::fs::read_to_string(&path).unwrap();
                let source = source.split_whitespace().collect::<Vec<_>>().join(" ");
                for call in ["text(", "fill("] {
                    for (at, _) in source.match_indices(call) {
                        let call = source[at + call.len()..].trim_start();
                        let Some((_, rest)) = call.split_once("lang, \"").filter(|(head, _)| {
                            head.chars()
                                .all(|sign| sign.is_ascii_alphabetic() || ".&".contains(sign))
                        }) else {
                            continue;
                        };
                        let key = rest.split('"').next().unwrap_or_default();
                        let ours = FILES.iter().any(|(area, _)| key.starts_with(&format!("{area}.")));
                        if ours && !key.contains('{') {
                            named += 1;
                            assert!(all.contains_key(key), "{}: `{key}`", path.display());
                        }
                    }
                }
            }
        }
        assert!(named > 50, "{named}");
    }

    #[test]
    fn an_unknown_key_shows_itself() {
        assert_eq!(text(Lang::En, "no.such", &[]), "[no.such]");
    }
}
