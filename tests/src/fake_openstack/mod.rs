//! A fake OpenStack in this process: enough of Keystone, Heat, Nova, Glance, Neutron and Cinder for
//! the life of a cluster, in the shapes of a real OpenStack's answers. For tests with faults and
//! for the demo without a cloud; that clusters really work is verified against a real OpenStack
//! only. Knows nothing of the host.
//!
//! Stacks stand still unless a test advances them ([`FakeOpenStack::step`],
//! [`FakeOpenStack::finish`]) or [`StackPace::Tick`] does. [`FakeOpenStack::fault`] makes services
//! fail, and [`FakeOpenStack::requests`] lists what was asked.
//!
//! Layout
//! - [`FakeOpenStack`]: what a test holds; `server`: connections; `routes`: which service answers
//! - `keystone`, `heat`, `nova`, `glance`, `neutron`, `cinder`: the services
//! - `stack`: a stack, step by step; `stack_plan`, `stack_update`: the steps of a create and an
//!   update
//! - `template_check`, `hot_functions`: HOT
//! - `cloud`: all state; `request`, `reply`, `values`, [`faults`]: plain data

mod cinder;
mod cloud;
pub mod faults;
mod glance;
mod heat;
mod hot_functions;
mod keystone;
mod neutron;
mod nova;
mod reply;
mod request;
mod routes;
mod server;
mod stack;
mod stack_parts;
mod stack_plan;
mod stack_update;
mod template_check;
mod values;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::task::JoinHandle;

pub use cloud::{CloudFixtures, FakeFlavor, FakeImage, FakeNetwork, FakeQuota, PASSWORD};
pub use faults::{FaultKind, InjectedFault};
pub use stack::CreateFails;
pub use stack_update::UpdateFails;

use cloud::FakeCloud;

/// How the fake OpenStack behaves.
#[derive(Clone, Debug, Default)]
pub struct FakeConfig {
    /// The API that Keystone speaks.
    pub keystone: IdentityApi,
    /// What advances stacks.
    pub pace: StackPace,
}

/// The API that Keystone speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IdentityApi {
    /// v3 alone, as clouds do.
    #[default]
    V3,
    /// v2.0 alone, as very old clouds do.
    V2,
}

/// What advances stacks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StackPace {
    /// The test, by [`FakeOpenStack::step`].
    #[default]
    Steps,
    /// Time: every stack takes one step each tick.
    Tick(Duration),
}

/// One request that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedRequest {
    /// `keystone`, `heat`, `nova`, `glance`, `neutron`, `cinder`; empty for anything else.
    pub service: String,
    /// `GET`.
    pub method: String,
    /// Below the service, with its query: `/v1/<project>/stacks?tags=a`.
    pub path: String,
    /// Whose token came with it; empty where none did, or none that is known.
    pub user: String,
}

/// A request that is brought to the cloud without a connection.
#[derive(Clone, Debug)]
pub struct DirectRequest {
    /// `GET`.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// `X-Auth-Token`.
    pub token: Option<String>,
    /// `X-Subject-Token`.
    pub subject: Option<String>,
    /// Its body; empty where it has none.
    pub body: bytes::Bytes,
}

/// What the cloud answered to it.
#[derive(Clone, Debug)]
pub struct DirectAnswer {
    /// The HTTP status.
    pub status: u16,
    /// Names and values.
    pub headers: Vec<(&'static str, String)>,
    /// As it would be sent.
    pub body: Vec<u8>,
}

/// A running cloud; it ends when this is dropped.
#[derive(Debug)]
pub struct FakeOpenStack {
    url: String,
    cloud: Arc<Mutex<FakeCloud>>,
    tasks: Vec<JoinHandle<()>>,
}

impl FakeOpenStack {
    /// Starts on a free port of the loopback interface. Projects are `demo` and `other`, each with
    /// a user of its name and the password [`PASSWORD`].
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(config: FakeConfig) -> std::io::Result<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let cloud = Arc::new(Mutex::new(FakeCloud::new(&url, config.keystone)));
        let mut tasks = vec![tokio::spawn(server::serve(listener, Arc::clone(&cloud)))];
        if let StackPace::Tick(every) = config.pace {
            let cloud = Arc::clone(&cloud);
            tasks.push(tokio::spawn(async move {
                loop {
                    tokio::time::sleep(every).await;
                    lock(&cloud).step();
                }
            }));
        }
        Ok(Self { url, cloud, tasks })
    }

    /// A cloud that no connection leads to: requests are brought by [`Self::answer`], and stacks
    /// are advanced by the test.
    pub fn unserved() -> Self {
        let url = "http://192.0.2.1".to_owned();
        let cloud = Arc::new(Mutex::new(FakeCloud::new(&url, IdentityApi::V3)));
        Self {
            url,
            cloud,
            tasks: Vec::new(),
        }
    }

    /// Answers one request at once, whatever faults are injected.
    pub fn answer(&self, request: &DirectRequest) -> DirectAnswer {
        let call = request::FakeRequest::new(
            &request.method,
            &request.target,
            request.token.clone(),
            request.subject.clone(),
            request.body.clone(),
        );
        let mut cloud = self.lock();
        cloud.begin(&call);
        let reply = routes::answer_request(&mut cloud, &call);
        DirectAnswer {
            status: reply.status,
            headers: reply.headers,
            body: reply.body,
        }
    }

    /// Keystone's address: `http://127.0.0.1:PORT`, without a version.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// A token of the project's user, good for an hour.
    pub fn issue_token(&self, project: &str) -> String {
        self.issue_token_of(project, project)
    }

    /// A token of any user in the project, good for an hour.
    pub fn issue_token_of(&self, user: &str, project: &str) -> String {
        self.lock().issue(project, user, "password")
    }

    /// A token of the project's user, got by an application credential.
    pub fn issue_application_credential_token(&self, project: &str) -> String {
        self.lock()
            .issue(project, project, "application_credential")
    }

    /// From now on Heat shows this user everything and refuses them the rest with this status, as
    /// it does with 403 to whoever has the role `reader` alone.
    pub fn reader(&self, user: &str, status: u16) {
        self.lock().readers.insert(user.to_owned(), status);
    }

    /// A good token of no project.
    pub fn issue_unscoped_token(&self) -> String {
        self.lock().issue_unscoped()
    }

    /// Keystone says of tokens that it gives from now on that they last so long. They are good for
    /// longer: a test ends them by [`Self::expire_tokens`].
    pub fn set_token_life(&self, life: Duration) {
        self.lock().token_life = life;
    }

    /// From now on the services refuse this token.
    pub fn expire_token(&self, token: &str) {
        self.lock().tokens.remove(token);
    }

    /// From now on the services refuse every token that was given so far.
    pub fn expire_tokens(&self) {
        self.lock().tokens.clear();
    }

    /// Advances every stack by one step; whether any had one left.
    pub fn step(&self) -> bool {
        self.lock().step()
    }

    /// Advances every stack until none has a step left.
    pub fn finish(&self) {
        while self.step() {}
    }

    /// The next stack that is created fails so.
    pub fn next_create_fails(&self, how: CreateFails) {
        self.lock().next_create_fails = Some(how);
    }

    /// The next update of a stack fails so.
    pub fn next_update_fails(&self, how: UpdateFails) {
        self.lock().next_update_fails = Some(how);
    }

    /// What a living stack's template makes of a property, its functions resolved.
    pub fn property(
        &self,
        stack: &str,
        resource: &str,
        property: &str,
    ) -> Option<serde_json::Value> {
        self.lock().living(stack).map(|stack| {
            hot_functions::resolve_value(
                stack,
                &stack.template["resources"][resource]["properties"][property],
            )
        })
    }

    /// So many deletions, from now on, end in `DELETE_FAILED`.
    pub fn next_deletes_fail(&self, times: u32) {
        self.lock().deletes_fail = times;
    }

    /// A node's signal to a handle of a stack, as if the node had sent it; false when there is no
    /// such stack.
    pub fn signal(&self, stack: &str, handle: &str, id: &str, status: &str, reason: &str) -> bool {
        self.lock().living(stack).is_some_and(|stack| {
            stack.signal(handle, id, status, reason, reason);
            true
        })
    }

    /// A node's signal of its health, as if the node had sent it: the line of what has changed, and all
    /// that it knows.
    pub fn signal_health(&self, stack: &str, node: &str, line: &str, data: &str) -> bool {
        self.lock().living(stack).is_some_and(|stack| {
            let id = format!("health-{node}");
            stack.signal("progress_handle", &id, "SUCCESS", line, data);
            true
        })
    }

    /// What nodes are given to signal a handle of a stack with.
    pub fn handle_signal(&self, stack: &str, handle: &str) -> Option<String> {
        let mut cloud = self.lock();
        let stack = cloud.living(stack)?;
        let signal = hot_functions::handle_signal(stack, handle);
        signal.as_str().map(str::to_owned)
    }

    /// Injects a fault. Faults are tried in the order in which they were given.
    pub fn fault(&self, fault: InjectedFault) {
        self.lock().faults.push(fault);
    }

    /// Drops all faults.
    pub fn heal(&self) {
        self.lock().faults.clear();
    }

    /// Changes what the cloud has: flavors, images, keys, networks, quotas, services.
    pub fn edit(&self, change: impl FnOnce(&mut CloudFixtures)) {
        change(&mut self.lock().fixtures);
    }

    /// Everything that was asked so far, oldest first.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.lock().asked.clone()
    }

    /// How many requests of a service so far: `heat`.
    pub fn count(&self, service: &str) -> usize {
        self.lock()
            .asked
            .iter()
            .filter(|asked| asked.service == service)
            .count()
    }

    /// How many requests so far had this method and a path that holds this text.
    pub fn count_of(&self, service: &str, method: &str, path: &str) -> usize {
        let is = |asked: &&RecordedRequest| {
            asked.service == service && asked.method == method && asked.path.contains(path)
        };
        self.lock().asked.iter().filter(is).count()
    }

    /// Who has asked for this, each request's user, oldest first.
    pub fn askers(&self, service: &str, method: &str, path: &str) -> Vec<String> {
        let is = |asked: &&RecordedRequest| {
            asked.service == service && asked.method == method && asked.path.contains(path)
        };
        self.lock()
            .asked
            .iter()
            .filter(is)
            .map(|asked| asked.user.clone())
            .collect()
    }

    /// Name and status of every stack there ever was, in the order of their creation.
    pub fn stacks(&self) -> Vec<(String, String)> {
        self.lock()
            .stacks
            .iter()
            .map(|stack| (stack.name.clone(), stack.status()))
            .collect()
    }

    /// The template and files that a living stack was made from.
    pub fn template(
        &self,
        stack: &str,
    ) -> Option<(
        serde_json::Value,
        std::collections::BTreeMap<String, String>,
    )> {
        self.lock()
            .living(stack)
            .map(|stack| (stack.template.clone(), stack.files.clone()))
    }

    /// Changes a parameter of a living stack, as somebody else in the project may.
    pub fn edit_parameter(&self, stack: &str, name: &str, change: impl FnOnce(&str) -> String) {
        let mut cloud = self.lock();
        if let Some(stack) = cloud.living(stack) {
            let text = stack.parameters[name].as_str().unwrap_or_default();
            let text = change(text);
            stack.parameters.insert(name.to_owned(), text.into());
        }
    }

    /// Another stack that Heat shows like this one, of another name; `renamed` is replaced in its
    /// tags. Its id. It cannot be changed: of its template only what the outputs say is left.
    pub fn copy_stack(&self, of: &str, name: &str, renamed: &[(&str, &str)]) -> Option<String> {
        let mut cloud = self.lock();
        let id = values::uuid(0x5a, cloud.next());
        let original = cloud.living(of)?;
        let mut outputs = original.template["outputs"].clone();
        for output in outputs
            .as_object_mut()
            .into_iter()
            .flat_map(|all| all.values_mut())
        {
            output["value"] = hot_functions::resolve_value(original, &output["value"]);
        }
        let template = serde_json::json!({
            "description": original.template["description"],
            "outputs": outputs,
        });
        let rename = |tag: &String| {
            let mut tag = tag.clone();
            for (from, to) in renamed {
                tag = tag.replace(from, to);
            }
            tag
        };
        let mut copy = original.clone();
        copy.tags = copy.tags.iter().map(rename).collect();
        copy.id.clone_from(&id);
        name.clone_into(&mut copy.name);
        copy.template = template;
        copy.files.clear();
        copy.resources.clear();
        cloud.stacks.push(copy);
        Some(id)
    }

    /// Somebody's check of a living stack fails.
    pub fn check_fails(&self, stack: &str) {
        if let Some(stack) = self.lock().living(stack) {
            stack.check_fails();
        }
    }

    /// Somebody has Heat delete a living stack; `fails`: it will end in `DELETE_FAILED`.
    pub fn delete_outside(&self, stack: &str, fails: bool) {
        if let Some(stack) = self.lock().living(stack) {
            stack.delete(fails);
        }
    }

    /// Removes a stack and every trace of it, as an operator could.
    pub fn vanish(&self, stack: &str) {
        self.lock().stacks.retain(|known| known.name != stack);
    }

    fn lock(&self) -> MutexGuard<'_, FakeCloud> {
        lock(&self.cloud)
    }
}

impl Drop for FakeOpenStack {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

fn lock(cloud: &Mutex<FakeCloud>) -> MutexGuard<'_, FakeCloud> {
    cloud.lock().unwrap_or_else(PoisonError::into_inner)
}
