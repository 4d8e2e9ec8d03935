//! Each limit of the contract from both sides, with a real guest that does what it should not.

use std::sync::Arc;

use serde_json::json;
use stampede::cluster::framework_bundle::FrameworkBundle;
use stampede::cluster::framework_request::{FrameworkClaims, GenerateQuestion};
use stampede::plugin::{GenerateError, PluginError, PluginFault, PluginRegistry};

use super::framework::{question, request};
use super::{LIMITS, assert_fault, folder, load};

fn wicked() -> PluginRegistry {
    load(folder(&["wicked"]).path())
}

async fn claim(
    registry: &PluginRegistry,
    deed: &str,
    of: &str,
    amount: usize,
) -> Result<FrameworkClaims, GenerateError> {
    let plugin = registry.framework("wicked").expect("run tests/build first");
    let asked = request(json!({"deed": deed, "of": of, "amount": amount}));
    plugin.claim(&asked, None).await
}

/// What it has claimed is what it claims when it is good.
async fn generate(
    registry: &PluginRegistry,
    deed: &str,
    of: &str,
    amount: usize,
) -> Result<FrameworkBundle, GenerateError> {
    let plugin = registry.framework("wicked").expect("run tests/build first");
    let good = question(plugin, request(json!({"deed": "good"}))).await;
    let asked = GenerateQuestion {
        request: request(json!({"deed": deed, "of": of, "amount": amount})),
        ..(*good).clone()
    };
    plugin.generate(&Arc::new(asked)).await
}

fn broken<T: std::fmt::Debug>(answer: Result<T, GenerateError>) -> PluginError {
    match answer {
        Err(GenerateError::Failed(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_claim_that_never_ends_is_ended_and_others_run_meanwhile() {
    let registry = wicked();
    let endless = PluginFault::Time {
        limit: LIMITS.time,
        waited: false,
    };
    let (looping, other) = tokio::join!(
        claim(&registry, "claim for ever", "", 0),
        claim(&registry, "good", "", 0)
    );
    assert_fault(&broken(looping).fault, &endless);
    assert_eq!(other.unwrap().needs.len(), 1);
    let looping = broken(generate(&registry, "generate for ever", "", 0).await);
    assert_fault(&looping.fault, &endless);
    assert_eq!(
        looping.to_string(),
        "plugin `wicked` did not answer within 2 s: it went on computing"
    );
}

#[tokio::test]
async fn memory_is_granted_up_to_the_limit_and_not_past_it() {
    let registry = wicked();
    let half = LIMITS.memory_bytes / 2;
    let claims = claim(&registry, "claim memory", "", half).await.unwrap();
    assert_eq!(claims.needs[0].least_mib as usize, half >> 20);
    let bundle = generate(&registry, "generate memory", "", half)
        .await
        .unwrap();
    assert_eq!(bundle.files[0].content, half.to_string());
    let beyond = PluginFault::Memory {
        limit_bytes: LIMITS.memory_bytes,
    };
    let error = broken(claim(&registry, "claim memory", "", LIMITS.memory_bytes).await);
    assert_fault(&error.fault, &beyond);
    let error = broken(generate(&registry, "generate memory", "", LIMITS.memory_bytes).await);
    assert_fault(&error.fault, &beyond);
}

#[tokio::test]
async fn an_answer_up_to_the_limit_is_taken_and_a_larger_one_is_not() {
    let registry = wicked();
    let fits = LIMITS.answer_bytes - 4_000;
    let bundle = generate(&registry, "answer at length", "", fits)
        .await
        .unwrap();
    assert_eq!(bundle.files[0].content.len(), fits);
    let error = broken(generate(&registry, "answer at length", "", LIMITS.answer_bytes).await);
    let beyond = PluginFault::AnswerSize {
        limit_bytes: LIMITS.answer_bytes,
    };
    assert_fault(&error.fault, &beyond);
}

#[tokio::test]
async fn a_panic_in_a_claim_ends_the_call_and_its_message_is_shown() {
    let error = broken(claim(&wicked(), "panic in claim", "", 0).await);
    assert!(matches!(error.fault, PluginFault::Trap(_)), "{error}");
    assert!(
        error.stderr.contains("the author's mistake") && error.stderr.contains("wicked.rs"),
        "{error}"
    );
}

fn too_many(of: &str, most: usize) -> String {
    format!(
        "broke the contract: {of}: there are {}, at most {most} are taken",
        most + 1
    )
}

#[tokio::test]
async fn as_much_as_may_be_is_claimed_and_one_more_is_refused_before_any_work() {
    let registry = wicked();
    for (of, most) in [
        ("needs", 64),
        ("needs[0].ports", 64),
        ("extensions", 256),
        ("computed", 64),
    ] {
        let taken = claim(&registry, "claim many", of, most).await;
        assert!(taken.is_ok(), "{most} {of}: {taken:?}");
        let error = broken(claim(&registry, "claim many", of, most + 1).await);
        assert_eq!(error.fault.to_string(), too_many(of, most));
    }
}

#[tokio::test]
async fn as_much_as_may_be_is_added_and_one_more_is_refused_before_any_work() {
    let registry = wicked();
    for (of, most) in [
        ("software", 64),
        ("software[0].names", 256),
        ("artifacts", 64),
        ("artifacts[0].bases", 64),
        ("secrets", 64),
        ("files", 256),
        ("files[0].groups", 64),
        ("files[0].components", 64),
        ("units", 64),
        ("units[0].data", 64),
        ("units[0].groups", 64),
        ("units[0].member-of", 64),
        ("units[0].directives", 64),
        ("checks", 64),
        ("scripts", 64),
        ("endpoints", 64),
        ("template.resources", 1_000),
        ("template.outputs", 1_000),
    ] {
        let taken = generate(&registry, "add many", of, most).await;
        assert!(taken.is_ok(), "{most} {of}: {taken:?}");
        let error = broken(generate(&registry, "add many", of, most + 1).await);
        assert_eq!(error.fault.to_string(), too_many(of, most));
    }
    // It provides none.
    let error = broken(generate(&registry, "add many", "services", 65).await);
    assert_eq!(error.fault.to_string(), too_many("services", 64));
}

#[tokio::test]
async fn a_refusal_has_a_bound_in_both_calls() {
    let registry = wicked();
    let Err(GenerateError::Problems(problems)) = claim(&registry, "refuse", "", 100).await else {
        panic!("not refused")
    };
    assert_eq!(
        (problems.len(), problems[0].to_string().as_str()),
        (100, "wicked.deed: is not nice (be nice)")
    );
    for amount in [0, 101] {
        let error = broken(claim(&registry, "refuse", "", amount).await);
        assert!(matches!(error.fault, PluginFault::Contract(_)), "{error}");
        let error = broken(generate(&registry, "refuse later", "", amount).await);
        assert!(matches!(error.fault, PluginFault::Contract(_)), "{error}");
    }
}

fn assert_all_told(error: &PluginError, wanted: &[&str]) {
    let told = error.to_string();
    for said in wanted {
        assert!(
            told.contains(&format!("\n  {said}")),
            "{said:?} is not in {told}"
        );
    }
    let count = format!(
        "broke the contract: {} things are not as it says:\n",
        wanted.len()
    );
    assert!(told.contains(&count), "{told}");
}

#[tokio::test]
async fn all_that_is_wrong_with_a_claim_is_told_at_once() {
    let error = broken(claim(&wicked(), "claim wrongly", "", 0).await);
    assert_all_told(
        &error,
        &[
            "needs[0].weight: 1001 is more than 1000",
            "needs[0].most-mib: 1 is less than its least, 64",
            "needs[0].ports[0]: 0 is no port",
            "needs[0].ports[2]: 80 is claimed twice",
            "needs[1].component: \"wicked_0\" is claimed twice",
            "needs[2].component: the plugin has no component \"nobody\"",
            "extensions[0].service: \"Yarn\" is not of the form",
            "extensions[0].key: it is empty",
            "extensions[0].value: `@{` stands in files and units alone",
            "computed[0]: `deed` is set already",
            "computed[1]: `open_1` cannot be \"many\"",
        ],
    );
}

#[tokio::test]
async fn all_that_is_wrong_with_a_bundle_is_told_at_once() {
    let error = broken(generate(&wicked(), "add wrongly", "", 0).await);
    assert_all_told(
        &error,
        &[
            "software[0].kind: this host knows apt, java and pip, and not \"snap\"",
            "secrets[1]: \"token\" is named twice",
            "files[0].mode: 0o644 lets others read a secret",
            "files[3].path: \"/etc/systemd/x\" is the frame's own",
            "files[3].owner: \"a b\" is not `user`",
            "files[3].mode: 0o7777 is none from 0o400 to 0o777",
            "files[3].content: nodes know no \"@{shell}\"",
            "files[4].components[0]: the plugin has no component \"nobody\"",
            "units[0].name: \"ssh\" is not `wicked`",
            "units[0].exec: \"reboot @{secret.token}\" begins with no program",
            "units[0].exec: a secret stands there",
            "units[0].data[0]: \"/etc\" is not below",
            "checks[0].probe: \"smell:roses\" is none of",
            "checks[1].probe: \"tcp://:65536\" is none of",
            "scripts[1]: \"wicked_0\" has two of stage drain",
            "endpoints[0].name: \"other\" is not `wicked`",
            "endpoints[0].port: 80 is none that \"wicked_0\" claims",
            "endpoints[0].secret: the plugin has no secret \"nothing\"",
            "services[0]: the plugin does not provide \"hdfs\"",
            "files[1].content: this cluster has no component \"nobody\"",
            "nodes: two things stand at /etc/x: worker-1 for one",
        ],
    );
}
