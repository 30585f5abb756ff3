//! Checks of requests with an effect.

use serde_json::Value as Json;

use super::Check;
use crate::connector::definition::{CursorKind, RecordKind, Text, Write};
use crate::connector::path::Path;
use crate::connector::write::{LISTS, PLACES};
use crate::problem::nearest;

const GOODS_ID: &str = "{goods_id";

impl Check<'_> {
    pub(super) fn write(&mut self, name: &str, write: &Write) {
        let field = |part: &str| format!("write.{name}{part}");
        self.extra = &PLACES;
        self.call(&field(".request"), &write.request);
        self.extra = &[];
        if let Some(body) = &write.request.body {
            self.lists(&field(".request.body"), body);
        }
        for place in write.words.keys() {
            if !PLACES.contains(&place.as_str()) {
                let wanted = nearest(place, PLACES.iter().copied()).map_or_else(
                    || "a place of an order".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                );
                self.say(None, &field(".words"), place, wanted);
            }
        }
        self.path_of(&field(".number"), &write.number);
        for path in write
            .faults
            .iter()
            .flat_map(|faults| {
                [
                    faults.at.as_ref(),
                    faults.sku.as_ref(),
                    faults.field.as_ref(),
                    faults.text.as_ref(),
                ]
            })
            .flatten()
        {
            self.path_of(&field(".faults"), path);
        }
        let file = self.file;
        if let Some(ids) = &write.ids {
            let codes = file
                .stream
                .iter()
                .filter(|(_, stream)| stream.record == RecordKind::Code);
            let known: Vec<&str> = codes.map(|(name, _)| name.as_str()).collect();
            self.name_in(ids, &field(".ids"), known.iter().copied());
        }
        let body = write.request.body.as_ref();
        if write.ids.is_none() && body.is_some_and(|body| body.to_string().contains(GOODS_ID)) {
            let wanted = "`ids`: the stream of codes that it comes from";
            self.say(None, &field(".request.body"), GOODS_ID, wanted);
        }
        if let Some(find) = &write.find {
            let good = |name: &&String| {
                file.stream.get(*name).is_some_and(|stream| {
                    stream.record == RecordKind::Inbound
                        && stream.parent.is_none()
                        && stream.map.contains_key("reference")
                        && stream
                            .cursor
                            .as_ref()
                            .is_some_and(|cursor| cursor.kind == CursorKind::Window)
                })
            };
            let known: Vec<&str> = file.stream.keys().filter(good).map(String::as_str).collect();
            self.name_in(&find.stream, &field(".find.stream"), known.iter().copied());
        }
    }

    fn path_of(&mut self, field: &str, path: &Text) {
        if let Err(why) = Path::parse(path.get_ref()) {
            self.say(Some(path), field, path.get_ref(), why);
        }
    }

    fn lists(&mut self, field: &str, body: &Json) {
        match body {
            Json::Array(items) => items.iter().for_each(|item| self.lists(field, item)),
            Json::Object(fields) => {
                if let Some(list) = fields.get("for_each") {
                    let list = list.as_str().unwrap_or_default();
                    if !LISTS.contains(&list) || !fields.contains_key("put") || fields.len() != 2 {
                        let wanted = "`for_each` one of lines, cartons, contents, and `put` beside it";
                        self.say(None, field, list, wanted);
                    }
                }
                fields.values().for_each(|item| self.lists(field, item));
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
        }
    }
}
