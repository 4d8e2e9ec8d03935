//! Plans made up of nothing: a master that lets workers go and hears of them, and whatever further
//! groups there are.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::{Map, Value, json};
use stampede::{
    bundle::{
        member_news::members_file,
        node_script::{NodeContent, NodeFile},
    },
    cluster::{
        ClusterSpec, FrameworkDescriptor, GroupSpec, Problem,
        component::{ComponentMember, ComponentNeed, ComponentPlacement},
        framework::NodeResources,
        framework_request::{ComponentGrant, FrameworkClaims},
    },
    orchestrator::{
        ClusterPlanner,
        planning::planner::{ClaimedCluster, PluginChain, ResolvedFlavors, StackPlan},
    },
};

/// Plans made up of nothing, counted.
pub(crate) struct Plans {
    hadoop: FrameworkDescriptor,
    made: AtomicUsize,
    ordered: AtomicUsize,
    version: AtomicUsize,
    panics_at: AtomicUsize,
    job_tellers: Mutex<BTreeSet<String>>,
}

impl Plans {
    pub(crate) fn new() -> Self {
        Self {
            hadoop: hadoop(),
            made: AtomicUsize::new(0),
            ordered: AtomicUsize::new(0),
            version: AtomicUsize::new(1),
            panics_at: AtomicUsize::new(0),
            job_tellers: Mutex::default(),
        }
    }

    /// How often plugins were asked for a plan.
    pub(crate) fn made(&self) -> usize {
        self.made.load(Ordering::Relaxed)
    }

    /// How often the chain of plugins was worked out.
    pub(crate) fn ordered(&self) -> usize {
        self.ordered.load(Ordering::Relaxed)
    }

    /// The n-th plan of all, from 1, meets a defect of this host.
    pub(crate) fn panic_at(&self, n: usize) {
        self.panics_at.store(n, Ordering::Relaxed);
    }

    /// From now on these components tell of jobs.
    pub(crate) fn tell_jobs(&self, components: &[&str]) {
        let components = components.iter().map(|name| (*name).to_owned());
        *self.job_tellers.lock().unwrap() = components.collect();
    }

    /// From now on the plugins are others: what they say of the nodes is not what it was.
    pub(crate) fn replace_plugins(&self) {
        self.version.fetch_add(1, Ordering::Relaxed);
    }
}

fn hadoop() -> FrameworkDescriptor {
    let properties = json!({ "replication": {}, "data_volume_gib": { "x-fixed": true } });
    FrameworkDescriptor {
        name: "hadoop".to_owned(),
        title: "Hadoop".to_owned(),
        versions: vec!["3.5.0".into()],
        parameters: json!({ "properties": properties }).into(),
        ..FrameworkDescriptor::default()
    }
}

impl ClusterPlanner for Plans {
    fn descriptors(&self) -> Vec<&FrameworkDescriptor> {
        vec![&self.hadoop]
    }

    fn plugin_digest(&self, _: &str) -> Option<String> {
        None
    }

    fn order_plugins(&self, _: &ClusterSpec) -> Result<PluginChain, Vec<Problem>> {
        self.ordered.fetch_add(1, Ordering::Relaxed);
        Ok(PluginChain {
            plugins: [HADOOP, OTHER].map(str::to_owned).to_vec(),
        })
    }

    fn check_settings(&self, _: &ClusterSpec, _: &PluginChain) -> Vec<Problem> {
        Vec::new()
    }

    fn claim<'a>(
        &'a self,
        spec: &'a ClusterSpec,
        _: &'a PluginChain,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<ClaimedCluster, Vec<Problem>>> + Send + 'a>>
    {
        let placements = placements(spec);
        let needs = |plugin: &str| {
            let own = placements.iter().map(|one| one.component.clone());
            let own = own.filter(|component| plugin_of(component) == plugin);
            FrameworkClaims {
                needs: own
                    .map(|component| ComponentNeed {
                        component,
                        ..ComponentNeed::default()
                    })
                    .collect(),
                ..FrameworkClaims::default()
            }
        };
        let claimed = ClaimedCluster {
            spec: with_computed(spec),
            claims: [HADOOP, OTHER].map(needs).to_vec(),
            placements,
            smallest: smallest(spec),
            ..ClaimedCluster::default()
        };
        Box::pin(std::future::ready(Ok(claimed)))
    }

    fn plan<'a>(
        &'a self,
        spec: &'a ClusterSpec,
        _: &'a PluginChain,
        claimed: &'a ClaimedCluster,
        chosen: &'a ResolvedFlavors,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<StackPlan, Vec<Problem>>> + Send + 'a>> {
        let made = 1 + self.made.fetch_add(1, Ordering::Relaxed);
        assert_ne!(
            made,
            self.panics_at.load(Ordering::Relaxed),
            "broken on purpose"
        );
        let version = self.version.load(Ordering::Relaxed);
        let job_tellers = self.job_tellers.lock().unwrap().clone();
        Box::pin(async move {
            let mut plan = planned(spec, claimed);
            plan.grants = grants(spec, chosen);
            plan.job_tellers = job_tellers;
            for content in plan.contents.values_mut() {
                let version = ("STAMPEDE_VERSION", version.to_string());
                content.variables.push(version);
            }
            Ok(plan)
        })
    }
}

/// The plugin of what runs on masters and workers: the master lets workers go and hears of them.
const HADOOP: &str = "hadoop";
/// The plugin of what runs on all other groups, which nobody has to let go.
const OTHER: &str = "other";

/// The component that runs on a group.
fn component_of(group: &str) -> String {
    format!("on_{group}")
}

fn plugin_of(component: &str) -> &'static str {
    match component {
        "on_master" | "on_worker" => HADOOP,
        _ => OTHER,
    }
}

/// Members keep their numbers, and who comes gets those behind them.
fn placements(spec: &ClusterSpec) -> Vec<ComponentPlacement> {
    let recorded = spec.pins.as_deref().map(|pins| pins.placements.clone());
    let recorded = recorded.unwrap_or_default();
    let of_group = |group: &GroupSpec| {
        let component = component_of(&group.name);
        let before = recorded.iter().find(|one| one.component == component);
        let before: &[ComponentMember] = before.map_or(&[], |one| &one.members);
        let last = before.iter().map(|member| member.index).max().unwrap_or(0);
        let mut next = last + 1..;
        let member = |node: String| {
            let known = before.iter().find(|member| member.node == node);
            let index = known.map_or_else(|| next.next().unwrap(), |member| member.index);
            ComponentMember { node, index }
        };
        ComponentPlacement {
            component,
            members: group.node_names().into_iter().map(member).collect(),
        }
    };
    spec.groups.with_nodes().map(of_group).collect()
}

/// The smallest node of each group.
fn smallest(spec: &ClusterSpec) -> BTreeMap<String, NodeResources> {
    let of_group = |group: &str| {
        let (ram_mib, disk_gib) = match group {
            "master" => (2_000, 10),
            "worker" => (1_000, 10),
            _ => (512, 1),
        };
        NodeResources {
            vcpus: 1,
            ram_mib,
            disk_gib,
        }
    };
    let groups = spec.groups.names();
    groups
        .map(|group| (group.to_owned(), of_group(group)))
        .collect()
}

/// Nobody needs any memory.
fn grants(spec: &ClusterSpec, chosen: &ResolvedFlavors) -> BTreeMap<String, Vec<ComponentGrant>> {
    let mut all: BTreeMap<String, Vec<ComponentGrant>> = BTreeMap::new();
    for group in spec.groups.with_nodes() {
        let (component, flavor) = (component_of(&group.name), chosen.of_group(&group.name));
        let own = all.entry(plugin_of(&component).to_owned()).or_default();
        own.push(ComponentGrant {
            component,
            group: group.name.clone(),
            vcpus: flavor.vcpus,
            disk_gib: flavor.disk_gib,
            ..ComponentGrant::default()
        });
    }
    all
}

/// What was computed at deploy stays as it was.
fn with_computed(spec: &ClusterSpec) -> ClusterSpec {
    let mut spec = spec.clone();
    let replication = workers(&spec).min(3).to_string();
    let own = spec.computed.entry(HADOOP.to_owned()).or_default();
    own.entry("replication".to_owned()).or_insert(replication);
    spec
}

fn planned(spec: &ClusterSpec, claimed: &ClaimedCluster) -> StackPlan {
    let template: Value = json!({
        "heat_template_version": "2018-08-31",
        "resources": resources(spec),
        "outputs": { "namenode_ui": { "value": "http://192.0.2.7:9870/" } },
    });
    let endpoints = serde_json::from_value(json!({"namenode_ui": "namenode_ui"})).unwrap();
    let replication = spec
        .settings_of("hadoop")
        .remove("replication")
        .unwrap_or_else(|| workers(spec).min(3).to_string());
    let contents = spec.groups.with_nodes();
    let contents = contents.map(|group| {
        let content = content(&group.name, &replication, &claimed.placements);
        (group.name.clone(), content)
    });
    StackPlan {
        template,
        endpoints,
        computed: spec.computed.clone(),
        contents: contents.collect(),
        ..StackPlan::default()
    }
}

/// What stands on the nodes of a group: a file that what runs there restarts for, and who has what.
fn content(group: &str, replication: &str, placements: &[ComponentPlacement]) -> NodeContent {
    let component = component_of(group);
    let plugin = plugin_of(&component);
    let file = |path: &str, content: String| NodeFile {
        mode: 0o644,
        path: path.to_owned(),
        content,
    };
    let manifest = format!(
        "component\tname={component}\tplugin={plugin}\n\
         file\tpath=/etc/replication\tfrom=/etc/replication\tplugin={plugin}\teffect=restart\n\
         unit\tname=runs\tcomponent={component}\n"
    );
    let mut files = vec![
        file("/etc/replication", format!("{replication}\n")),
        file("/opt/stampede/manifest", manifest),
        members_file(placements),
    ];
    if group == "master" {
        for stage in ["drain", "members"] {
            let path = format!("/opt/stampede/scripts/01-{plugin}/{stage}.{component}.sh");
            files.push(file(&path, format!("{stage}\n")));
        }
    }
    NodeContent {
        variables: vec![("STAMPEDE_MIRROR", "none".to_owned())],
        files,
    }
}

fn workers(spec: &ClusterSpec) -> u32 {
    spec.groups.get("worker").unwrap().count
}

/// Nodes, their volumes, and what waits for them.
fn resources(spec: &ClusterSpec) -> Map<String, Value> {
    let nodes = spec.node_names();
    let nodes: Vec<String> = nodes.iter().map(|node| node.replace('-', "_")).collect();
    let worker = spec.groups.get("worker").unwrap();
    let mut resources = Map::new();
    for handle in ["progress_handle", "ready_handle"] {
        resources.insert(
            handle.to_owned(),
            json!({ "type": "OS::Heat::WaitConditionHandle" }),
        );
    }
    for node in &nodes {
        let named = spec.groups.find_node(&node.replace('_', "-"));
        let (group, _) = named.unwrap();
        let role = &group.name;
        let properties = json!({
            "name": node, "image": spec.image_of(group), "flavor": group.flavor, "networks": [], "user_data": "",
            "metadata": { "stampede_role": role },
        });
        resources.insert(
            format!("{node}_server"),
            json!({ "type": "OS::Nova::Server", "properties": properties }),
        );
    }
    let gib = spec
        .settings
        .get("hadoop")
        .and_then(|settings| settings.get("data_volume_gib"))
        .and_then(|text| text.parse::<u32>().ok());
    for (node, gib) in nodes.iter().skip(1).filter_map(|node| Some((node, gib?))) {
        resources.insert(
            format!("hadoop_{node}_volume"),
            json!({ "type": "OS::Cinder::Volume", "properties": { "size": gib } }),
        );
    }
    let properties = json!({ "handle": { "get_resource": "ready_handle" }, "count": 1 + worker.node_ids().iter().max().unwrap(), "timeout": spec.timeout_s });
    resources.insert(
        "ready".to_owned(),
        json!({ "type": "OS::Heat::WaitCondition", "properties": properties }),
    );
    resources
}
