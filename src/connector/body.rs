//! Bodies of requests: JSON, forms, text, SOAP around JSON, GraphQL.

use serde_json::{Map, Value as Json};

use super::Bound;
use super::definition::{Call, Fields, Soap};
use super::request::percent;
use super::template::{Carried, Filling, Places, Template};

/// A body before it is written down, so that authorisation and signatures can still be put in.
#[derive(Clone)]
pub(super) enum Content {
    None,
    Json(Json),
    Form(Vec<(String, String)>),
    Text { text: String, kind: String },
}

const SOAP_ENVELOPE: &str = "http://schemas.xmlsoap.org/soap/envelope/";

impl Content {
    /// The body as it is sent.
    pub fn text(&self) -> String {
        match self {
            Self::None => String::new(),
            Self::Json(json) => json.to_string(),
            Self::Form(fields) => form(fields),
            Self::Text { text, .. } => text.clone(),
        }
    }

    /// Adds the content type, unless the call says one.
    pub fn write(self, headers: &mut Vec<(String, String)>) -> Option<Vec<u8>> {
        let kind = match &self {
            Self::None => return None,
            Self::Json(_) => "application/json",
            Self::Form(_) => "application/x-www-form-urlencoded",
            Self::Text { kind, .. } => kind,
        };
        if !headers.iter().any(|(name, _)| name == "content-type") {
            headers.push(("content-type".to_owned(), kind.to_owned()));
        }
        Some(self.text().into_bytes())
    }

    /// Puts fields into a JSON body, before its own; objects are merged, and the call's own values stay. Other bodies
    /// take the texts that a form can hold.
    pub fn merge_below(&mut self, below: Json) {
        match self {
            Self::None => *self = Self::Json(below),
            Self::Json(own) => {
                let above = std::mem::replace(own, below);
                merge(own, above);
            }
            Self::Form(fields) => {
                let Json::Object(below) = below else { return };
                let own = std::mem::take(fields);
                fields.extend(
                    below
                        .into_iter()
                        .filter(|(name, _)| own.iter().all(|(known, _)| known != name))
                        .map(|(name, value)| (name, plain(&value))),
                );
                fields.extend(own);
            }
            Self::Text { .. } => {}
        }
    }

    /// Puts a text at a dotted path.
    ///
    /// # Errors
    /// When there is no such place.
    pub fn put(&mut self, path: &str, value: String) -> Result<(), String> {
        match self {
            Self::None => *self = Self::Json(Json::Object(Map::new())),
            Self::Json(_) | Self::Form(_) => {}
            Self::Text { .. } => return Err(format!("`body.{path}` has no place in a text body")),
        }
        match self {
            Self::Form(fields) => {
                fields.retain(|(name, _)| name != path);
                fields.push((path.to_owned(), value));
            }
            Self::Json(json) => {
                let mut at = json;
                for name in path.split('.') {
                    let Json::Object(fields) = at else {
                        return Err(format!(
                            "`body.{path}` has no place: something on its way is no object"
                        ));
                    };
                    at = fields.entry(name).or_insert_with(|| Json::Object(Map::new()));
                }
                *at = Json::String(value);
            }
            Self::None | Self::Text { .. } => {}
        }
        Ok(())
    }

    /// The value at a dotted path of the body.
    pub fn get(&self, path: &str) -> Option<Json> {
        match self {
            Self::Json(json) => path.split('.').try_fold(json, |at, name| at.get(name)).cloned(),
            Self::Form(fields) => fields
                .iter()
                .find(|(name, _)| name == path)
                .map(|(_, value)| Json::String(value.clone())),
            Self::None | Self::Text { .. } => None,
        }
    }
}

fn merge(own: &mut Json, above: Json) {
    match (own, above) {
        (Json::Object(own), Json::Object(above)) => {
            for (name, value) in above {
                match own.get_mut(&name) {
                    Some(there) => merge(there, value),
                    None => {
                        own.insert(name, value);
                    }
                }
            }
        }
        (own, above) => *own = above,
    }
}

/// A scalar as a form writes it; anything else as JSON.
fn plain(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn form(fields: &[(String, String)]) -> String {
    let pairs: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{}={}", percent(name), percent(value)))
        .collect();
    pairs.join("&")
}

impl Bound {
    pub(super) fn content(&self, call: &Call, places: &Places) -> Result<Content, String> {
        if let Some(extra) = &call.soap {
            let soap = self.definition.file.soap.as_ref();
            let soap = soap.ok_or_else(|| "`[soap]` is not said".to_owned())?;
            return self.soap(soap, extra, call.body.as_ref(), places);
        }
        if let Some(graphql) = &call.graphql {
            let mut body = Map::new();
            body.insert("query".to_owned(), Json::from(graphql.query.get_ref().as_str()));
            if let Some(variables) = &graphql.variables {
                body.insert("variables".to_owned(), self.json(variables, places)?);
            }
            return Ok(Content::Json(Json::Object(body)));
        }
        if let Some(fields) = &call.form {
            return Ok(Content::Form(self.fields(fields, places)?));
        }
        if let Some(text) = &call.text {
            let kind = call
                .content_type
                .as_deref()
                .unwrap_or("text/plain; charset=utf-8");
            let escape = if kind.contains("xml") { xml } else { str::to_owned };
            let template = Template::parse(text.get_ref())?;
            return Ok(Content::Text {
                text: self.given.fill_escaped(&template, places, escape)?,
                kind: kind.to_owned(),
            });
        }
        match &call.body {
            Some(body) => Ok(Content::Json(self.json(body, places)?)),
            None => Ok(Content::None),
        }
    }

    /// JSON with its texts filled in. A text that is one place takes the place's type.
    pub(super) fn json(&self, body: &Json, places: &Places) -> Result<Json, String> {
        Ok(match body {
            Json::String(text) => {
                let template = Template::parse(text)?;
                match template.single_place().and_then(|name| places.get(name)) {
                    Some(Filling::Int(value)) if template.carried() == Carried::Text => {
                        Json::from(value.to_string())
                    }
                    Some(Filling::Int(value)) => Json::from(*value),
                    Some(Filling::Text(text)) if template.carried() == Carried::Int => {
                        let number: Result<i64, _> = text.parse();
                        Json::from(number.map_err(|_| format!("`{text}` for `{body}` is no whole number"))?)
                    }
                    Some(Filling::Text(text)) if template.carried() == Carried::Number => {
                        let number: Result<serde_json::Number, _> = text.parse();
                        Json::from(number.map_err(|_| format!("`{text}` for `{body}` is no number"))?)
                    }
                    // The first page of all has no token.
                    Some(Filling::Text(token)) if token.is_empty() && text == "{token}" => Json::Null,
                    _ => Json::String(self.given.fill(&template, places, str::to_owned)?),
                }
            }
            Json::Array(items) => Json::Array(
                items
                    .iter()
                    .map(|item| self.json(item, places))
                    .collect::<Result<_, _>>()?,
            ),
            Json::Object(fields) if fields.contains_key("for_each") => self.repeated(fields, places)?,
            Json::Object(fields) => Json::Object(
                fields
                    .iter()
                    .map(|(name, value)| Ok((name.clone(), self.json(value, places)?)))
                    .collect::<Result<_, String>>()?,
            ),
            Json::Null | Json::Bool(_) | Json::Number(_) => body.clone(),
        })
    }

    /// `{ for_each = "cartons", put = … }`: a list with one `put` per item.
    fn repeated(&self, fields: &Map<String, Json>, places: &Places) -> Result<Json, String> {
        let name = fields.get("for_each").and_then(Json::as_str).unwrap_or_default();
        let Some(Filling::List(items)) = places.get(name) else {
            return Err(format!("`for_each`: there is no list `{name}` here"));
        };
        let put = fields.get("put").unwrap_or(&Json::Null);
        items
            .iter()
            .map(|item| self.json(put, &places.with(item)))
            .collect()
    }

    fn soap(
        &self,
        soap: &Soap,
        extra: &Fields,
        json: Option<&Json>,
        places: &Places,
    ) -> Result<Content, String> {
        let mut places = places.clone();
        if let Some(json) = json {
            let json = self.json(json, &places)?;
            places.text("json", json.to_string());
        }
        let mut fields = self.fields(&soap.fields, &places)?;
        fields.extend(self.fields(extra, &places)?);
        let fields: String = fields
            .iter()
            .map(|(name, value)| format!("<{name}>{}</{name}>", xml(value)))
            .collect();
        let operation = &soap.operation;
        Ok(Content::Text {
            text: format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?><SOAP-ENV:Envelope xmlns:SOAP-ENV=\"{SOAP_ENVELOPE}\" \
                 xmlns:ns1=\"{}\"><SOAP-ENV:Body><ns1:{operation}>{fields}</ns1:{operation}></SOAP-ENV:Body>\
                 </SOAP-ENV:Envelope>",
                xml(&soap.namespace)
            ),
            kind: "text/xml; charset=utf-8".to_owned(),
        })
    }
}

/// A text inside an XML element or attribute. What XML cannot hold is left away.
fn xml(text: &str) -> String {
    text.chars()
        .fold(String::with_capacity(text.len()), |mut out, sign| {
            match sign {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '"' => out.push_str("&quot;"),
                '\r' => out.push_str("&#13;"),
                '\n' | '\t' => out.push(sign),
                sign if sign.is_control() || matches!(sign, '\u{fffe}' | '\u{ffff}') => {}
                sign => out.push(sign),
            }
            out
        })
}
