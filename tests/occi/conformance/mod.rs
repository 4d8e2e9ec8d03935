//! Every rule of hurtle/PROTOCOL.md, sections 1 to 5, checked against this host: the same as
//! recorded, or different on purpose by a decision that stands in host/DECISIONS.md. Nothing else
//! is allowed. What comes of it is kept in `tests/occi/conformance.md`.

mod attributes;
mod negotiation;
mod operations;
mod renderings;
mod routing;

use std::path::{Path, PathBuf};

use stampede::cluster::ClusterState;

use crate::client::{OcciHost, RawResponse, S, category_line};
use RulePrecondition::{Complete, Failed, Initialised, Nothing, Provisioned};

/// One rule.
pub(super) struct ConformanceRule {
    /// What the Python Service Orchestrator does.
    says: &'static str,
    verdict: RuleVerdict,
    given: RulePrecondition,
    steps: &'static [RuleStep],
}

/// How this host stands to it.
#[derive(Clone, Copy)]
pub(super) enum RuleVerdict {
    Same,
    /// By the decision that begins so.
    Differs(&'static str),
}

/// What there is before the first step: the cluster `default` with the attribute `a=1`, so far in
/// its life.
#[derive(Clone, Copy)]
pub(super) enum RulePrecondition {
    Nothing,
    Initialised,
    Deployed,
    Complete,
    Failed,
    Provisioned,
}

/// One request and what must come back. In texts `{S}` is hurtle's scheme, `{HOST}` the Host
/// header, `{KIND}`, `{DEPLOY}` and `{PROVISION}` a Category header line, `{LONG}` one byte more
/// than a value may have; a request that begins with `!` goes without token and project.
pub(super) struct RuleStep(
    pub &'static str,
    pub &'static str,
    pub &'static [ExpectedResponse],
);

/// What must come back.
pub(super) enum ExpectedResponse {
    Status(u16),
    Body(&'static str),
    Has(&'static str),
    Lacks(&'static str),
    Begins(&'static str),
    Header(&'static str, &'static str),
    HeaderHas(&'static str, &'static str),
    NoHeader(&'static str),
    /// A value in JSON, by its pointer.
    Json(&'static str, &'static str),
    /// The names of the project's clusters.
    Clusters(&'static [&'static str]),
}

pub(super) const fn same(
    says: &'static str,
    given: RulePrecondition,
    steps: &'static [RuleStep],
) -> ConformanceRule {
    ConformanceRule {
        says,
        verdict: RuleVerdict::Same,
        given,
        steps,
    }
}

pub(super) const fn differs(
    decision: &'static str,
    says: &'static str,
    given: RulePrecondition,
    steps: &'static [RuleStep],
) -> ConformanceRule {
    ConformanceRule {
        says,
        verdict: RuleVerdict::Differs(decision),
        given,
        steps,
    }
}

const SECTIONS: [(&str, &[ConformanceRule]); 5] = [
    ("1. Routing", routing::RULES),
    ("2. Content negotiation", negotiation::RULES),
    ("3. Operations", operations::RULES),
    ("4. Attribute syntax", attributes::RULES),
    ("5. Renderings", renderings::RULES),
];

impl RulePrecondition {
    async fn host(self) -> OcciHost {
        let host = OcciHost::start().await;
        if matches!(self, Nothing) {
            return host;
        }
        host.put_cluster("default", "a=1").await;
        if matches!(self, Initialised) {
            return host;
        }
        assert_eq!(
            host.send(
                &format!(
                    "POST /orchestrator/default?action=deploy\n{}",
                    category_line("deploy")
                ),
                ""
            )
            .await
            .status,
            200
        );
        host.memory.change("default", |view| {
            view.region = "Region One".to_owned();
            if matches!(self, Complete | Provisioned) {
                (view.state, view.stack_status) =
                    (ClusterState::Active, Some("CREATE_COMPLETE".to_owned()));
                view.outputs.insert("p1".to_owned(), "10.0.0.1".into());
                view.outputs
                    .insert("list".to_owned(), serde_json::json!([1, true, "caf\u{e9}"]));
                view.stack_id = Some(("Region One".to_owned(), "9445a2fc".to_owned()));
            }
            if matches!(self, Failed) {
                (view.state, view.stack_status) = (
                    ClusterState::Failed("no space".to_owned()),
                    Some("CREATE_FAILED".to_owned()),
                );
            }
        });
        if matches!(self, Provisioned) {
            assert_eq!(
                host.send("POST /orchestrator/default?action=provision", "")
                    .await
                    .status,
                200
            );
        }
        host
    }
}

fn filled(text: &str, host: &OcciHost) -> String {
    let text = text
        .replace("{KIND}", &category_line("orchestrator"))
        .replace("{DEPLOY}", &category_line("deploy"));
    text.replace("{PROVISION}", &category_line("provision"))
        .replace("{LONG}", &"x".repeat(16 * 1024 + 1))
        .replace("{S}", S)
        .replace("{HOST}", &host.api.to_string())
}

impl ExpectedResponse {
    /// What is wrong with the answer.
    fn wrong(&self, answer: &RawResponse, host: &OcciHost) -> Option<String> {
        let fill = |text: &str| filled(text, host);
        let (holds, wanted) = match self {
            Self::Status(status) => (answer.status == *status, format!("status {status}")),
            Self::Body(text) => (
                answer.body == fill(text),
                format!("the body {:?}", fill(text)),
            ),
            Self::Has(text) => (
                answer.body.contains(&fill(text)),
                format!("{:?} in the body", fill(text)),
            ),
            Self::Lacks(text) => (
                !answer.body.contains(&fill(text)),
                format!("no {:?} in the body", fill(text)),
            ),
            Self::Begins(text) => (
                answer.body.starts_with(&fill(text)),
                format!("{:?} at the body's beginning", fill(text)),
            ),
            Self::Header(name, value) => (
                answer.joined_header(name) == fill(value),
                format!("{name}: {}", fill(value)),
            ),
            Self::HeaderHas(name, text) => (
                answer.joined_header(name).contains(&fill(text)),
                format!("{} in {name}", fill(text)),
            ),
            Self::NoHeader(name) => (answer.header(name).is_none(), format!("no header {name}")),
            Self::Json(at, value) => {
                let wanted: serde_json::Value = serde_json::from_str(&fill(value)).unwrap();
                (
                    answer.json().pointer(at) == Some(&wanted),
                    format!("{wanted} at {at}"),
                )
            }
            Self::Clusters(names) => (
                host.memory.names() == *names,
                format!("the clusters {names:?}, not {:?}", host.memory.names()),
            ),
        };
        (!holds).then(|| format!("expected {wanted}, got {answer:?}"))
    }
}

/// Checks a rule; what is wrong.
async fn check(rule: &ConformanceRule) -> Vec<String> {
    let host = rule.given.host().await;
    // The recorded service would answer nobody while this is open.
    let _idle = host.connect().await;
    let mut wrong = Vec::new();
    for RuleStep(ask, body, expected) in rule.steps {
        let (ask, body) = (filled(ask, &host), filled(body, &host));
        let answer = match ask.strip_prefix('!') {
            Some(bare) => {
                host.send_bytes(format!("{}\r\n\r\n", bare.replace('\n', "\r\n")).as_bytes())
                    .await
            }
            None => host.send(&ask, &body).await,
        };
        wrong.extend(
            expected
                .iter()
                .filter_map(|expect| expect.wrong(&answer, &host))
                .map(|what| format!("{}: {ask}: {what}", rule.says)),
        );
    }
    wrong
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The names of all decisions.
fn decisions() -> Vec<String> {
    let text = std::fs::read_to_string(repository().join("host/DECISIONS.md")).unwrap();
    let flat = text.replace("\n  ", " ");
    flat.lines()
        .filter_map(|line| line.strip_prefix("- **")?.split("**").next())
        .map(str::to_owned)
        .collect()
}

fn record() -> String {
    let (mut text, mut counts) = (String::new(), [0; 2]);
    for (section, rules) in SECTIONS {
        text += &format!(
            "\n## {section}\n\n| what the Python Service Orchestrator does | this host |\n|---|---|\n"
        );
        for rule in rules {
            let verdict = match rule.verdict {
                RuleVerdict::Same => {
                    counts[0] += 1;
                    "same".to_owned()
                }
                RuleVerdict::Differs(decision) => {
                    counts[1] += 1;
                    format!("differs on purpose: {}", decision.trim_end_matches('.'))
                }
            };
            text += &format!("| {} | {verdict} |\n", rule.says.replace('|', "\\|"));
        }
    }
    let head = "# Conformance to the recorded protocol\n\nWritten by `tests/occi/conformance`, which checks every line against the running face and keeps this \
                file true\n(`STAMPEDE_UPDATE_CONFORMANCE=1 cargo test --workspace --test occi conformance` writes it anew). The rules are those of\n\
                hurtle's PROTOCOL.md, sections 1 to 5; the decisions stand in `host/DECISIONS.md`.\n\n";
    format!(
        "{head}{} rules: {} the same, {} different on purpose, nothing else.\n{text}",
        counts[0] + counts[1],
        counts[0],
        counts[1]
    )
}

#[tokio::test]
async fn every_rule_holds_or_differs_by_a_decision() {
    let decisions = decisions();
    let mut wrong = Vec::new();
    for rule in SECTIONS.iter().flat_map(|(_, rules)| rules.iter()) {
        assert!(
            !rule.steps.is_empty()
                && rule
                    .steps
                    .iter()
                    .all(|RuleStep(_, _, expected)| !expected.is_empty()),
            "{} checks nothing",
            rule.says
        );
        if let RuleVerdict::Differs(decision) = rule.verdict
            && !decisions.iter().any(|name| name.starts_with(decision))
        {
            wrong.push(format!("{}: there is no decision `{decision}`", rule.says));
        }
        wrong.extend(check(rule).await);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_record_is_true() {
    let path = repository().join("tests/occi/conformance.md");
    if std::env::var_os("STAMPEDE_UPDATE_CONFORMANCE").is_some() {
        std::fs::write(&path, record()).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == record(),
        "{} is old: STAMPEDE_UPDATE_CONFORMANCE=1 writes it anew",
        path.display()
    );
}
