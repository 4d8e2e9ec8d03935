//! The layers of the host, as host/docs/architecture.md has them: a module uses only those below
//! it, and so does a folder inside a large module; no two files of a module use each other in a
//! circle; what says that it is pure takes nothing of the outside world; types have names of
//! two words, and no two types one name; which groups a cluster has, few files know; documents and files keep their limits.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod documents;
mod group_words;
mod imports;
mod type_names;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use imports::{SourceFile, host_files, read_source, rust_files};

/// From the top; modules of one line do not know one another, but for the APIs, where `occi` has
/// `web` render its pages.
const LAYERS: [&[&str]; 8] = [
    &["main", "cli"],
    &["server"],
    &["occi", "api", "ui", "web", "admin"],
    &["orchestrator"],
    &["plugin", "openstack", "store"],
    &["bundle"],
    &["cluster"],
    &["metrics", "system", "addressing", "answer"],
];

/// The rooms of large modules, from the top; the module's own file stands above all of them.
const ROOMS: [(&str, &[&[&str]]); 2] = [
    (
        "orchestrator",
        &[
            &["verbs"],
            &["reconcile"],
            &["rollout"],
            &["sweeper"],
            &["context"],
            &["plan_cache"],
            &["stack"],
            &["planning", "state"],
            &["request_origin"],
            &["requeue", "error", "limits", "locks"],
        ],
    ),
    (
        "occi",
        &[
            &["handlers"],
            &["response_cache", "service_manager"],
            &["render"],
            &["model"],
            &["http", "parse"],
            &["cluster_service", "terms", "limits", "error"],
        ],
    ),
];

/// Files whose header says "Pure": decisions and data, without client, store, clock or lock.
const PURE: [&str; 103] = [
    "cluster/newer_plugins.rs",
    "orchestrator/rollout/update_request.rs",
    "orchestrator/planning/newer_plugins.rs",
    "bundle/node_upgrade.rs",
    "orchestrator/rollout/renewed_template.rs",
    "bundle/packed_text.rs",
    "bundle/computed_size.rs",
    "addressing/mod.rs",
    "bundle/access_rules.rs",
    "bundle/class_content.rs",
    "bundle/component_set.rs",
    "bundle/found_conflicts.rs",
    "bundle/framework_build.rs",
    "bundle/manifest.rs",
    "bundle/manifest_line.rs",
    "bundle/member_news.rs",
    "bundle/mod.rs",
    "bundle/node_classes.rs",
    "bundle/node_conflicts.rs",
    "bundle/node_rest.rs",
    "bundle/node_surroundings.rs",
    "bundle/node_update.rs",
    "bundle/node_user_data.rs",
    "bundle/path_conflicts.rs",
    "bundle/placeholders.rs",
    "bundle/plugin_template.rs",
    "bundle/unit_effects.rs",
    "cluster/cloud_access.rs",
    "cluster/default_groups.rs",
    "cluster/defaults.rs",
    "cluster/flavor_choice.rs",
    "cluster/former_records.rs",
    "cluster/former_runs.rs",
    "cluster/framework.rs",
    "cluster/framework_descriptor.rs",
    "cluster/group_addresses.rs",
    "cluster/group_value.rs",
    "cluster/java_tarball.rs",
    "cluster/node_group.rs",
    "cluster/parameter_text.rs",
    "cluster/plugin_contract.rs",
    "cluster/reserved_words.rs",
    "openstack/credentials/setting_value.rs",
    "openstack/credentials/vendor_profiles.rs",
    "openstack/service_address.rs",
    "openstack/types.rs",
    "orchestrator/planning/claims.rs",
    "orchestrator/planning/cluster_description.rs",
    "orchestrator/planning/host_facts.rs",
    "orchestrator/planning/image_check.rs",
    "orchestrator/planning/java_needs.rs",
    "orchestrator/planning/memory_share.rs",
    "orchestrator/planning/merge_attributes.rs",
    "orchestrator/planning/new_node_values.rs",
    "orchestrator/planning/new_nodes.rs",
    "orchestrator/planning/node_groups.rs",
    "orchestrator/planning/pinning.rs",
    "orchestrator/planning/place_cluster.rs",
    "orchestrator/planning/placement.rs",
    "orchestrator/planning/plan_description.rs",
    "orchestrator/planning/plan_error.rs",
    "orchestrator/planning/plugin_chain.rs",
    "orchestrator/planning/ports.rs",
    "orchestrator/planning/quota.rs",
    "orchestrator/planning/recorded_shares.rs",
    "orchestrator/planning/request_values.rs",
    "orchestrator/planning/resolve.rs",
    "orchestrator/planning/template_diff.rs",
    "orchestrator/planning/template_overlay.rs",
    "orchestrator/planning/turns.rs",
    "orchestrator/reconcile/decide.rs",
    "orchestrator/rollout/lay_digests.rs",
    "orchestrator/rollout/new_node_attributes.rs",
    "orchestrator/rollout/next_nodes.rs",
    "orchestrator/rollout/nodes_at_rest.rs",
    "orchestrator/rollout/plan_sources.rs",
    "orchestrator/rollout/rested_clusters.rs",
    "orchestrator/rollout/steps.rs",
    "orchestrator/rollout/steps_back.rs",
    "orchestrator/stack/mod.rs",
    "orchestrator/stack/request_size.rs",
    "orchestrator/stack/snapshot.rs",
    "orchestrator/stack/stack_request.rs",
    "orchestrator/stack/step_plan.rs",
    "orchestrator/state/send_failure.rs",
    "orchestrator/state/status.rs",
    "store/change_transitions.rs",
    "store/deletion_transitions.rs",
    "store/end_transitions.rs",
    "store/idle_transitions.rs",
    "store/record.rs",
    "store/record_fields.rs",
    "store/snapshot.rs",
    "store/transitions.rs",
    "system/utc_time.rs",
    "ui/commands.rs",
    "ui/cookie.rs",
    "ui/stage_chart.rs",
    "ui/forms/field_label.rs",
    "ui/forms/form_page.rs",
    "ui/forms/form_path.rs",
    "ui/forms/preview_page.rs",
    "ui/forms/typed_request.rs",
];

/// What a pure file does not name.
const IMPURE: [&str; 19] = [
    "CloudSession",
    "CloudClient",
    "RecordStore",
    "ClusterRegistry",
    "ClusterHandle",
    "SharedState",
    "Context",
    "Mutex",
    "RwLock",
    "Instant",
    "SystemTime",
    "system",
    "locks",
    "tokio",
    "reqwest",
    "async",
    "await",
    "std::fs",
    "std::env",
];

/// Lines of a file.
const MAX_LINES: usize = 500;

fn repository() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap().to_owned()
}

fn host() -> Vec<SourceFile> {
    host_files(&repository().join("host/src"))
}

fn level(levels: &[&[&str]], name: &str) -> Option<usize> {
    levels.iter().position(|level| level.contains(&name))
}

/// The modules above or beside its own that a file names.
fn upward_modules(file: &SourceFile) -> Vec<String> {
    let module = file.module[0].as_str();
    if module == "lib" {
        return Vec::new();
    }
    let own = level(&LAYERS, module)
        .unwrap_or_else(|| panic!("the module `{module}` has no place in the layers"));
    let apis = level(&LAYERS, "occi");
    let is_wrong = |name: &&String| match level(&LAYERS, name) {
        _ if *name == module || module == "main" && *name == "cli" => false,
        Some(other) if other == own && Some(own) == apis => false,
        Some(other) => other <= own,
        None => false,
    };
    let roots = file.names.iter().filter_map(|name| name.first());
    roots.filter(is_wrong).cloned().collect()
}

/// The rooms above or beside its own that a file of a large module names, and the module's facade.
fn upward_rooms(file: &SourceFile, module: &str, rooms: &[&[&str]]) -> Vec<String> {
    let [parent, room, ..] = file.module.as_slice() else {
        return Vec::new();
    };
    if parent != module {
        return Vec::new();
    }
    let own = level(rooms, room)
        .unwrap_or_else(|| panic!("`{module}/{room}` has no place among the rooms"));
    let inside = file.names.iter().filter(|name| name[..1] == [module]);
    let is_wrong = |name: &&Vec<String>| match name.get(1) {
        Some(other) if other == room => false,
        // What is no room is the facade's own.
        Some(other) => level(rooms, other).is_none_or(|other| other <= own),
        None => false,
    };
    inside
        .filter(is_wrong)
        .map(|name| name.join("::"))
        .collect()
}

/// Which files of one module name which others, by module path. What a file names of its parents'
/// own files is left out: those only list their children.
fn uses_inside(files: &[SourceFile], module: &str) -> BTreeMap<String, BTreeSet<String>> {
    let own: Vec<&SourceFile> = files
        .iter()
        .filter(|file| file.module[0] == module)
        .collect();
    let known: BTreeSet<&[String]> = own.iter().map(|file| file.module.as_slice()).collect();
    let file_of = |name: &[String]| {
        let prefixes = (1..=name.len()).rev().map(|length| &name[..length]);
        prefixes
            .into_iter()
            .find(|prefix| known.contains(*prefix))
            .map(<[String]>::to_vec)
    };
    let mut uses = BTreeMap::new();
    for file in own {
        let targets = file.names.iter().filter_map(|name| file_of(name));
        let targets: BTreeSet<String> = targets
            .filter(|target| !file.module.starts_with(target) && !target.starts_with(&file.module))
            .map(|target| target.join("::"))
            .collect();
        uses.insert(file.module.join("::"), targets);
    }
    uses
}

/// The first circle that is met, as the files on it.
fn find_circle(uses: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    fn visit(
        name: &str,
        uses: &BTreeMap<String, BTreeSet<String>>,
        path: &mut Vec<String>,
        done: &mut BTreeSet<String>,
    ) -> Option<Vec<String>> {
        if let Some(at) = path.iter().position(|other| other == name) {
            return Some(path[at..].to_vec());
        }
        if !done.insert(name.to_owned()) {
            return None;
        }
        path.push(name.to_owned());
        let targets = uses.get(name).into_iter().flatten();
        let circle = targets
            .into_iter()
            .find_map(|target| visit(target, uses, path, done));
        path.pop();
        circle
    }
    let mut done = BTreeSet::new();
    uses.keys()
        .find_map(|name| visit(name, uses, &mut Vec::new(), &mut done))
}

fn says_pure(file: &SourceFile) -> bool {
    file.header.contains("Pure")
}

#[test]
fn no_module_uses_one_above_it() {
    let mut wrong = BTreeMap::new();
    for file in host() {
        let found = upward_modules(&file);
        if !found.is_empty() {
            wrong.insert(file.path, found);
        }
    }
    assert!(
        wrong.is_empty(),
        "these use modules above or beside them: {wrong:#?}"
    );
}

#[test]
fn no_room_of_a_large_module_uses_one_above_it() {
    let files = host();
    let mut wrong = BTreeMap::new();
    for (module, rooms) in ROOMS {
        assert!(
            files.iter().any(|file| file.module[0] == module),
            "{module}"
        );
        for file in &files {
            let found = upward_rooms(file, module, rooms);
            if !found.is_empty() {
                wrong.insert(&file.path, found);
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "these use rooms above or beside them: {wrong:#?}"
    );
}

#[test]
fn no_files_of_a_module_use_one_another_in_a_circle() {
    let files = host();
    let modules: BTreeSet<&String> = files.iter().map(|file| &file.module[0]).collect();
    let circles: Vec<Vec<String>> = modules
        .into_iter()
        .filter_map(|module| find_circle(&uses_inside(&files, module)))
        .collect();
    assert!(circles.is_empty(), "circles: {circles:#?}");
}

#[test]
fn what_says_pure_takes_no_client_store_clock_or_lock() {
    let files = host();
    let said: BTreeSet<String> = files
        .iter()
        .filter(|file| says_pure(file))
        .map(|file| file.path.display().to_string())
        .collect();
    let listed: BTreeSet<String> = PURE.iter().map(|path| (*path).to_owned()).collect();
    assert_eq!(
        said, listed,
        "what files say of themselves, and the list of this test"
    );
    for file in files.iter().filter(|file| says_pure(file)) {
        let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
        let words: BTreeSet<&str> = file.code.split(|c| !is_word(c)).collect();
        let named = |word: &str| {
            words
                .iter()
                .any(|w| *w == word || w.contains(&format!("{word}::")))
        };
        let found: Vec<&&str> = IMPURE.iter().filter(|word| named(word)).collect();
        assert!(
            found.is_empty(),
            "{} is not pure: {found:?}",
            file.path.display()
        );
    }
}

#[test]
fn this_test_sees_what_it_looks_for() {
    let source = |path: &str, text: &str| read_source(Path::new(path), text);
    let up = |path: &str, text: &str| upward_modules(&source(path, text));
    let grouped = "use crate::{cluster::{Spec, x}, plugin::Catalogue, orchestrator};";
    assert_eq!(up("bundle/mod.rs", grouped), ["plugin", "orchestrator"]);
    assert_eq!(
        up("store.rs", "fn f() { crate::openstack::x() }"),
        ["openstack"]
    );
    assert!(up("main.rs", "stampede::cli::main()").is_empty());
    assert!(
        up(
            "orchestrator/x.rs",
            "use crate::store::Store; // crate::occi"
        )
        .is_empty()
    );
    let rooms =
        |path: &str, text: &str| upward_rooms(&source(path, text), "orchestrator", ROOMS[0].1);
    let text =
        "use super::super::verbs::deploy;\nuse crate::orchestrator::{Orchestrator, error::E};";
    assert_eq!(
        rooms("orchestrator/state/view.rs", text),
        ["orchestrator::Orchestrator", "orchestrator::verbs::deploy"]
    );
    assert!(
        rooms(
            "orchestrator/verbs/deploy.rs",
            "use super::find::f; use crate::orchestrator::state::view::V;"
        )
        .is_empty()
    );
    let circle = [
        source("a/b.rs", "use super::c::{C as D, self};"),
        source("a/c.rs", "fn f() { crate::a::b::g() }"),
        source(
            "a/mod.rs",
            "use b::X;\n#[cfg(test)]\nmod tests { use crate::a::b; }",
        ),
    ];
    assert_eq!(
        find_circle(&uses_inside(&circle, "a")).unwrap(),
        ["a::b", "a::c"]
    );
    assert_eq!(find_circle(&uses_inside(&circle[1..], "a")), None);
}

#[test]
fn every_file_opens_with_what_lives_in_it_and_none_is_too_long() {
    let root = repository();
    let folders = ["host/src", "plugins", "tests"];
    for file in folders.iter().flat_map(|dir| rust_files(&root.join(dir))) {
        let text = fs::read_to_string(&file).unwrap();
        let name = file.display();
        assert!(text.starts_with("//!"), "{name} does not open with //!");
        let lines = text.lines().count();
        assert!(
            lines <= MAX_LINES,
            "{name} has {lines} lines, at most {MAX_LINES}"
        );
    }
}
