//! Which components' units restart because of what is new on a node, as its frame decides it, from
//! the manifest alone. Pure.

use std::collections::BTreeSet;

use super::node_script::{HOME, NodeContent};

/// A line of a manifest as its kind and its fields.
struct ReadLine<'a> {
    kind: &'a str,
    fields: Vec<(&'a str, &'a str)>,
}

impl<'a> ReadLine<'a> {
    fn read(line: &'a str) -> Self {
        let mut parts = line.split('\t');
        Self {
            kind: parts.next().unwrap_or_default(),
            fields: parts.filter_map(|part| part.split_once('=')).collect(),
        }
    }

    fn values(&self, key: &str) -> impl Iterator<Item = &'a str> {
        let fields = self.fields.iter();
        fields
            .filter(move |(name, _)| *name == key)
            .map(|(_, value)| *value)
    }

    fn is(&self, key: &str, value: &str) -> bool {
        self.values(key).any(|one| one == value)
    }
}

fn manifest_lines(content: &NodeContent) -> Vec<ReadLine<'_>> {
    let at = format!("{HOME}/manifest");
    let manifest = content.files.iter().filter(|file| file.path == at);
    let lines = manifest.flat_map(|file| file.content.lines());
    lines.map(ReadLine::read).collect()
}

/// The file that a node makes of what stands at this path, for people; the path itself where that is
/// all.
pub fn shown_path(content: &NodeContent, path: &str) -> String {
    let lines = manifest_lines(content);
    let mut files = lines.iter().filter(|line| line.kind == "file");
    let made = files.find(|file| file.is("from", path));
    let made = made.and_then(|file| file.values("path").next());
    made.unwrap_or(path).to_owned()
}

/// The components with units that may restart where what stands at these paths is new. Another
/// manifest may restart all of them, and so may another frame, which writes units in its own way: what
/// they were before, nobody knows. Nodes take turns at both, so that one fails alone.
pub fn restarted_components(content: &NodeContent, paths: &[String]) -> BTreeSet<String> {
    let is_new = |name: &str| paths.contains(&format!("{HOME}/{name}"));
    let lines = manifest_lines(content);
    let of_kind = |kind: &'static str| lines.iter().filter(move |line| line.kind == kind);
    let units: BTreeSet<&str> = of_kind("unit")
        .flat_map(|unit| unit.values("component"))
        .collect();
    let own = |set: BTreeSet<&str>| set.into_iter().map(str::to_owned).collect();
    let all = ["manifest", "manifest.sh", "lib.sh", "run"];
    if all.into_iter().any(is_new) {
        return own(units);
    }
    let mut restarted: BTreeSet<&str> = BTreeSet::new();
    for file in of_kind("file") {
        let is_new = file
            .values("from")
            .any(|from| paths.iter().any(|path| path == from));
        if !is_new || !file.is("effect", "restart") {
            continue;
        }
        let mut named = file.values("component").peekable();
        if named.peek().is_some() {
            restarted.extend(named);
        } else {
            // All of its plugin.
            let plugin = file.values("plugin").next().unwrap_or_default();
            let own = of_kind("component").filter(|one| one.is("plugin", plugin));
            restarted.extend(own.flat_map(|one| one.values("name")));
        }
    }
    // What `setup` does it may do by `stampede_restart`.
    let scripts = paths.iter().filter_map(|path| script_at(path));
    let setups = scripts.filter(|(stage, _)| *stage == "setup");
    restarted.extend(setups.map(|(_, component)| component));
    own(restarted.intersection(&units).copied().collect())
}

/// The stage and the component of the script at this path; none where it is no script.
pub fn script_at(path: &str) -> Option<(&str, &str)> {
    let rest = path.strip_prefix(HOME)?.strip_prefix("/scripts/")?;
    let (_, file) = rest.split_once('/')?;
    file.strip_suffix(".sh")?.split_once('.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::node_script::NodeFile;

    const MANIFEST: &str = "component\tname=server\tplugin=toy\n\
        component\tname=client\tplugin=toy\n\
        component\tname=page\tplugin=toy\n\
        file\tpath=/etc/toy/a\tfrom=/opt/stampede/files/a\tplugin=toy\teffect=restart\n\
        file\tpath=/etc/toy/b\tfrom=/opt/stampede/files/b\tplugin=toy\teffect=restart\tcomponent=client\tcomponent=page\n\
        file\tpath=/etc/toy/c\tfrom=/opt/stampede/files/c\tplugin=toy\teffect=reload\n\
        unit\tname=toy-server\tcomponent=server\n\
        unit\tname=toy-page\tcomponent=page\n";

    #[test]
    fn units_restart_for_files_that_say_so_for_setup_and_for_another_manifest() {
        let content = NodeContent {
            variables: Vec::new(),
            files: vec![NodeFile {
                mode: 0o644,
                path: "/opt/stampede/manifest".to_owned(),
                content: MANIFEST.to_owned(),
            }],
        };
        for (path, wanted) in [
            ("/opt/stampede/manifest", &["page", "server"][..]),
            ("/opt/stampede/manifest.sh", &["page", "server"]),
            ("/opt/stampede/lib.sh", &["page", "server"]),
            ("/opt/stampede/run", &["page", "server"]),
            ("/opt/stampede/files/a", &["page", "server"]),
            ("/opt/stampede/files/b", &["page"]),
            ("/opt/stampede/files/c", &[]),
            ("/opt/stampede/scripts/01-toy/setup.server.sh", &["server"]),
            ("/opt/stampede/scripts/01-toy/setup.client.sh", &[]),
            ("/opt/stampede/scripts/01-toy/drain.server.sh", &[]),
            ("variables", &[]),
        ] {
            let told = restarted_components(&content, &[path.to_owned()]);
            let told: Vec<&str> = told.iter().map(String::as_str).collect();
            assert_eq!(told, wanted, "{path}");
        }
        assert_eq!(shown_path(&content, "/opt/stampede/files/a"), "/etc/toy/a");
        assert_eq!(
            shown_path(&content, "/opt/stampede/lib.sh"),
            "/opt/stampede/lib.sh"
        );
    }
}
