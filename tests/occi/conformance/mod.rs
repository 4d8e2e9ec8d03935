//! Checks every rule of host/docs/hurtle/PROTOCOL.md, sections 1 to 5, against this host: the
//! same as recorded, or different on purpose by a decision in host/docs/decisions. Nothing else is
//! allowed. The outcome is kept in `tests/occi/conformance.md`.

mod attributes;
mod negotiation;
mod operations;
mod record;
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
    /// By the decision that holds a statement which begins so.
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

#[tokio::test]
async fn every_rule_holds_or_differs_by_a_decision() {
    let decisions = record::decisions();
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
        if let RuleVerdict::Differs(begin) = rule.verdict
            && record::find_decision(&decisions, begin).is_none()
        {
            wrong.push(format!("{}: there is no decision `{begin}`", rule.says));
        }
        wrong.extend(check(rule).await);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
