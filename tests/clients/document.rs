//! Requests that schemathesis makes up from the API's document, good ones and bad ones: the host answers
//! none by 5xx, and none by a status, a type or a body that the document does not tell.

use std::process::Stdio;

use serde_json::json;
use tokio::process::Command;

use super::{ServedCloud, installed};

/// Requests for each operation, unless a variable says how many.
const EXAMPLES: u32 = 20;
/// For how long at most, in seconds.
const MAX_SECONDS: u32 = 45;
/// What is not asked of answers: that all is taken which the document lets through. Which attributes
/// there are, and what they may be, `/attributes` and `/frameworks` say.
const NOT_CHECKED: &str = "positive_data_acceptance";
/// A stream has no end that a client could wait for; `lifecycle api_events` reads it.
const LEFT_OUT: &str = "/api/v1/clusters/{name}/events";

fn number(variable: &str, default: u32) -> String {
    let given = std::env::var(variable).ok().filter(|text| !text.is_empty());
    let number: u32 = given.map_or(default, |text| text.parse().expect("a number"));
    number.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn made_up_requests_are_answered_as_the_document_says() {
    let world = ServedCloud::start().await;
    let token = world.cloud.issue_token("demo");
    let http = stampede_tests::http_client().unwrap();
    // The document's own example of a name.
    let body = json!({"name": "demo", "attributes": {"framework": "hadoop", "workers": 1}});
    let made = http
        .post(format!("{}/api/v1/clusters", world.host.url))
        .header("x-auth-token", &token)
        .body(body.to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(made.status(), 201);
    let (seed, examples) = (
        number("STAMPEDE_API_SEED", 11),
        number("STAMPEDE_API_EXAMPLES", EXAMPLES),
    );
    println!(
        "{examples} made-up requests for each operation, from seed {seed} (STAMPEDE_API_EXAMPLES, _SEED)"
    );
    // In a file, and not as a header: so it also tries without.
    let settings = world.folder.path().join("schemathesis.toml");
    std::fs::write(
        &settings,
        format!("[auth.openapi.token]\napi_key = \"{token}\"\n"),
    )
    .unwrap();
    let ended = Command::new(installed("schemathesis"))
        .arg("--config-file")
        .arg(&settings)
        .args(["run", "--no-color", "--continue-on-failure"])
        .args(["--generation-database", "none", "--workers", "2"])
        .args(["--exclude-checks", NOT_CHECKED, "--exclude-path", LEFT_OUT])
        .args(["--seed", &seed, "--max-examples", &examples])
        .args(["--max-time", &MAX_SECONDS.to_string()])
        .arg(format!("{}/api/v1/openapi.json", world.host.url))
        .current_dir(world.folder.path())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&ended.stdout);
    assert!(
        ended.status.success(),
        "{said}\n{}\n{}",
        String::from_utf8_lossy(&ended.stderr),
        world.host.log().unwrap()
    );
    let number_behind = |word: &str| {
        let mut lines = said
            .lines()
            .filter_map(|line| line.trim().strip_prefix(word));
        lines.next_back().unwrap().trim().to_owned()
    };
    let (selected, tested) = (number_behind("Selected:"), number_behind("Tested:"));
    let (selected, all) = selected.split_once('/').unwrap();
    let [selected, all, tested] =
        [selected, all, &tested].map(|number| number.parse::<u32>().unwrap());
    assert_eq!(
        (selected, tested),
        (all - 1, all - 1),
        "all but the stream: {said}"
    );
    let summary = said.lines().rev().filter(|line| !line.trim().is_empty());
    let summary: Vec<_> = summary.take(SUMMARY_LINES).collect();
    for line in summary.iter().rev() {
        println!("{line}");
    }
}

/// So many lines of what it says at its end are told.
const SUMMARY_LINES: usize = 4;
