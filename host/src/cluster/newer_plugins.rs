//! What made a cluster and is another by now. Pure.

/// What made a cluster and is another by now, so that an upgrade changes something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewerPlugins {
    /// The plugins, by name.
    pub plugins: Vec<String>,
    /// Whether the frame of its nodes is.
    pub frame: bool,
}

impl NewerPlugins {
    /// In words.
    pub fn sentence(&self) -> String {
        let (words, are) = match (self.plugins.as_slice(), self.frame) {
            ([], _) => ("the frame of its nodes".to_owned(), "is"),
            ([one], false) => (format!("the plugin {one}"), "is"),
            (several, false) => (format!("the plugins {}", several.join(", ")), "are"),
            (several, true) => {
                let plugins = several.join(", ");
                (format!("the frame of its nodes and {plugins}"), "are")
            }
        };
        let another = if are == "is" { "another" } else { "others" };
        format!("{words} {are} {another} by now than when it was made")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_says_what_is_another_by_now() {
        let said = |plugins: &[&str], frame| {
            let plugins = plugins.iter().map(|name| (*name).to_owned()).collect();
            NewerPlugins { plugins, frame }.sentence()
        };
        let end = "by now than when it was made";
        assert_eq!(
            said(&["hadoop"], false),
            format!("the plugin hadoop is another {end}")
        );
        assert_eq!(
            said(&[], true),
            format!("the frame of its nodes is another {end}")
        );
        assert_eq!(
            said(&["hadoop", "spark"], true),
            format!("the frame of its nodes and hadoop, spark are others {end}")
        );
    }
}
