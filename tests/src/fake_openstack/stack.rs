//! A stack as a queue of steps, each of which moves resources, events and signals on as Heat and
//! the nodes would. What the steps of a create are stands in `stack_plan`, those of an update in
//! `stack_update`.

use std::{
    collections::{BTreeMap, VecDeque},
    time::SystemTime,
};

use serde_json::{Map, Value, json};

use super::{
    hot_functions,
    stack_parts::{FakeEvent, FakeResource},
    values::{format_timestamp, uuid},
};

/// How a create fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CreateFails {
    /// This node (`worker-1`) fails in the first stage of its last plugin, with this text: `hadoop
    /// setup line 42: curl: 404`.
    Node {
        /// Its name.
        node: String,
        /// What it signals, without its name.
        text: String,
    },
    /// The server of this node does not come up, with Nova's reason: `No valid host was found.`
    Server {
        /// Its name.
        node: String,
        /// Nova's reason.
        reason: String,
    },
    /// Nodes say nothing more after they are up; the wait condition times out.
    Silence,
}

/// One stack, living or deleted.
#[derive(Clone, Debug)]
pub(super) struct FakeStack {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) project: String,
    pub(super) owner: String,
    pub(super) template: Value,
    pub(super) files: BTreeMap<String, String>,
    pub(super) parameters: Map<String, Value>,
    pub(super) tags: Vec<String>,
    pub(super) timeout_mins: u64,
    pub(super) reason: String,
    pub(super) created: String,
    pub(super) updated: Option<String>,
    pub(super) deleted: Option<String>,
    pub(super) resources: Vec<FakeResource>,
    pub(super) events: Vec<FakeEvent>,
    /// By handle: what its signals left, by their ids.
    pub(super) signals: BTreeMap<String, Map<String, Value>>,
    /// The newest change that each node has answered to.
    pub(super) answered: BTreeMap<String, u64>,
    action: &'static str,
    state: &'static str,
    pub(super) plan: VecDeque<StackStep>,
    number: u64,
}

/// What happens in one step.
#[derive(Clone, Debug)]
pub(super) enum StackStep {
    /// All that is neither server nor wait condition is made.
    Network,
    /// Servers are made; wait conditions begin to wait.
    Servers,
    /// A server ends in ERROR instead.
    ServerFails { node: String, reason: String },
    /// Nodes report progress: `(node, line)`.
    Progress(Vec<(String, String)>),
    /// A node reports its failure: `(node, text)`.
    NodeFails(String, String),
    /// Nodes say that they are ready.
    Ready(Vec<String>),
    /// Nodes that were notified of a change signal that it is done; one may signal another outcome.
    Answers(Option<(String, String)>),
    /// The wait conditions end, and with them the action.
    End,
    /// Every resource is deleted.
    Gone,
    /// A resource cannot be deleted.
    Stuck,
}

/// Characters of a reason that Heat keeps in an event.
const REASON_CHARS: usize = 255;

impl FakeStack {
    /// A stack whose create has just begun. `request` is what was posted, `number` what no other
    /// stack has.
    pub(super) fn create(
        request: &Value,
        project: &str,
        owner: &str,
        number: u64,
        fails: Option<CreateFails>,
    ) -> Self {
        let text = |key: &str| request[key].as_str().unwrap_or_default().to_owned();
        let mut stack = Self {
            id: uuid(0x5a, number),
            name: text("stack_name"),
            project: project.to_owned(),
            owner: owner.to_owned(),
            template: Value::Null,
            files: BTreeMap::new(),
            parameters: Map::new(),
            tags: Vec::new(),
            timeout_mins: 60,
            reason: String::new(),
            created: now(),
            updated: None,
            deleted: None,
            resources: Vec::new(),
            events: Vec::new(),
            signals: BTreeMap::new(),
            answered: BTreeMap::new(),
            action: "CREATE",
            state: "IN_PROGRESS",
            plan: VecDeque::new(),
            number,
        };
        stack.take(request);
        stack.begin("CREATE");
        stack.plan = stack.create_plan(fails);
        stack
    }

    /// Takes over template, files, parameters and tags; resources that are new are yet to be made,
    /// old ones that are not in it are gone.
    pub(super) fn take(&mut self, request: &Value) {
        self.template = request["template"].clone();
        self.files = serde_json::from_value(request["files"].clone()).unwrap_or_default();
        self.parameters = request["parameters"]
            .as_object()
            .cloned()
            .unwrap_or_default();
        self.tags = request["tags"]
            .as_str()
            .unwrap_or_default()
            .split(',')
            .filter(|tag| !tag.is_empty())
            .map(str::to_owned)
            .collect();
        self.timeout_mins = request["timeout_mins"].as_u64().unwrap_or(60);
        let wanted = self.template["resources"]
            .as_object()
            .cloned()
            .unwrap_or_default();
        self.resources
            .retain(|resource| wanted.contains_key(&resource.name));
        for (name, body) in &wanted {
            if !self.resources.iter().any(|resource| resource.name == *name) {
                let (name, kind) = (
                    name.clone(),
                    body["type"].as_str().unwrap_or_default().to_owned(),
                );
                let (status, reason) = ("INIT_COMPLETE".to_owned(), String::new());
                self.resources.push(FakeResource {
                    name,
                    kind,
                    status,
                    reason,
                    physical_id: String::new(),
                    updated: now(),
                });
            }
        }
    }

    /// Heat's own: `CREATE_IN_PROGRESS`.
    pub(super) fn status(&self) -> String {
        format!("{}_{}", self.action, self.state)
    }

    pub(super) fn is_gone(&self) -> bool {
        self.status() == "DELETE_COMPLETE"
    }

    /// Begins to delete every resource, whatever was going on.
    pub(super) fn delete(&mut self, fails: bool) {
        self.updated = Some(now());
        self.begin("DELETE");
        self.plan = [if fails {
            StackStep::Stuck
        } else {
            StackStep::Gone
        }]
        .into();
    }

    /// Takes the next step; whether there was one left.
    pub(super) fn step(&mut self) -> bool {
        let Some(step) = self.plan.pop_front() else {
            return false;
        };
        match step {
            StackStep::Network => self.make(|kind| kind != SERVER && kind != WAIT),
            StackStep::Servers => {
                self.make(|kind| kind == SERVER);
                let action = self.action;
                for name in self
                    .names(|resource| resource.kind == WAIT && resource.status.starts_with("INIT"))
                {
                    self.set(&name, &format!("{action}_IN_PROGRESS"), "state changed");
                }
            }
            StackStep::ServerFails { node, reason } => {
                let server = format!("{}_server", node.replace('-', "_"));
                let said = format!(
                    "ResourceInError: resources.{server}: Went to status ERROR due to \"Message: {reason}, Code: 500\""
                );
                self.set(&server, "CREATE_FAILED", &said);
                self.end("FAILED", &format!("Resource CREATE failed: {said}"));
            }
            StackStep::Progress(lines) => lines.iter().for_each(|(node, line)| {
                self.signal("progress_handle", node, "SUCCESS", line, line)
            }),
            StackStep::NodeFails(node, text) => self.fail_node(&node, &text),
            StackStep::Ready(nodes) => {
                nodes.iter().for_each(|node| {
                    self.signal(
                        "ready_handle",
                        node,
                        "SUCCESS",
                        &format!("{node} ready"),
                        "node setup 1 s",
                    )
                });
            }
            StackStep::Answers(other) => self.answer(other.as_ref()),
            StackStep::End => self.end_waits(),
            StackStep::Gone => {
                self.resources.clear();
                self.deleted = Some(now());
                self.end("COMPLETE", "Stack DELETE completed successfully");
            }
            StackStep::Stuck => {
                let name = self.names(|_| true).into_iter().next().unwrap_or_default();
                let said =
                    format!("Conflict: resources.{name}: the fake OpenStack keeps it on purpose");
                self.set(&name, "DELETE_FAILED", &said);
                self.end("FAILED", &format!("Resource DELETE failed: {said}"));
            }
        }
        true
    }

    /// A node reports its failure, and with it the wait condition ends.
    fn fail_node(&mut self, node: &str, text: &str) {
        let line = failed_line(node, text);
        self.signal("progress_handle", node, "SUCCESS", &line, text);
        let reason = format!("{node} {text}");
        self.signal("ready_handle", node, "FAILURE", &reason, text);
        self.fail_wait(&format!(
            "WaitConditionFailure: resources.{{}}: {node} {text}"
        ));
    }

    /// A signal to a handle, as a node sends it.
    pub(super) fn signal(
        &mut self,
        handle: &str,
        id: &str,
        status: &str,
        reason: &str,
        data: &str,
    ) {
        let entry = json!({"status": status, "reason": reason, "data": data});
        self.signals
            .entry(handle.to_owned())
            .or_default()
            .insert(id.to_owned(), entry);
        let physical_id = self
            .resources
            .iter()
            .find(|resource| resource.name == handle)
            .map(|r| r.physical_id.clone())
            .unwrap_or_default();
        self.event(
            handle,
            &physical_id,
            "SIGNAL_COMPLETE",
            &format!("Signal: status:{status} reason:{reason}"),
        );
    }

    /// How many resources of this type there are.
    pub(super) fn made(&self, kind: &str) -> usize {
        self.resources
            .iter()
            .filter(|resource| resource.kind == kind && !resource.physical_id.is_empty())
            .count()
    }

    /// The flavor of each server that there is.
    pub(super) fn server_flavors(&self) -> Vec<String> {
        let servers = self
            .resources
            .iter()
            .filter(|resource| resource.kind == SERVER && !resource.physical_id.is_empty());
        let flavor = |name: &str| {
            hot_functions::resolve_value(
                self,
                &self.template["resources"][name]["properties"]["flavor"],
            )
        };
        servers
            .filter_map(|resource| flavor(&resource.name).as_str().map(str::to_owned))
            .collect()
    }

    /// `master`, `worker-7`: the nodes of the template.
    pub(super) fn nodes(&self) -> Vec<String> {
        let servers = self
            .resources
            .iter()
            .filter(|resource| resource.kind == SERVER);
        servers
            .map(|server| server.name.trim_end_matches("_server").replace('_', "-"))
            .collect()
    }

    fn names(&self, of: impl Fn(&FakeResource) -> bool) -> Vec<String> {
        self.resources
            .iter()
            .filter(|resource| of(resource))
            .map(|resource| resource.name.clone())
            .collect()
    }

    fn make(&mut self, of: impl Fn(&str) -> bool) {
        for name in self.names(|resource| of(&resource.kind) && resource.physical_id.is_empty()) {
            self.set(&name, "CREATE_IN_PROGRESS", "state changed");
            let id = uuid(0x4e, self.number << 32 | self.events.len() as u64);
            if let Some(resource) = self
                .resources
                .iter_mut()
                .find(|resource| resource.name == name)
            {
                resource.physical_id = id;
            }
            self.set(&name, "CREATE_COMPLETE", "state changed");
        }
    }

    fn set(&mut self, name: &str, status: &str, reason: &str) {
        let Some(resource) = self
            .resources
            .iter_mut()
            .find(|resource| resource.name == name)
        else {
            return;
        };
        resource.status = status.to_owned();
        resource.reason = reason.to_owned();
        resource.updated = now();
        let physical_id = resource.physical_id.clone();
        self.event(name, &physical_id, status, reason);
    }

    /// Every wait condition has as many good signals as it counts, or the stack fails as Heat's
    /// would.
    fn end_waits(&mut self) {
        for name in self.names(|resource| resource.kind == WAIT) {
            let properties = hot_functions::resolve_value(
                self,
                &self.template["resources"][&name]["properties"],
            );
            let count = properties["count"]
                .as_u64()
                .or_else(|| properties["count"].as_str()?.parse().ok())
                .unwrap_or(1);
            let handle = self.template["resources"][&name]["properties"]["handle"]["get_resource"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            let good = self.signals.get(&handle).map_or(0, |all| {
                all.values()
                    .filter(|signal| signal["status"] == "SUCCESS")
                    .count()
            });
            let bad = self
                .signals
                .get(&handle)
                .and_then(|all| all.values().find(|signal| signal["status"] != "SUCCESS"))
                .cloned();
            if let Some(bad) = bad {
                let reason = bad["reason"].as_str().unwrap_or_default();
                return self.fail_wait(&format!("WaitConditionFailure: resources.{{}}: {reason}"));
            }
            if (good as u64) < count {
                return self.fail_wait(&format!(
                    "WaitConditionTimeout: resources.{{}}: {good} of {count} received"
                ));
            }
            let action = self.action;
            self.set(&name, &format!("{action}_COMPLETE"), "state changed");
        }
        let action = self.action;
        self.end(
            "COMPLETE",
            &format!("Stack {action} completed successfully"),
        );
    }

    /// `said` holds `{}` where the wait condition's name stands.
    fn fail_wait(&mut self, said: &str) {
        let name = self
            .names(|resource| resource.kind == WAIT)
            .into_iter()
            .next()
            .unwrap_or_default();
        let (said, action) = (said.replace("{}", &name), self.action);
        self.set(&name, &format!("{action}_FAILED"), &said);
        self.end("FAILED", &format!("Resource {action} failed: {said}"));
    }

    pub(super) fn begin(&mut self, action: &'static str) {
        self.action = action;
        self.end("IN_PROGRESS", &format!("Stack {action} started"));
    }

    pub(super) fn end(&mut self, state: &'static str, reason: &str) {
        self.state = state;
        self.reason = reason.to_owned();
        if state != "IN_PROGRESS" {
            self.plan.clear();
        }
        let (name, id, status) = (self.name.clone(), self.id.clone(), self.status());
        self.event(&name, &id, &status, reason);
    }

    fn event(&mut self, resource: &str, physical_id: &str, status: &str, reason: &str) {
        let id = uuid(0xe7, self.number << 32 | self.events.len() as u64);
        let (resource, physical_id, status) = (
            resource.to_owned(),
            physical_id.to_owned(),
            status.to_owned(),
        );
        let reason = reason.chars().take(REASON_CHARS).collect();
        self.events.push(FakeEvent {
            id,
            time: now(),
            resource,
            physical_id,
            status,
            reason,
        });
    }
}

/// The type of a node.
pub(super) const SERVER: &str = "OS::Nova::Server";
/// The type of what waits for nodes.
pub(super) const WAIT: &str = "OS::Heat::WaitCondition";

/// `worker-1 hadoop setup failed line 42: ...`
fn failed_line(node: &str, text: &str) -> String {
    let mut words = text.splitn(3, ' ');
    let (plugin, stage, rest) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    format!("{node} {plugin} {stage} failed {rest}")
}

fn now() -> String {
    format_timestamp(SystemTime::now(), "Z")
}
