//! The fake OpenStack with a log of what it was asked to change and took, in the order in which it
//! acted.

use std::sync::{Mutex, PoisonError};

use serde_json::Value;
use stampede_tests::fake_openstack::{DirectAnswer, DirectRequest, FakeOpenStack};

/// The cloud, and its log.
#[derive(Debug)]
pub(super) struct LoggedCloud {
    pub(super) cloud: FakeOpenStack,
    log: Mutex<Vec<CloudWrite>>,
}

/// What the cloud has done.
#[derive(Clone, Debug)]
pub(super) struct CloudWrite {
    /// Whose request it was.
    pub(super) host: usize,
    pub(super) stack: String,
    /// The stack's status until then.
    pub(super) status: String,
    pub(super) what: CloudAction,
}

/// What it was asked for.
#[derive(Clone, Debug)]
pub(super) enum CloudAction {
    /// For the cluster of this id, with so many workers.
    Create(String, u64),
    Update(Box<SentStep>),
    Delete,
}

/// A step as the cloud was given it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SentStep {
    pub(super) title: String,
    pub(super) generation: u64,
    /// The first generation of its change.
    pub(super) first: u64,
    /// How many workers the change leads to.
    pub(super) to: u64,
    pub(super) leaving: Vec<String>,
    /// The servers of the template.
    pub(super) servers: Vec<String>,
    pub(super) template: Value,
}

impl LoggedCloud {
    pub(super) fn new() -> Self {
        Self {
            cloud: FakeOpenStack::unserved(),
            log: Mutex::default(),
        }
    }

    pub(super) fn log(&self) -> Vec<CloudWrite> {
        self.log
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Answers, and notes what was changed.
    pub(super) fn answer(&self, host: usize, request: &DirectRequest) -> DirectAnswer {
        let written = describe(request);
        let status = written.as_ref().and_then(|(stack, _)| {
            let stacks = self.cloud.stacks();
            let of = stacks.into_iter().rev().find(|(name, _)| name == stack)?;
            Some(of.1)
        });
        let answer = self.cloud.answer(request);
        if let Some((stack, what)) = written.filter(|_| answer.status < 300) {
            let write = CloudWrite {
                host,
                stack,
                status: status.unwrap_or_default(),
                what,
            };
            self.log
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(write);
        }
        answer
    }
}

/// The stack, and what is asked of it.
fn describe(request: &DirectRequest) -> Option<(String, CloudAction)> {
    let path = request.target.split('?').next().unwrap_or_default();
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    let ["heat-api", "v1", _, "stacks", rest @ ..] = parts.as_slice() else {
        return None;
    };
    let body = || serde_json::from_slice::<Value>(&request.body).unwrap_or_default();
    match (request.method.as_str(), rest) {
        ("POST", []) => {
            let body = body();
            let tags = body["tags"].as_str().unwrap_or_default();
            let carried = text(&body["parameters"]["stampede_request"]);
            let carried: Value = serde_json::from_str(&carried).unwrap_or_default();
            let workers = workers(&carried["spec"]);
            let id = tags
                .split(',')
                .find_map(|tag| tag.strip_prefix("stampede.cluster."));
            Some((
                text(&body["stack_name"]),
                CloudAction::Create(id.unwrap_or_default().to_owned(), workers),
            ))
        }
        ("PUT", [name, _]) => Some(((*name).to_owned(), CloudAction::Update(sent_step(&body())))),
        ("DELETE", [name, _]) => Some(((*name).to_owned(), CloudAction::Delete)),
        _ => None,
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn sent_step(body: &Value) -> Box<SentStep> {
    let carried = text(&body["parameters"]["stampede_request"]);
    let carried: Value = serde_json::from_str(&carried).unwrap_or_default();
    let change = &carried["change"];
    let at = change["at"].as_u64().unwrap_or_default();
    let step = &change["steps"][usize::try_from(at).unwrap_or_default()];
    let servers = body["template"]["resources"].as_object();
    let servers = servers
        .into_iter()
        .flatten()
        .map(|(name, _)| name.clone())
        .filter(|name| name.ends_with("_server"));
    let leaving = step["leaving"].as_array();
    Box::new(SentStep {
        title: text(&step["title"]),
        generation: step["generation"].as_u64().unwrap_or_default(),
        first: change["steps"][0]["generation"]
            .as_u64()
            .unwrap_or_default(),
        to: workers(&change["to"]),
        leaving: leaving.into_iter().flatten().map(text).collect(),
        servers: servers.collect(),
        template: body["template"].clone(),
    })
}

/// How many workers a spec has.
fn workers(spec: &Value) -> u64 {
    let groups = spec["groups"].as_array();
    let mut groups = groups.into_iter().flatten();
    let worker = groups.find(|group| group["name"] == "worker");
    worker
        .and_then(|group| group["count"].as_u64())
        .unwrap_or_default()
}
