//! Pure. The settings of clouds.yaml as a tree: scalars as they are written, maps in the order of
//! the file. Where YAML says that a scalar is a number or a date, it stays the text that the user
//! wrote: a password may be `0123`.

use std::collections::HashMap;

use granit_parser::{Event, Marker, Parser, ScalarStyle, ScanError};

/// Values of one file, those that aliases repeat included; more is no clouds.yaml but an attack.
const VALUES: usize = 100_000;

/// A value of clouds.yaml.
#[derive(Clone)]
pub(super) enum SettingValue {
    /// Quoted or not: `"no"` is a text, `no` is false.
    Scalar {
        text: String,
        is_plain: bool,
    },
    List(Vec<SettingValue>),
    Map(SettingMap),
}

impl SettingValue {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Scalar {
            text: text.into(),
            is_plain: false,
        }
    }

    /// Whether nothing, or YAML's null, stands here.
    pub(super) fn is_null(&self) -> bool {
        matches!(self, Self::Scalar { text, is_plain: true }
            if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }

    /// YAML 1.1's true and false, as the `openstack` client's parser has them.
    pub(super) fn as_bool(&self) -> Option<bool> {
        let Self::Scalar {
            text,
            is_plain: true,
        } = self
        else {
            return None;
        };
        let all_or_first_upper = [text.to_ascii_lowercase(), text.to_ascii_uppercase()];
        let first = text.chars().next().map(|c| c.to_ascii_uppercase());
        let capital = first.map(|c| {
            format!(
                "{c}{}",
                text.to_ascii_lowercase().get(1..).unwrap_or_default()
            )
        });
        if !all_or_first_upper.contains(text) && capital.as_ref() != Some(text) {
            return None;
        }
        match all_or_first_upper[0].as_str() {
            "true" | "yes" | "on" => Some(true),
            "false" | "no" | "off" => Some(false),
            _ => None,
        }
    }

    /// The text of a scalar that is not null.
    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Scalar { text, .. } if !self.is_null() => Some(text),
            _ => None,
        }
    }

    pub(super) fn as_map(&self) -> Option<&SettingMap> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    fn count(&self) -> usize {
        match self {
            Self::Scalar { .. } => 1,
            Self::List(list) => 1 + list.iter().map(Self::count).sum::<usize>(),
            Self::Map(map) => 1 + map.iter().map(|(_, value)| value.count()).sum::<usize>(),
        }
    }
}

/// Keys and values in their order. A key that is set again keeps its place.
#[derive(Clone, Default)]
pub(super) struct SettingMap(Vec<(String, SettingValue)>);

impl SettingMap {
    pub(super) fn get(&self, key: &str) -> Option<&SettingValue> {
        self.0
            .iter()
            .find(|(k, _)| k == key)
            .map(|(_, value)| value)
    }

    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut SettingValue> {
        self.0
            .iter_mut()
            .find(|(k, _)| k == key)
            .map(|(_, value)| value)
    }

    /// The text of `key`; `None` where there is none, or an empty one.
    pub(super) fn get_text(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_text().filter(|text| !text.is_empty())
    }

    pub(super) fn set(&mut self, key: &str, value: SettingValue) {
        match self.get_mut(key) {
            Some(old) => *old = value,
            None => self.0.push((key.to_owned(), value)),
        }
    }

    pub(super) fn remove(&mut self, key: &str) -> Option<SettingValue> {
        let at = self.0.iter().position(|(k, _)| k == key)?;
        Some(self.0.remove(at).1)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &SettingValue)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    pub(super) fn keys(&self) -> Vec<&str> {
        self.0.iter().map(|(key, _)| key.as_str()).collect()
    }

    /// Takes all of `other`, whose scalars and lists replace ours and whose maps go into ours.
    pub(super) fn merge_deep(&mut self, other: Self) {
        for (key, value) in other.0 {
            match (self.get_mut(&key), value) {
                (Some(SettingValue::Map(old)), SettingValue::Map(new)) => old.merge_deep(new),
                (_, value) => self.set(&key, value),
            }
        }
    }

    /// With `_` in place of `-` in all keys; of two that become one, the later one counts.
    pub(super) fn with_underscores(&self) -> Self {
        let mut out = Self::default();
        for (key, value) in &self.0 {
            let value = match value {
                SettingValue::Map(map) => SettingValue::Map(map.with_underscores()),
                other => other.clone(),
            };
            out.set(&key.replace('-', "_"), value);
        }
        out
    }
}

/// Why a text is no settings, and where: line and column.
pub(super) struct SettingSyntaxError {
    pub(super) line: usize,
    pub(super) column: usize,
}

impl From<&Marker> for SettingSyntaxError {
    fn from(at: &Marker) -> Self {
        Self {
            line: at.line(),
            column: at.col() + 1,
        }
    }
}

impl From<ScanError> for SettingSyntaxError {
    /// The parser's words are left out: they may quote a password.
    fn from(error: ScanError) -> Self {
        error.marker().into()
    }
}

/// Reads one document of YAML 1.1 with anchors and merge keys.
pub(super) fn parse_yaml(text: &str) -> Result<SettingValue, SettingSyntaxError> {
    let mut builder = TreeBuilder::default();
    for next in Parser::new_from_str(text) {
        let (event, span) = next?;
        builder
            .take(event)
            .ok_or_else(|| SettingSyntaxError::from(&span.start))?;
    }
    Ok(builder.root.unwrap_or(SettingValue::Scalar {
        text: String::new(),
        is_plain: true,
    }))
}

/// Reads JSON.
pub(super) fn parse_json(text: &str) -> Result<SettingValue, SettingSyntaxError> {
    let json = serde_json::from_str(text).map_err(|error| SettingSyntaxError {
        line: error.line(),
        column: error.column(),
    })?;
    Ok(from_json(json))
}

fn from_json(json: serde_json::Value) -> SettingValue {
    use serde_json::Value;
    match json {
        Value::String(text) => SettingValue::text(text),
        Value::Array(list) => SettingValue::List(list.into_iter().map(from_json).collect()),
        Value::Object(map) => SettingValue::Map(SettingMap(
            map.into_iter()
                .map(|(key, value)| (key, from_json(value)))
                .collect(),
        )),
        other => SettingValue::Scalar {
            text: other.to_string(),
            is_plain: true,
        },
    }
}

/// A list or map of which not all is read yet.
struct OpenNode {
    anchor: usize,
    content: OpenContent,
}

enum OpenContent {
    List(Vec<SettingValue>),
    Map {
        /// What `<<` brings: it stands before the map's own keys, which win.
        merged: Vec<(String, SettingValue)>,
        own: Vec<(String, SettingValue)>,
        key: Option<String>,
        is_merge: bool,
    },
}

#[derive(Default)]
struct TreeBuilder {
    open: Vec<OpenNode>,
    anchors: HashMap<usize, SettingValue>,
    values: usize,
    has_document: bool,
    root: Option<SettingValue>,
}

impl TreeBuilder {
    /// `None` where the event does not fit.
    fn take(&mut self, event: Event<'_>) -> Option<()> {
        match event {
            Event::DocumentStart(..) => {
                let is_second = std::mem::replace(&mut self.has_document, true);
                (!is_second).then_some(())
            }
            Event::Scalar(text, style, anchor, tag) => {
                let value = SettingValue::Scalar {
                    text: text.into_owned(),
                    is_plain: style == ScalarStyle::Plain && tag.is_none(),
                };
                self.count(1)?;
                self.close(anchor, value)
            }
            Event::Alias(anchor) => {
                let value = self.anchors.get(&anchor)?;
                self.values += value.count();
                let value = value.clone();
                self.count(0)?;
                self.close(0, value)
            }
            Event::SequenceStart(_, anchor, _) => self.open(anchor, OpenContent::List(Vec::new())),
            Event::MappingStart(_, anchor, _) => {
                let content = OpenContent::Map {
                    merged: Vec::new(),
                    own: Vec::new(),
                    key: None,
                    is_merge: false,
                };
                self.open(anchor, content)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let OpenNode { anchor, content } = self.open.pop()?;
                let value = match content {
                    OpenContent::List(list) => SettingValue::List(list),
                    OpenContent::Map { merged, own, .. } => {
                        let mut map = SettingMap::default();
                        for (key, value) in merged.into_iter().chain(own) {
                            map.set(&key, value);
                        }
                        SettingValue::Map(map)
                    }
                };
                self.close(anchor, value)
            }
            _ => Some(()),
        }
    }

    fn open(&mut self, anchor: usize, content: OpenContent) -> Option<()> {
        // A list or map as a key is no name of a setting.
        if let Some(OpenNode {
            content:
                OpenContent::Map {
                    key: None,
                    is_merge: false,
                    ..
                },
            ..
        }) = self.open.last()
        {
            return None;
        }
        self.open.push(OpenNode { anchor, content });
        self.count(1)
    }

    /// `None` above the limit.
    fn count(&mut self, more: usize) -> Option<()> {
        self.values += more;
        (self.values <= VALUES).then_some(())
    }

    fn close(&mut self, anchor: usize, value: SettingValue) -> Option<()> {
        if anchor != 0 {
            self.anchors.insert(anchor, value.clone());
        }
        match self.open.last_mut().map(|node| &mut node.content) {
            None => self.root = Some(value),
            Some(OpenContent::List(list)) => list.push(value),
            Some(OpenContent::Map {
                merged,
                own,
                key,
                is_merge,
            }) => {
                if std::mem::take(is_merge) {
                    merged.splice(0..0, merged_pairs(value)?);
                } else if let Some(key) = key.take() {
                    own.push((key, value));
                } else if let SettingValue::Scalar { text, is_plain } = value {
                    *is_merge = is_plain && text == "<<";
                    if !*is_merge {
                        *key = Some(text);
                    }
                } else {
                    return None;
                }
            }
        }
        Some(())
    }
}

/// What `<<` of this value brings: one map, or several of which the first wins.
fn merged_pairs(value: SettingValue) -> Option<Vec<(String, SettingValue)>> {
    match value {
        SettingValue::Map(map) => Some(map.0),
        SettingValue::List(maps) => {
            let mut pairs = Vec::new();
            for map in maps.into_iter().rev() {
                let SettingValue::Map(map) = map else {
                    return None;
                };
                pairs.extend(map.0);
            }
            Some(pairs)
        }
        SettingValue::Scalar { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> SettingMap {
        let Ok(SettingValue::Map(map)) = parse_yaml(text) else {
            panic!("a map: {text}")
        };
        map
    }

    #[test]
    fn scalars_stay_as_they_are_written() {
        let map = parse("a: 0123\nb: 'no'\nc: no\nd:\ne: ~\nf: ''\ng: 1.50\nh: ON\ni: oN\n");
        assert_eq!(map.get_text("a"), Some("0123"));
        assert_eq!(map.get_text("g"), Some("1.50"));
        let bools = ["b", "c", "h", "i"].map(|key| map.get(key).and_then(SettingValue::as_bool));
        assert_eq!(bools, [None, Some(false), Some(true), None]);
        let nulls = ["d", "e", "f"].map(|key| map.get(key).is_some_and(SettingValue::is_null));
        assert_eq!(nulls, [true, true, false]);
    }

    #[test]
    fn merge_keys_bring_what_the_map_does_not_say_itself() {
        let map = parse(
            "x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nboth: {<<: [*x, *y], c: 3}\nlate: {c: 0, <<: *y}\nquoted: {'<<': 1}\n",
        );
        let of = |name: &str| {
            let map = map.get(name).and_then(SettingValue::as_map).expect("a map");
            ["a", "b", "c"].map(|key| map.get_text(key).unwrap_or("-").to_owned())
        };
        assert_eq!(of("both"), ["1", "1", "3"]);
        assert_eq!(of("late"), ["-", "2", "0"]);
        let quoted = map.get("quoted").and_then(SettingValue::as_map);
        assert_eq!(quoted.and_then(|map| map.get_text("<<")), Some("1"));
    }

    #[test]
    fn what_is_no_settings_is_refused_with_its_place() {
        for text in [
            "a: [1",
            "? [a]\n: 1",
            "a: {<<: 1}",
            "a: 1\n---\nb: 2\n",
            "a: *nobody",
        ] {
            assert!(parse_yaml(text).is_err(), "{text}");
        }
        let error = parse_yaml("a:\n  b: [1\n").err().expect("refused");
        assert!(error.line >= 2, "{}", error.line);
        assert!(parse_json("{\"a\": ").is_err());
    }

    #[test]
    fn values_up_to_the_limit_are_read_and_one_more_is_not() {
        // The map, its key and the list count too.
        let list = |entries: usize| format!("a: [{}]\n", vec!["x"; entries].join(","));
        assert!(parse_yaml(&list(VALUES - 3)).is_ok());
        assert!(parse_yaml(&list(VALUES - 2)).is_err());
        let bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n";
        assert!(parse_yaml(bomb).is_err(), "aliases multiply");
    }
}
