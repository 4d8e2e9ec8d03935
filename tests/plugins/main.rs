//! Plugins in the host's sandbox, as they are shipped, and one misbehaving guest for each limit, on
//! each side of it.
//!
//! Layout
//! - [`limits`]: time, memory, sizes
//! - [`world`]: what a guest sees of the world, and how it ends
//! - [`compiler`]: compiling, in a process of its own
//! - [`framework`]: what is asked and answered; [`framework_limits`]: how much may be said
//! - [`framework_plans`]: plans of several of them, some of
//!   which are [`made_up`]
//! - [`fitting`]: the shipped ones alone and in pairs over any shape of nodes; [`rehearsed`]: the SDK's
//!   rehearsal places and shares as the host does
//! - [`frameworks`]: those that are shipped, planned as the host plans
//! - [`hostile`]: what a plugin would reach of the project, beside its cluster
//! - [`load`]: what a folder of plugins may hold, and the cache of compiled code
//! - [`shipped`]: those that are shipped: pure, the same as natively ([`native`]), and the host takes all that
//!   they answer
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests: what they set up is there"
)]

mod compiler;
mod fitting;
mod fixture;
mod framework;
mod framework_limits;
mod framework_plans;
mod frameworks;
mod hostile;
mod limits;
mod load;
mod made_up;
mod native;
mod rehearsed;
mod shipped;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use stampede::cluster::component::{ComponentMember, ComponentNeed, ComponentPlacement};
use stampede::cluster::framework_bundle::FrameworkBundle;
use stampede::cluster::framework_request::{FrameworkRequest, GenerateQuestion};
use stampede::plugin::{GenerateError, PluginError, PluginFault, PluginLimits, PluginRegistry};
use stampede_tests::artifacts;

/// Small, so that the tests are quick; large enough for a guest on a busy machine.
const LIMITS: PluginLimits = PluginLimits {
    time: Duration::from_secs(2),
    memory_bytes: 32 << 20,
    answer_bytes: 256 << 10,
    stderr_bytes: 4 << 10,
    instances: 64,
    tables: 64,
    table_elements: 100_000,
    memories: 16,
    handles: 64,
    random_bytes: 4 << 10,
    calls: 4,
    file_bytes: 64 << 20,
    plugins: 8,
    cached: 16,
    compile_time: Duration::from_secs(120),
    compile_bytes: 2 << 30,
    compiles: 8,
};

/// The misbehaving guests of that name, alone in a folder.
fn folder(names: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in names {
        let file = format!("{name}.wasm");
        std::fs::copy(
            artifacts::target_folder().join("guests").join(&file),
            folder.path().join(&file),
        )
        .expect("run tests/build first");
    }
    folder
}

/// From the cache: most tests want the guest, not the compiler.
fn load(folder: &Path) -> PluginRegistry {
    PluginRegistry::load(
        folder,
        Some(&artifacts::target_folder().join("guests/cache")),
        LIMITS,
    )
    .unwrap()
}

fn evil() -> PluginRegistry {
    load(folder(&["evil"]).path())
}

/// Asks the guest `evil` for a deed.
async fn ask(
    registry: &PluginRegistry,
    deed: &str,
    amount: usize,
) -> Result<FrameworkBundle, GenerateError> {
    let settings = json!({"deed": deed, "amount": amount, "text": ""});
    let member = ComponentMember {
        node: "master".to_owned(),
        index: 1,
    };
    let request = FrameworkRequest {
        cluster: "demo".to_owned(),
        settings: settings.as_object().cloned().unwrap(),
        placements: vec![ComponentPlacement {
            component: "evil".to_owned(),
            members: vec![member],
        }],
        ..FrameworkRequest::default()
    };
    let question = GenerateQuestion {
        request,
        needs: vec![ComponentNeed {
            component: "evil".to_owned(),
            ..ComponentNeed::default()
        }],
        node_groups: [("master".to_owned(), "master".to_owned())].into(),
        ..GenerateQuestion::default()
    };
    let plugin = registry.framework("evil").expect("run tests/build first");
    plugin.generate(&Arc::new(question)).await
}

/// What came of a deed that must end well.
async fn good(registry: &PluginRegistry, deed: &str, amount: usize) -> String {
    let part = ask(registry, deed, amount)
        .await
        .unwrap_or_else(|error| panic!("{deed} {amount}: {error}"));
    part.template["outputs"]["evil"]["value"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// The same kind of fault, with the same values.
fn assert_fault(found: &PluginFault, wanted: &PluginFault) {
    assert_eq!(format!("{found:?}"), format!("{wanted:?}"));
}

/// How a deed ended that must end badly; and that the host goes on.
async fn bad(registry: &PluginRegistry, deed: &str, amount: usize) -> PluginError {
    let error = match ask(registry, deed, amount).await {
        Err(GenerateError::Failed(error)) => error,
        other => panic!("{deed} {amount} gave {other:?}"),
    };
    assert!(error.to_string().starts_with("plugin `evil` "), "{error}");
    assert_eq!(
        ask(registry, "good", 0).await.unwrap().template,
        json!({"outputs": {"evil": {"description": "What came of it.", "value": "good"}}})
    );
    error
}

/// Its fault is a trap.
async fn broken_down(registry: &PluginRegistry, deed: &str, amount: usize) -> PluginError {
    let error = bad(registry, deed, amount).await;
    assert!(
        matches!(error.fault, PluginFault::Trap(_)),
        "{deed}: {error}"
    );
    error
}
