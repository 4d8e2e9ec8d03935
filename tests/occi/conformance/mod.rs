//! Checks every rule of host/docs/hurtle/PROTOCOL.md, sections 1 to 5, against this host: the
//! same as recorded, or different on purpose by a decision in host/docs/decisions. Nothing else is
//! allowed. The outcome is kept in `tests/occi/conformance.md`.

mod attributes;
mod negotiation;
mod operations;
mod renderings;
mod routing;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use stampede::cluster::State;

use crate::client::{Answer, Host, S, category};
use Given::{Complete, Failed, Initialised, Nothing, Provisioned};

/// One rule.
pub(super) struct Rule {
    /// What the Python Service Orchestrator does.
    says: &'static str,
    verdict: Verdict,
    given: Given,
    steps: &'static [Step],
}

/// How this host stands to it.
#[derive(Clone, Copy)]
pub(super) enum Verdict {
    Same,
    /// By the decision that holds a statement which begins so.
    Differs(&'static str),
}

/// What there is before the first step: the cluster `default` with the attribute `a=1`, so far in its life.
#[derive(Clone, Copy)]
pub(super) enum Given {
    Nothing,
    Initialised,
    Deployed,
    Complete,
    Failed,
    Provisioned,
}

/// One request and what must come back. In texts `{S}` is hurtle's scheme, `{HOST}` the Host header, `{KIND}`, `{DEPLOY}` and `{PROVISION}` a
/// Category header line, `{LONG}` one byte more than a value may have; a request that begins with `!` goes without token and project.
pub(super) struct Step(pub &'static str, pub &'static str, pub &'static [Expect]);

/// What must come back.
pub(super) enum Expect {
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

pub(super) const fn same(says: &'static str, given: Given, steps: &'static [Step]) -> Rule {
    Rule { says, verdict: Verdict::Same, given, steps }
}

pub(super) const fn differs(decision: &'static str, says: &'static str, given: Given, steps: &'static [Step]) -> Rule {
    Rule { says, verdict: Verdict::Differs(decision), given, steps }
}

const SECTIONS: [(&str, &[Rule]); 5] = [
    ("1. Routing", routing::RULES),
    ("2. Content negotiation", negotiation::RULES),
    ("3. Operations", operations::RULES),
    ("4. Attribute syntax", attributes::RULES),
    ("5. Renderings", renderings::RULES),
];

impl Given {
    async fn host(self) -> Host {
        let host = Host::start().await;
        if matches!(self, Nothing) {
            return host;
        }
        host.put("default", "a=1").await;
        if matches!(self, Initialised) {
            return host;
        }
        assert_eq!(host.ask(&format!("POST /orchestrator/default?action=deploy\n{}", category("deploy")), "").await.status, 200);
        host.memory.change("default", |view| {
            view.region = "Region One".to_owned();
            if matches!(self, Complete | Provisioned) {
                (view.state, view.stack_status) = (State::Active, Some("CREATE_COMPLETE".to_owned()));
                view.outputs.insert("p1".to_owned(), "10.0.0.1".into());
                view.outputs.insert("list".to_owned(), serde_json::json!([1, true, "caf\u{e9}"]));
                view.stack_id = Some(("Region One".to_owned(), "9445a2fc".to_owned()));
            }
            if matches!(self, Failed) {
                (view.state, view.stack_status) = (State::Failed("no space".to_owned()), Some("CREATE_FAILED".to_owned()));
            }
        });
        if matches!(self, Provisioned) {
            assert_eq!(host.ask("POST /orchestrator/default?action=provision", "").await.status, 200);
        }
        host
    }
}

fn filled(text: &str, host: &Host) -> String {
    let text = text.replace("{KIND}", &category("orchestrator")).replace("{DEPLOY}", &category("deploy"));
    text.replace("{PROVISION}", &category("provision"))
        .replace("{LONG}", &"x".repeat(16 * 1024 + 1))
        .replace("{S}", S)
        .replace("{HOST}", &host.api.to_string())
}

impl Expect {
    /// What is wrong with the answer.
    fn wrong(&self, answer: &Answer, host: &Host) -> Option<String> {
        let fill = |text: &str| filled(text, host);
        let (holds, wanted) = match self {
            Self::Status(status) => (answer.status == *status, format!("status {status}")),
            Self::Body(text) => (answer.body == fill(text), format!("the body {:?}", fill(text))),
            Self::Has(text) => (answer.body.contains(&fill(text)), format!("{:?} in the body", fill(text))),
            Self::Lacks(text) => (!answer.body.contains(&fill(text)), format!("no {:?} in the body", fill(text))),
            Self::Begins(text) => (answer.body.starts_with(&fill(text)), format!("{:?} at the body's beginning", fill(text))),
            Self::Header(name, value) => (answer.joined(name) == fill(value), format!("{name}: {}", fill(value))),
            Self::HeaderHas(name, text) => (answer.joined(name).contains(&fill(text)), format!("{} in {name}", fill(text))),
            Self::NoHeader(name) => (answer.header(name).is_none(), format!("no header {name}")),
            Self::Json(at, value) => {
                let wanted: serde_json::Value = serde_json::from_str(&fill(value)).unwrap();
                (answer.json().pointer(at) == Some(&wanted), format!("{wanted} at {at}"))
            }
            Self::Clusters(names) => (host.memory.names() == *names, format!("the clusters {names:?}, not {:?}", host.memory.names())),
        };
        (!holds).then(|| format!("expected {wanted}, got {answer:?}"))
    }
}

/// Checks a rule; what is wrong.
async fn check(rule: &Rule) -> Vec<String> {
    let host = rule.given.host().await;
    // The recorded service would answer nobody while this is open.
    let _idle = host.connect().await;
    let mut wrong = Vec::new();
    for Step(ask, body, expected) in rule.steps {
        let (ask, body) = (filled(ask, &host), filled(body, &host));
        let answer = match ask.strip_prefix('!') {
            Some(bare) => host.raw(format!("{}\r\n\r\n", bare.replace('\n', "\r\n")).as_bytes()).await,
            None => host.ask(&ask, &body).await,
        };
        wrong.extend(expected.iter().filter_map(|expect| expect.wrong(&answer, &host)).map(|what| format!("{}: {ask}: {what}", rule.says)));
    }
    wrong
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A file of host/docs/decisions.
struct DecisionFile {
    /// `0036-know-few-paths.md`.
    file: String,
    /// `Unknown paths are 404`.
    title: String,
    /// What it decides: each of its texts between double asterisks.
    statements: Vec<String>,
}

impl DecisionFile {
    /// `0036`.
    fn number(&self) -> &str {
        &self.file[..4]
    }
}

/// All decisions, by number.
fn decisions() -> Vec<DecisionFile> {
    let files = std::fs::read_dir(repository().join("host/docs/decisions")).unwrap();
    let mut paths: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    paths.retain(|path| !path.ends_with("README.md"));
    paths.sort();
    paths.iter().map(|path| read_decision(path)).collect()
}

fn read_decision(path: &Path) -> DecisionFile {
    let text = std::fs::read_to_string(path).unwrap();
    let title = text.lines().next().and_then(|line| line.split_once(": ")).unwrap().1.to_owned();
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let statements = flat.split("**").skip(1).step_by(2).map(str::to_owned).collect();
    DecisionFile { file: path.file_name().unwrap().to_str().unwrap().to_owned(), title, statements }
}

/// The decision that holds a statement which begins so.
fn find_decision<'a>(decisions: &'a [DecisionFile], begin: &str) -> Option<&'a DecisionFile> {
    decisions.iter().find(|decision| decision.statements.iter().any(|text| text.starts_with(begin)))
}

/// A list item within 120 columns, a character being a column.
fn wrapped_item(text: &str) -> String {
    let (mut item, mut columns) = (String::from("-"), 1);
    for word in text.split(' ') {
        let width = word.chars().count() + 1;
        if columns + width > 120 {
            item += "\n ";
            columns = 1;
        }
        item.push(' ');
        item += word;
        columns += width;
    }
    item + "\n"
}

const HEAD: &str = "\
# Conformance to the recorded protocol

Written by `tests/occi/conformance`, which checks every rule against the running API and keeps this file true
(`STAMPEDE_UPDATE_CONFORMANCE=1 cargo test --workspace --test occi conformance` writes it anew). The rules are those of
[the recorded protocol](../../host/docs/hurtle/PROTOCOL.md), sections 1 to 5: what the Python Service Orchestrator does.
Each line says whether this host does the same; where it differs on purpose, by which
[decision](../../host/docs/decisions/README.md).
";

fn record() -> String {
    let decisions = decisions();
    let (mut text, mut counts, mut used) = (String::new(), [0; 2], BTreeMap::new());
    for (section, rules) in SECTIONS {
        text += &format!("\n## {section}\n\n");
        for rule in rules {
            let verdict = match rule.verdict {
                Verdict::Same => {
                    counts[0] += 1;
                    "same".to_owned()
                }
                Verdict::Differs(begin) => {
                    counts[1] += 1;
                    let decision = find_decision(&decisions, begin).unwrap();
                    used.insert(decision.number(), decision);
                    format!("differs ([{}])", decision.number())
                }
            };
            text += &wrapped_item(&format!("{verdict}: {}", rule.says));
        }
    }
    text += "\n## The decisions\n\n";
    for (number, decision) in &used {
        text += &wrapped_item(&format!("[{number}] {}", decision.title));
    }
    text.push('\n');
    for (number, decision) in &used {
        text += &format!("[{number}]: ../../host/docs/decisions/{}\n", decision.file);
    }
    let all = counts[0] + counts[1];
    format!(
        "{HEAD}\n{all} rules: {} the same, {} different on purpose, nothing else.\n{text}",
        counts[0], counts[1]
    )
}

#[tokio::test]
async fn every_rule_holds_or_differs_by_a_decision() {
    let decisions = decisions();
    let mut wrong = Vec::new();
    for rule in SECTIONS.iter().flat_map(|(_, rules)| rules.iter()) {
        assert!(
            !rule.steps.is_empty() && rule.steps.iter().all(|Step(_, _, expected)| !expected.is_empty()),
            "{} checks nothing",
            rule.says
        );
        if let Verdict::Differs(begin) = rule.verdict
            && find_decision(&decisions, begin).is_none()
        {
            wrong.push(format!("{}: there is no decision `{begin}`", rule.says));
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
    assert!(kept == record(), "{} is old: STAMPEDE_UPDATE_CONFORMANCE=1 writes it anew", path.display());
}
