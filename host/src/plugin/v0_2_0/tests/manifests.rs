//! What the host takes of a plugin the frame takes of the host: bundles that just keep to the contract
//! are written as manifests, and the frame itself looks at them in one process of bash.

use std::fs;
use std::path::Path;
use std::process::Command;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use super::super::{limits, read_bundle, wit};
use super::bundles::{bundle, file, software};
use super::{question, read, text};
use crate::bundle::manifest::{ManifestSources, manifest_files};
use crate::bundle::node_classes::{NodeClass, node_classes};
use crate::bundle::node_surroundings::NodeSurroundings;
use crate::cluster::framework_bundle::FrameworkBundle;
use crate::cluster::java_tarball::JavaTarball;

/// Bundles that are tried.
const TRIED: usize = 40;

/// The frame's own check, and what it makes of each text and each unit. Prints a case that it refuses.
const CHECKER: &str = r#"
set -Eeuo pipefail
for manifested in "$1"/*/; do
  (
    STAMPEDE_NODE=$(<"$manifested/node") STAMPEDE_ADDRESS=10.77.0.11
    source <(cat "$2/lib.sh" "$2/manifest.sh" "$2/units.sh" "$2/check.sh" | sed "s#/opt/stampede/#$manifested#g")
    stampede_fail() { echo "$manifested: $1"; exit 1; }
    stampede_secret() { printf %064d 0; }
    manifest_check
    filled() { manifest_filled "${FIELD[plugin]}" <"${FIELD[from]}" >/dev/null; }
    manifest_each file filled
    shown() {
      printf '%s\n' "${FIELD[exec]}"
      [[ -z ${FIELD[directive]-} ]] || printf '%s\n' "${FIELD[directive]}"
      manifest_filled "$(manifest_plugin "${FIELD[component]}")" <<<"${FIELD[exec]}${FIELD[directive]-}" >/dev/null
    }
    manifest_each unit shown >"$manifested/units"
  ) || echo "$manifested is refused"
done
"#;

fn surroundings() -> NodeSurroundings {
    NodeSurroundings {
        javas: vec![JavaTarball {
            version: 21,
            url: "http://192.0.2.7/jdk.tar.gz?x=1".to_owned(),
            sum: "0".repeat(64),
        }],
        python_index: Some("http://192.0.2.7/simple".to_owned()),
        ..NodeSurroundings::default()
    }
}

/// A folder for each class, as its nodes would have it.
fn write_cases(root: &Path, name: &str, bundle: &FrameworkBundle) -> Vec<(String, String)> {
    let (question, descriptor, surroundings) = (question(), read(), surroundings());
    let placements = &question.request.placements;
    let sources = ManifestSources {
        chain: &[&descriptor],
        bundles: std::slice::from_ref(bundle),
        placements,
        surroundings: &surroundings,
    };
    let mut expected = Vec::new();
    for class in node_classes(placements, &question.node_groups) {
        let case = format!("{name}-{}", class.name);
        let home = root.join(&case);
        fs::create_dir_all(home.join("files")).unwrap();
        fs::write(home.join("node"), &class.example).unwrap();
        for written in manifest_files(sources, &class, 10) {
            let Some(path) = written.path.strip_prefix("/opt/stampede/") else {
                panic!("{} is not the frame's", written.path);
            };
            if path.starts_with("scripts/") {
                continue;
            }
            let here = format!("{}/", home.display());
            let text = written
                .content
                .replace("/opt/stampede/files/", &format!("{here}files/"));
            let is_content = path.starts_with("files/");
            let text = if is_content { &written.content } else { &text };
            fs::write(home.join(path), text).unwrap();
        }
        expected.push((case, shown_units(bundle, &class)));
    }
    expected
}

/// The programs and directives of the units of a class, a line each.
fn shown_units(bundle: &FrameworkBundle, class: &NodeClass) -> String {
    let here = bundle
        .units
        .iter()
        .filter(|unit| class.has_thing_of(std::slice::from_ref(&unit.component), &unit.groups));
    here.flat_map(|unit| {
        let directives = unit.directives.iter();
        let lines = directives.map(|(name, value)| format!("{name}={value}\n"));
        [format!("{}\n", unit.exec)].into_iter().chain(lines)
    })
    .collect()
}

fn assert_taken(bundles: &[(String, FrameworkBundle)]) {
    let root = tempfile::tempdir().unwrap();
    let mut expected = Vec::new();
    for (name, bundle) in bundles {
        expected.extend(write_cases(root.path(), name, bundle));
    }
    let frame = concat!(env!("CARGO_MANIFEST_DIR"), "/../templates/node");
    let output = Command::new("bash")
        .args(["-c", CHECKER, "checker"])
        .args([root.path(), Path::new(frame)])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && said.is_empty() && errors.is_empty(),
        "{}{errors}",
        said.chars().take(2_000).collect::<String>()
    );
    for (case, units) in expected {
        let shown = fs::read_to_string(root.path().join(&case).join("units")).unwrap();
        assert_eq!(shown, units, "{case}");
    }
}

/// Below a folder, as deep as it may be said.
fn path_below(folder: &'static str) -> impl Strategy<Value = String> {
    vec(r"[A-Za-z0-9_+:@~=,-][A-Za-z0-9._+:@~=,-]{0,9}|\.[A-Za-z0-9_+:@~=,-][A-Za-z0-9._+:@~=,-]{0,3}", 1..4)
        .prop_map(move |parts| format!("{folder}/{}", parts.join("/")))
}

/// A text without control characters, with what bash, sed, awk and systemd might look at.
fn hard_text() -> impl Strategy<Value = String> {
    let pieces = select(vec![
        "$(touch /pwned)",
        "`id`",
        "${HOME}",
        "'",
        "\"",
        "\\n",
        "*",
        "?",
        "[",
        "]]",
        "=",
        "==",
        "%n",
        "%%",
        ";",
        "&&",
        "|",
        "#",
        "!",
        "~",
        "/opt/stampede/x",
        "/etc/systemd",
        "--",
        " ",
        "  ",
        "\u{2028}",
        "\u{2029}",
        "\u{a0}",
        "ü",
        "\u{1F980}",
        "\u{feff}",
        "\u{10ffff}",
        "@ {",
        "@",
        "@{node}",
        "@{address}",
        "@{index.server}",
        "@{java}",
        "x",
    ]);
    (vec(
        prop_oneof![pieces.prop_map(str::to_owned), r"\PC{0,6}"],
        0..8,
    ))
    .prop_map(|all| all.concat())
}

fn owner() -> impl Strategy<Value = String> {
    let word = "[a-z_][a-z0-9_-]{0,30}";
    prop_oneof![
        word.prop_map(String::from),
        (word, word).prop_map(|(user, group)| format!("{user}:{group}")),
        Just("root".to_owned()),
        word.prop_map(|group| format!("root:{group}")),
    ]
}

fn components() -> impl Strategy<Value = Vec<String>> {
    select(vec![
        &[][..],
        &["server"],
        &["client"],
        &["client", "server"],
    ])
    .prop_map(|names| names.iter().map(|name| (*name).to_owned()).collect())
}

fn any_software() -> impl Strategy<Value = wit::Software> {
    let pin = r"[A-Za-z0-9][A-Za-z0-9._,\[\]-]{0,9}==[A-Za-z0-9][A-Za-z0-9.!+_-]{0,9}";
    let hashed =
        (pin, "[0-9a-f]{64}").prop_map(|(pin, hash)| format!("{pin} --hash=sha256:{hash}"));
    prop_oneof![
        vec("[a-z0-9][a-z0-9.+-]{0,9}", 1..4).prop_map(|names| ("apt", names, String::new())),
        (1_u32..=999, 1_u32..=999).prop_map(|(one, other)| {
            let names = vec![one.min(other).to_string(), one.max(other).to_string()];
            ("java", names, String::new())
        }),
        (vec(pin, 1..4), path_below("/opt")).prop_map(|(names, to)| ("pip", names, to)),
        (vec(hashed, 1..4), path_below("/opt")).prop_map(|(names, to)| ("pip", names, to)),
    ]
    .prop_map(|(kind, names, to)| {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        software(kind, &names, &to)
    })
}

fn any_artifact() -> impl Strategy<Value = wit::Artifact> {
    let base = r"https?://[A-Za-z0-9\[][A-Za-z0-9\[\]._~:!$&()*+,;=%-]{0,12}";
    let path = vec("[A-Za-z0-9_+:@~=,%-][A-Za-z0-9._+:@~=,%-]{0,9}", 1..4);
    let more = (
        components(),
        path_below("/opt"),
        "([a-z0-9_]{1,32})?",
        "[0-9a-f]{128}",
    );
    (path, vec(base, 1..3), more).prop_map(|(path, bases, (components, to, machine, sha512))| {
        wit::Artifact {
            components,
            path: path.join("/"),
            bases,
            sha512,
            machine,
            to,
        }
    })
}

fn any_file() -> impl Strategy<Value = wit::File> {
    let content = vec(
        prop_oneof![
            hard_text(),
            Just("\n".to_owned()),
            Just("@{secret.auth}".to_owned())
        ],
        0..6,
    );
    let path = prop_oneof![
        path_below("/etc"),
        path_below("/usr/local"),
        path_below("/srv")
    ];
    let effect = select(vec![
        wit::Effect::Nothing,
        wit::Effect::Reload,
        wit::Effect::Restart,
    ]);
    (
        path,
        content,
        owner(),
        components(),
        0o400_u32..=0o777,
        effect,
    )
        .prop_map(|(path, content, owner, components, mode, effect)| {
            let content = content.concat();
            let mode = if content.contains("@{secret.") {
                mode & 0o770
            } else {
                mode
            };
            wit::File {
                components,
                owner,
                mode,
                effect,
                ..file(&path, &content)
            }
        })
}

fn any_unit() -> impl Strategy<Value = wit::Unit> {
    let begin = prop_oneof![
        path_below("/opt"),
        path_below("@{java}"),
        path_below("/usr")
    ];
    let directive = ("[A-Z][A-Za-z]{0,20}", hard_text());
    let data = vec(
        prop_oneof![path_below("/var/lib"), path_below("/srv")],
        0..3,
    );
    let groups = select(vec![&[][..], &["a"], &["b"]]);
    let member_of = vec("[a-z_][a-z0-9_-]{0,30}", 0..3);
    let named = ("[a-z0-9_-]{1,20}", owner(), member_of, components(), groups);
    (named, begin, hard_text(), vec(directive, 0..4), data).prop_map(
        |((name, owner, member_of, components, groups), begin, rest, directives, data)| wit::Unit {
            component: components
                .first()
                .map_or("server", String::as_str)
                .to_owned(),
            groups: groups.iter().map(|group| (*group).to_owned()).collect(),
            name: format!("echo-x-{name}"),
            owner,
            member_of,
            exec: format!("{begin} {rest}"),
            data,
            directives,
        },
    )
}

fn any_check() -> impl Strategy<Value = wit::Check> {
    prop_oneof![
        (1_u16..).prop_map(|port| format!("tcp://:{port}")),
        (1_u16.., "(/[A-Za-z0-9._~/?=&%-]{0,20})?")
            .prop_map(|(port, path)| format!("http://:{port}{path}")),
        (1_u16.., "(/[A-Za-z0-9._~/?=&%-]{0,20})?")
            .prop_map(|(port, path)| format!("https://:{port}{path}")),
        hard_text().prop_map(|text| format!("exec:x{}", text.replace("@{", "@ {"))),
    ]
    .prop_map(|probe| wit::Check {
        component: "server".to_owned(),
        probe,
    })
}

fn any_bundle() -> impl Strategy<Value = wit::Bundle> {
    let things = (
        vec(any_software(), 0..4),
        vec(any_artifact(), 0..3),
        vec(any_file(), 0..5),
    );
    (
        things,
        vec(any_unit(), 0..4),
        vec(any_check(), 0..4),
        any::<Index>(),
    )
        .prop_map(|((software, artifacts, files), units, checks, one)| {
            let mut all = bundle();
            // one Java and those of the others that are taken
            all.software.retain(|one| one.kind == "java");
            all.software
                .extend(software.into_iter().filter(|one| one.kind != "java"));
            if !all.software.is_empty() && one.index(2) == 1 {
                all.software[0].names = vec!["21".to_owned(), "25".to_owned()];
            }
            all.artifacts.extend(artifacts);
            all.files.extend(files);
            all.units.extend(units);
            all.checks.extend(checks);
            all
        })
}

#[test]
fn the_frame_takes_every_bundle_that_the_host_takes() {
    let mut runner = TestRunner::deterministic();
    let strategy = any_bundle();
    let mut taken = Vec::new();
    let mut refused = Vec::new();
    for number in 0..TRIED {
        let theirs = strategy.new_tree(&mut runner).unwrap().current();
        match read_bundle(&read(), &question(), theirs) {
            Ok(bundle) => taken.push((format!("case-{number:03}"), bundle)),
            Err(breach) => refused.push(breach.to_string()),
        }
    }
    assert!(
        taken.len() > TRIED / 2,
        "{} are taken: {:.2000}",
        taken.len(),
        refused.join("\n")
    );
    assert_taken(&taken);
}

#[test]
fn the_frame_takes_the_longest_and_the_most_of_everything() {
    let mut long = bundle();
    let parts = "/abcdefg".repeat(limits::PATH_BYTES / 8);
    let path = |folder: &str| format!("{folder}{}", &parts[..limits::PATH_BYTES - folder.len()]);
    long.files = (0..limits::FILES)
        .map(|n| file(&format!("/etc/echo/{n}"), "@{index.server}"))
        .collect();
    long.files[0].path = path("/etc");
    long.files[0].owner = format!(
        "{}:{}",
        text(limits::NAME_CHARS),
        "y".repeat(limits::NAME_CHARS)
    );
    long.artifacts[0].path = format!("{}%", &path("")[2..]);
    long.artifacts[0].machine = text(limits::SHORT_CHARS);
    long.artifacts[0].to = path("/opt");
    long.units[0].name = format!("echo-x-{}", text(limits::UNIT_CHARS - 7));
    long.units[0].exec = format!(
        "{} {}",
        path("/usr"),
        text(limits::LONG_TEXT_BYTES - limits::PATH_BYTES - 1)
    );
    long.units[0].data = vec![path("/var/lib")];
    long.units[0].member_of = (0..limits::LIST).map(|n| format!("group-{n}")).collect();
    long.units[0].directives = (0..limits::LIST)
        .map(|_| ("Environment".to_owned(), text(limits::TEXT_BYTES)))
        .collect();
    long.checks = vec![super::bundles::check(&format!(
        "exec:{}",
        text(limits::TEXT_BYTES - 5)
    ))];
    long.software[1].names = (0..limits::SOFTWARE_NAMES)
        .map(|n| format!("package-{n}"))
        .collect();
    let taken = read_bundle(&read(), &question(), long).unwrap();
    assert_taken(&[("longest".to_owned(), taken)]);
}
