//! Holds the resources of a merged template to the table of [`super::resource_types`]: properties
//! are a plain map of what the type may have, what names something names this cluster's own or what
//! its request grants.

use serde_json::{Map, Value};

use super::references::{ReferenceWalk, ValuePosition};
use super::resource_types::{LARGEST_NUMBER, PropertyRule, TypeRule, ValueGrant, ValueRule};

impl ReferenceWalk<'_> {
    /// The properties of a resource whose type plugins may add.
    pub(super) fn check_properties(&mut self, rule: &TypeRule, body: &Value) {
        let none = Map::new();
        let properties = match body.get("properties") {
            None => &none,
            Some(Value::Object(properties)) => properties,
            Some(_) => return self.report("`properties` must be a map, written out".to_owned()),
        };
        self.check_map("properties", rule.properties, properties);
    }

    fn check_map(&mut self, place: &str, rules: &[PropertyRule], map: &Map<String, Value>) {
        for (name, value) in map {
            match rules.iter().find(|rule| rule.name == name) {
                Some(rule) => self.check_held(&format!("{place}.{name}"), rule.holds, value),
                None => {
                    let known: Vec<&str> = rules.iter().map(|rule| rule.name).collect();
                    self.report(format!(
                        "`{place}` has `{}`; it may have: {}",
                        shorten(name),
                        known.join(", ")
                    ));
                }
            }
        }
        for rule in rules {
            if rule.needed && !map.contains_key(rule.name) {
                self.report(format!("`{place}` lacks `{}`", rule.name));
            }
        }
    }

    fn check_held(&mut self, place: &str, rule: ValueRule, value: &Value) {
        match (rule, value) {
            (ValueRule::Data, _) => self.check_value(value, ValuePosition::Shown),
            (ValueRule::NodeData, _) => self.check_value(value, ValuePosition::Nodes),
            (ValueRule::Texts, Value::Object(texts)) if !super::references::is_function(texts) => {
                for text in texts.values() {
                    self.check_value(text, ValuePosition::Shown);
                }
            }
            (ValueRule::Texts | ValueRule::Map(_), _) if !value.is_object() => {
                self.report(format!("`{place}` must be a map, written out"));
            }
            (ValueRule::Texts, _) => self.report(format!("`{place}` must be a map, written out")),
            (ValueRule::Map(rules), _) => {
                if let Some(map) = value.as_object() {
                    self.check_map(place, rules, map);
                }
            }
            (ValueRule::List(rule), Value::Array(items)) if !items.is_empty() => {
                for item in items {
                    self.check_held(place, *rule, item);
                }
            }
            (ValueRule::List(_), _) => {
                self.report(format!(
                    "`{place}` must be a list, written out and not empty"
                ));
            }
            (ValueRule::Word(words), _) => {
                if !value.as_str().is_some_and(|text| words.contains(&text)) {
                    self.report(format!(
                        "`{place}` must be {}, written out",
                        words.join(" or ")
                    ));
                }
            }
            (ValueRule::Number, _) => {
                if value.as_u64().is_none_or(|number| number > LARGEST_NUMBER) {
                    self.report(format!(
                        "`{place}` must be a whole number from 0 to {LARGEST_NUMBER}, written out"
                    ));
                }
            }
            (ValueRule::Name, _) => self.check_own_name(place, value),
            (ValueRule::Own(kind), _) => {
                if !self.is_own(kind, value) {
                    self.report(format!(
                        "`{place}` must be get_resource of a {kind} of this template"
                    ));
                }
            }
            (ValueRule::OwnOrSetting(kind), _) => {
                if !self.is_own(kind, value) && !self.is_granted(ValueGrant::Setting, value) {
                    self.report(format!(
                        "`{place}` must be get_resource of a {kind} of this template, or a text that the user gave as a setting of the plugin"
                    ));
                }
            }
            (ValueRule::Granted(grant), _) => {
                let possible = self.possible_values(value);
                if !possible.is_some_and(|all| all.iter().all(|one| self.is_granted(grant, one))) {
                    self.report(format!("`{place}` must be {}", describe_grant(grant)));
                }
            }
        }
    }

    fn check_own_name(&mut self, place: &str, value: &Value) {
        let cluster = self.part.grants.cluster;
        let own = value
            .as_str()
            .and_then(|name| name.strip_prefix(cluster))
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
        if !own {
            self.report(format!(
                "`{place}` must be a text, written out, that begins with the cluster's name `{cluster}`"
            ));
        }
    }

    /// Whether it is `get_resource` of a resource of that type.
    fn is_own(&self, kind: &str, value: &Value) -> bool {
        value
            .as_object()
            .filter(|map| map.len() == 1)
            .and_then(|map| map.get("get_resource")?.as_str())
            .is_some_and(|name| self.type_of(name) == Some(kind))
    }

    /// All that a value may come to; `None` where that cannot be said.
    fn possible_values<'v>(&'v self, value: &'v Value) -> Option<Vec<&'v Value>> {
        let Value::Object(map) = value else {
            return (!value.is_array()).then(|| vec![value]);
        };
        let (function, argument) = map.iter().next().filter(|_| map.len() == 1)?;
        match (function.as_str(), argument) {
            ("get_param", Value::String(name)) => {
                let default = self.template.get("parameters")?.get(name)?.get("default")?;
                (!default.is_array() && !default.is_object()).then(|| vec![default])
            }
            ("if", Value::Array(parts)) => {
                let [_, then, otherwise] = parts.as_slice() else {
                    return None;
                };
                let mut all = self.possible_values(then)?;
                all.extend(self.possible_values(otherwise)?);
                Some(all)
            }
            _ => None,
        }
    }

    fn is_granted(&self, grant: ValueGrant, value: &Value) -> bool {
        let grants = &self.part.grants;
        let text = value.as_str();
        let is = |granted: &str| text == Some(granted);
        match grant {
            ValueGrant::Image => grants.groups.iter().any(|group| is(&group.image)),
            ValueGrant::Flavor => grants.groups.iter().any(|group| is(&group.flavor.name)),
            ValueGrant::Key => value.is_null() || is("") || grants.key.is_some_and(is),
            ValueGrant::ExternalNetwork => grants.external_network.is_some_and(is),
            ValueGrant::Cidr => is(grants.cidr),
            ValueGrant::NodeAddress => {
                let mut nodes = grants.groups.iter().flat_map(|group| &group.nodes);
                nodes.any(|node| is(&node.address))
            }
            ValueGrant::SignalTransport => is(grants.signal_transport),
            ValueGrant::Setting => text.is_some_and(|text| self.is_setting(text)),
        }
    }

    /// Whether a user said it: a default, and what the plugin has computed, is the plugin's own
    /// word.
    fn is_setting(&self, text: &str) -> bool {
        let is_it = |value: &&Value| {
            let listed = value.as_array().into_iter().flatten();
            **value == text || listed.into_iter().any(|one| one == text)
        };
        self.part.grants.settings.iter().any(is_it)
    }
}

fn describe_grant(grant: ValueGrant) -> &'static str {
    match grant {
        ValueGrant::Image => "the image that the request names for a node group",
        ValueGrant::Flavor => "the flavor that the request names for a node group",
        ValueGrant::Key => "the request's key pair, or none",
        ValueGrant::ExternalNetwork => "the request's external network",
        ValueGrant::Cidr => "the request's network.cidr",
        ValueGrant::NodeAddress => "the address of a node",
        ValueGrant::SignalTransport => "the request's signal_transport",
        ValueGrant::Setting => "a text that the user gave as a setting of the plugin",
    }
}

/// The beginning of a text that a plugin wrote.
fn shorten(text: &str) -> String {
    text.chars().take(40).collect()
}
