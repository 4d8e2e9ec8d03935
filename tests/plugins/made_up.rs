//! Frameworks that are made up, so that each says what a test needs, beside the
//! real plugin `cluster`.

use std::sync::{Arc, LazyLock, Mutex};

use futures_util::future::BoxFuture;
use serde_json::json;
use stampede::cluster::Problem;
use stampede::cluster::component::{ComponentNeed, ComponentSpec};
use stampede::cluster::framework_bundle::{ConfigFile, FileEffect, FrameworkBundle};
use stampede::cluster::framework_descriptor::FrameworkDescriptor;
use stampede::cluster::framework_request::{
    ConfigExtension, FrameworkClaims, FrameworkRequest, FrameworkService, GenerateQuestion,
};
use stampede::orchestrator::planning::ask_claims::FrameworkSource;
use stampede::orchestrator::planning::plan_error::PlanError;
use stampede::plugin::{PluginLimits, PluginRegistry};
use stampede_tests::artifacts;

/// The plugin `cluster`.
static REAL: LazyLock<PluginRegistry> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let target = artifacts::target_folder();
    let file = folder.path().join("cluster.wasm");
    std::fs::copy(target.join("plugins/cluster.wasm"), file).expect("run tests/build first");
    let cache = target.join("guests/cache");
    PluginRegistry::load(folder.path(), Some(&cache), PluginLimits::default()).unwrap()
});

/// A framework that is made up.
#[derive(Clone)]
pub(crate) struct MadeUp {
    pub(crate) descriptor: FrameworkDescriptor,
    pub(crate) claims: FrameworkClaims,
    /// What it refuses a claim for, and what it refuses to generate for.
    pub(crate) refuses: [Option<&'static str>; 2],
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn made_up(
    name: &str,
    [uses, provides]: [&[&str]; 2],
    components: &[(&str, &[&str], u32)],
) -> MadeUp {
    let specs = components
        .iter()
        .map(|(name, groups, nodes)| ComponentSpec {
            name: (*name).to_owned(),
            groups: owned(groups),
            nodes: *nodes,
            ..ComponentSpec::default()
        });
    let needs = components.iter().map(|(name, _, _)| ComponentNeed {
        component: (*name).to_owned(),
        least_mib: 256,
        weight: 1,
        disk_gib: 1,
        ..ComponentNeed::default()
    });
    let parameters = json!({
        "type": "object",
        "properties": {
            "copies": { "type": "integer", "description": "How often.", "minimum": 1 },
            "all": { "type": "integer", "description": "Of all.", "default": 2 },
        },
        "not": { "properties": { "copies": { "const": 13 } }, "required": ["copies"] },
    });
    MadeUp {
        descriptor: FrameworkDescriptor {
            name: name.to_owned(),
            title: name.to_owned(),
            description: "Made up.".to_owned(),
            versions: Vec::new(),
            requires: Vec::new(),
            uses: owned(uses),
            provides: owned(provides),
            components: specs.collect(),
            parameters: parameters.into(),
            resource_types: Vec::new(),
        },
        claims: FrameworkClaims {
            needs: needs.collect(),
            ..FrameworkClaims::default()
        },
        refuses: [None, None],
    }
}

/// Frameworks of which one builds on the other, and one that stands alone.
pub(crate) fn usual() -> Vec<MadeUp> {
    let mut compute = made_up(
        "compute",
        [&["hdfs"], &["jobs"]],
        &[("compute_worker", &["worker"], 0)],
    );
    compute.claims.extensions = ["hdfs", "nobodys"]
        .map(|service| ConfigExtension {
            service: service.to_owned(),
            key: "core-site/x".to_owned(),
            value: "1".to_owned(),
        })
        .into();
    let files: [(&str, &[&str], u32); 2] =
        [("name_node", &["master"], 1), ("data_node", &["worker"], 0)];
    vec![
        made_up("files", [&[], &["hdfs"]], &files),
        compute,
        made_up(
            "notes",
            [&["jobs", "hdfs"], &[]],
            &[("notes_page", &["edge", "master"], 1)],
        ),
        made_up(
            "alone",
            [&[], &["alone"]],
            &[("alone_server", &["quorum"], 3)],
        ),
    ]
}

/// All that plugins were asked, in the order.
pub(crate) type AskedPlugins = Vec<(String, GenerateQuestion)>;

pub(crate) struct MadeUpSource {
    frameworks: Vec<MadeUp>,
    pub(crate) asked: Mutex<AskedPlugins>,
}

impl MadeUpSource {
    pub(crate) fn of(frameworks: Vec<MadeUp>) -> Self {
        let asked = Mutex::default();
        Self { frameworks, asked }
    }

    fn find(&self, name: &str) -> Option<&MadeUp> {
        let mut all = self.frameworks.iter();
        all.find(|one| one.descriptor.name == name)
    }

    pub(crate) fn question(&self, name: &str) -> GenerateQuestion {
        let asked = self.asked.lock().unwrap();
        let of_name = asked.iter().find(|(plugin, _)| plugin == name);
        of_name
            .unwrap_or_else(|| panic!("{name} was not asked"))
            .1
            .clone()
    }
}

fn refusal(name: &str, why: Option<&str>) -> Result<(), PlanError> {
    let problem = |why: &str| PlanError::Problems(vec![Problem::new(name, why, "")]);
    why.map_or(Ok(()), |why| Err(problem(why)))
}

impl FrameworkSource for MadeUpSource {
    fn frameworks(&self) -> Vec<&FrameworkDescriptor> {
        let own = self.frameworks.iter().map(|one| &one.descriptor);
        FrameworkSource::frameworks(&*REAL)
            .into_iter()
            .chain(own)
            .collect()
    }

    fn claim<'a>(
        &'a self,
        plugin: &'a str,
        request: &'a FrameworkRequest,
        running: Option<&'a FrameworkRequest>,
    ) -> BoxFuture<'a, Result<FrameworkClaims, PlanError>> {
        let Some(one) = self.find(plugin) else {
            return FrameworkSource::claim(&*REAL, plugin, request, running);
        };
        let mut claims = one.claims.clone();
        // As the contract has it: what is set already is not computed.
        claims
            .computed
            .retain(|(name, _)| !request.settings.contains_key(name));
        let answer = refusal(plugin, one.refuses[0]).map(|()| claims);
        Box::pin(std::future::ready(answer))
    }

    fn add<'a>(
        &'a self,
        plugin: &'a str,
        question: &'a Arc<GenerateQuestion>,
    ) -> BoxFuture<'a, Result<FrameworkBundle, PlanError>> {
        let asked = (plugin.to_owned(), question.as_ref().clone());
        self.asked.lock().unwrap().push(asked);
        let Some(one) = self.find(plugin) else {
            return FrameworkSource::add(&*REAL, plugin, question);
        };
        let answer = refusal(plugin, one.refuses[1]).map(|()| bundle(one, question));
        Box::pin(std::future::ready(answer))
    }
}

/// A file that says what was granted, and its services.
fn bundle(one: &MadeUp, question: &GenerateQuestion) -> FrameworkBundle {
    let name = &one.descriptor.name;
    let claimed = question.needs.iter().map(|need| need.component.clone());
    let service = |service: &String| FrameworkService {
        name: service.clone(),
        attributes: vec![("url".to_owned(), format!("x://{name}"))],
    };
    let files = (!question.needs.is_empty()).then(|| ConfigFile {
        components: claimed.collect(),
        groups: Vec::new(),
        path: format!("/etc/{name}/granted"),
        owner: "root".to_owned(),
        mode: 0o644,
        effect: FileEffect::Nothing,
        content: json!(question.grants).to_string(),
    });
    FrameworkBundle {
        plugin: name.clone(),
        template: json!({}),
        software: Vec::new(),
        artifacts: Vec::new(),
        secrets: Vec::new(),
        files: files.into_iter().collect(),
        units: Vec::new(),
        checks: Vec::new(),
        scripts: Vec::new(),
        endpoints: Vec::new(),
        services: one.descriptor.provides.iter().map(service).collect(),
    }
}
