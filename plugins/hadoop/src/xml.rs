//! Hadoop's configuration files: named values in XML, escaped so that each arrives exactly as it
//! is. It knows no property.

use std::fmt::Write as _;

/// The properties of one file, in the order in which they were first set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteProperties(Vec<(String, String)>);

impl SiteProperties {
    /// Sets a property, in place of what it was.
    pub fn set(&mut self, name: impl Into<String>, value: impl ToString) -> &mut Self {
        let (name, value) = (name.into(), value.to_string());
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some(entry) => entry.1 = value,
            None => self.0.push((name, value)),
        }
        self
    }

    /// What a property is set to.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The file's text.
    pub fn to_xml(&self) -> String {
        let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<configuration>\n");
        for (name, value) in &self.0 {
            // writing to a String does not fail
            let _ = writeln!(
                xml,
                "<property><name>{}</name><value>{}</value></property>",
                escape(name),
                escape(value)
            );
        }
        xml.push_str("</configuration>\n");
        xml
    }
}

/// Whether XML 1.0 and Hadoop's reader carry the text unchanged: no control characters, which
/// includes newlines and tabs, and no noncharacters.
pub fn is_expressible(text: &str) -> bool {
    !text
        .chars()
        .any(|c| c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}'))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn unescape(text: &str) -> String {
        text.replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&")
    }

    #[test]
    fn a_property_set_twice_keeps_its_place_and_the_last_value() {
        let mut properties = SiteProperties::default();
        properties.set("a", 1).set("b", "x").set("a", 2);
        assert_eq!(
            properties.to_xml(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<configuration>\n<property><name>a</name><value>2</value></property>\n\
             <property><name>b</name><value>x</value></property>\n</configuration>\n"
        );
    }

    #[test]
    fn control_characters_are_not_carried_and_everything_else_is() {
        for bad in [
            "a\nb",
            "\t",
            "\r",
            "\u{0}",
            "\u{1b}[0m",
            "\u{85}",
            "\u{ffff}",
        ] {
            assert!(!is_expressible(bad), "{bad:?}");
        }
        for good in ["", " x ", "it's \"$(id)\" `x` # ${y} <a/> & ]]> é 漢 🐘"] {
            assert!(is_expressible(good), "{good:?}");
        }
    }

    proptest! {
        #[test]
        fn a_value_stands_alone_in_its_element_and_comes_back(value in "\\PC*") {
            let mut properties = SiteProperties::default();
            properties.set("name", &value);
            let xml = properties.to_xml();
            let inner = xml.split("<value>").nth(1).and_then(|rest| rest.split("</value>").next()).unwrap_or_default();
            prop_assert!(!inner.contains('<') && !inner.contains('>'));
            prop_assert_eq!(unescape(inner), value);
        }
    }
}
