//! What the `openstack` client makes of the cases: its own code, in one Python for all of them.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt as _, process::Command};

use crate::{case::PreparedCase, compare::CredentialReading};

/// The readings of all cases, in their order.
pub(crate) async fn read_all(cases: &[PreparedCase]) -> Vec<CredentialReading> {
    let python = std::env::var("STAMPEDE_OPENSTACK_CLIENT")
        .expect("tests/credentials/run starts this test: it installs the client");
    let input: String = cases
        .iter()
        .map(|case| {
            let variables: Value = case.variables.iter().cloned().collect();
            let line = json!({"name": case.name, "variables": variables, "folder": case.work()});
            format!("{line}\n")
        })
        .collect();
    let mut child = Command::new(python)
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/credentials/client.py"
        ))
        .env_remove("REQUESTS_CA_BUNDLE")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python starts");
    let mut stdin = child.stdin.take().expect("its input");
    let writing = tokio::spawn(async move { stdin.write_all(input.as_bytes()).await });
    let output = child.wait_with_output().await.expect("it ends");
    writing.await.expect("no panic").expect("it reads");
    assert!(output.status.success(), "{}", output.status);
    let text = String::from_utf8(output.stdout).expect("text");
    let answers: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    assert_eq!(answers.len(), cases.len(), "one answer a case");
    cases
        .iter()
        .zip(&answers)
        .map(|(case, answer)| {
            assert_eq!(answer["name"], case.name);
            reading(case, answer)
        })
        .collect()
}

fn reading(case: &PreparedCase, answer: &Value) -> CredentialReading {
    if let Some(why) = answer["crashed"].as_str() {
        return CredentialReading::Crashed(why.to_owned());
    }
    if let Some(why) = answer["refused"].as_str() {
        return CredentialReading::Refused(why.to_owned());
    }
    let text = |value: &Value| match value {
        Value::String(text) => case.without_place(text),
        other => other.to_string(),
    };
    let path = |value: &Value| {
        let url = value.as_str()?;
        let path = url.strip_prefix(case.keystone.url()).unwrap_or(url);
        // A region without a name may leave an empty segment, which Stampede leaves out.
        Some(path.trim_end_matches('/').replace("//", "/"))
    };
    // The client goes on where the catalog has no such endpoint; each command then fails.
    let (Some(heat), Some(nova)) = (path(&answer["heat"]), path(&answer["nova"])) else {
        return CredentialReading::Refused("there is no such endpoint".to_owned());
    };
    CredentialReading::LoggedIn {
        logins: case.keystone.take().logins,
        verify: text(&answer["verify"]),
        certificate: answer["cert"]
            .as_array()
            .into_iter()
            .flatten()
            .map(text)
            .collect(),
        heat,
        nova,
        region: answer["region"].as_str().unwrap_or_default().to_owned(),
    }
}
