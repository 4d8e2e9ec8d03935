//! The state of the fake OpenStack: tokens, stacks, fixtures, injected faults, recorded requests.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use super::{
    FaultKind, IdentityApi, InjectedFault, RecordedRequest, faults,
    request::FakeRequest,
    stack::{CreateFails, FakeStack},
    stack_update::UpdateFails,
    values::uuid,
};

/// The password of every user, and the secret of every application credential (whose id is its
/// user's name).
pub const PASSWORD: &str = "stand-in";

/// How long tokens last.
const TOKEN_LIFE: Duration = Duration::from_secs(3600);

/// The whole cloud.
#[derive(Debug)]
pub(super) struct FakeCloud {
    pub(super) url: String,
    pub(super) api: IdentityApi,
    pub(super) tokens: BTreeMap<String, FakeToken>,
    pub(super) stacks: Vec<FakeStack>,
    pub(super) fixtures: CloudFixtures,
    pub(super) faults: Vec<InjectedFault>,
    pub(super) asked: Vec<RecordedRequest>,
    /// Users who may only look, and the status with which Heat refuses them the rest.
    pub(super) readers: BTreeMap<String, u16>,
    pub(super) next_create_fails: Option<CreateFails>,
    pub(super) deletes_fail: u32,
    pub(super) next_update_fails: Option<UpdateFails>,
    /// How long tokens last that are given from now on.
    pub(super) token_life: Duration,
    serial: u64,
}

/// A token that Keystone gave.
#[derive(Debug)]
pub(super) struct FakeToken {
    pub(super) project: Option<String>,
    pub(super) user: String,
    pub(super) method: &'static str,
    pub(super) expires: SystemTime,
}

/// What the cloud has. As small as the testbed's, and without any quota.
#[derive(Clone, Debug)]
pub struct CloudFixtures {
    /// Flavors of every project.
    pub flavors: Vec<FakeFlavor>,
    /// Public images.
    pub images: Vec<FakeImage>,
    /// Names of key pairs, every user's.
    pub keypairs: Vec<String>,
    /// Availability zones of Nova, and whether each takes servers.
    pub zones: Vec<(String, bool)>,
    /// Networks that everybody sees.
    pub networks: Vec<FakeNetwork>,
    /// The same for every project.
    pub quota: FakeQuota,
    /// Regions besides `RegionOne`, in the order of the catalog, before it. Each has all services,
    /// and stacks of its own.
    pub regions: Vec<&'static str>,
    /// Service types that the catalog does not name: `cloudformation`.
    pub without: Vec<&'static str>,
    /// Service types whose address in the catalog is another one, or which it has besides, and that
    /// address.
    pub elsewhere: Vec<(&'static str, String)>,
    /// Nova and Glance give no more on a page, whatever is asked.
    pub largest_page: usize,
    /// They give the first page whatever is asked.
    pub ignores_markers: bool,
}

/// A flavor.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "Nova's own names")]
pub struct FakeFlavor {
    pub id: String,
    pub name: String,
    pub vcpus: u32,
    pub ram: u32,
    pub disk: u32,
    pub disabled: bool,
}

/// An image.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "Glance's own names")]
pub struct FakeImage {
    pub id: String,
    pub name: String,
    pub status: String,
    pub min_ram: u32,
    pub min_disk: u32,
    pub os_distro: String,
    pub os_version: String,
}

/// A network.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "Neutron's own names")]
pub struct FakeNetwork {
    pub id: String,
    pub name: String,
    pub external: bool,
    pub is_default: bool,
}

/// How much there may be; -1 is no limit. What is used is counted from the stacks.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "Nova's, Neutron's and Cinder's own names")]
pub struct FakeQuota {
    pub instances: i64,
    pub cores: i64,
    pub ram: i64,
    pub port: i64,
    pub network: i64,
    pub subnet: i64,
    pub router: i64,
    pub floatingip: i64,
    pub security_group: i64,
    pub security_group_rule: i64,
    pub server_group: i64,
    pub server_group_members: i64,
    pub volumes: i64,
    pub gigabytes: i64,
}

impl Default for FakeQuota {
    fn default() -> Self {
        let none = -1;
        Self {
            instances: none,
            cores: none,
            ram: none,
            port: none,
            network: none,
            subnet: none,
            router: none,
            floatingip: none,
            security_group: none,
            security_group_rule: none,
            server_group: none,
            server_group_members: none,
            volumes: none,
            gigabytes: none,
        }
    }
}

impl Default for CloudFixtures {
    fn default() -> Self {
        let flavor = |at: u64, name: &str, vcpus, ram, disk| FakeFlavor {
            id: uuid(0xf1, at),
            name: name.to_owned(),
            vcpus,
            ram,
            disk,
            disabled: false,
        };
        let image = |at, name: &str| FakeImage {
            id: uuid(0x1a, at),
            name: name.to_owned(),
            status: "active".to_owned(),
            min_ram: 0,
            min_disk: 0,
            os_distro: "debian".to_owned(),
            os_version: "12".to_owned(),
        };
        Self {
            flavors: vec![
                flavor(1, "m1.tiny", 1, 256, 1),
                flavor(2, "m1.small", 1, 512, 5),
                flavor(3, "m1.medium", 2, 1024, 10),
                flavor(4, "m1.large", 2, 2048, 20),
                flavor(5, "m1.xlarge", 2, 4096, 20),
                flavor(6, "m1.2xlarge", 4, 8192, 40),
            ],
            images: vec![image(1, "debian-12"), image(2, "debian-12-plain")],
            keypairs: vec!["demo-key".to_owned()],
            zones: [("nova", true), ("az2", true), ("az3", false)]
                .map(|(name, available)| (name.to_owned(), available))
                .into(),
            networks: vec![FakeNetwork {
                id: uuid(0x2e, 1),
                name: "public".to_owned(),
                external: true,
                is_default: false,
            }],
            quota: FakeQuota::default(),
            regions: Vec::new(),
            without: Vec::new(),
            elsewhere: Vec::new(),
            largest_page: 1000,
            ignores_markers: false,
        }
    }
}

impl FakeCloud {
    pub(super) fn new(url: &str, api: IdentityApi) -> Self {
        Self {
            url: url.to_owned(),
            api,
            tokens: BTreeMap::new(),
            stacks: Vec::new(),
            fixtures: CloudFixtures::default(),
            faults: Vec::new(),
            asked: Vec::new(),
            readers: BTreeMap::new(),
            next_create_fails: None,
            deletes_fail: 0,
            next_update_fails: None,
            token_life: TOKEN_LIFE,
            serial: 0,
        }
    }

    /// Records the request; returns the fault that is injected into it.
    pub(super) fn begin(&mut self, call: &FakeRequest) -> Option<FaultKind> {
        let user = call
            .token
            .as_ref()
            .and_then(|token| self.tokens.get(token))
            .map(|token| token.user.clone())
            .unwrap_or_default();
        self.asked.push(RecordedRequest {
            service: call.service.to_owned(),
            method: call.method.clone(),
            path: call.target.clone(),
            user,
        });
        let region = call.region.as_ref();
        let region = region.map_or_else(String::new, |region| format!("/region/{region}"));
        let path = region + &call.target;
        faults::take(&mut self.faults, call.service, &call.method, &path)
    }

    /// Advances every stack by one step; whether any had one left.
    pub(super) fn step(&mut self) -> bool {
        self.stacks
            .iter_mut()
            .filter_map(|stack| stack.step().then_some(()))
            .count()
            > 0
    }

    pub(super) fn issue(&mut self, project: &str, user: &str, method: &'static str) -> String {
        let id = self.project_id(project);
        self.add_token(id, user, method)
    }

    pub(super) fn issue_unscoped(&mut self) -> String {
        self.add_token(None, "demo", "password")
    }

    pub(super) fn add_token(
        &mut self,
        project: Option<String>,
        user: &str,
        method: &'static str,
    ) -> String {
        let id = format!("gAAAA-stand-in-{}-{user}", self.next());
        let expires = SystemTime::now() + self.token_life;
        self.tokens.insert(
            id.clone(),
            FakeToken {
                project,
                user: user.to_owned(),
                method,
                expires,
            },
        );
        id
    }

    /// A project's id, by id or name. Besides the two there are as many as one likes, `many-1` and
    /// so on.
    pub(super) fn project_id(&self, name_or_id: &str) -> Option<String> {
        let fixed = PROJECTS
            .iter()
            .find(|(id, name)| *id == name_or_id || *name == name_or_id)
            .map(|(id, _)| (*id).to_owned());
        let number = || {
            name_or_id.strip_prefix(MANY).map_or_else(
                || u32::from_str_radix(name_or_id, 16).ok(),
                |number| number.parse().ok(),
            )
        };
        fixed.or_else(|| number().map(|number| format!("{number:032x}")))
    }

    pub(super) fn project_name(&self, id: &str) -> String {
        let many = || {
            u32::from_str_radix(id, 16)
                .map_or_else(|_| String::new(), |number| format!("{MANY}{number}"))
        };
        PROJECTS
            .iter()
            .find(|(known, _)| *known == id)
            .map_or_else(many, |(_, name)| (*name).to_owned())
    }

    /// The regions, in the order of the catalog.
    pub(super) fn regions(&self) -> Vec<&'static str> {
        let others = self.fixtures.regions.iter().copied();
        others.chain([MAIN_REGION]).collect()
    }

    /// Type, name and address of every service of a region.
    pub(super) fn endpoints(
        &self,
        project: &str,
        region: &str,
    ) -> Vec<(&'static str, &'static str, String)> {
        let url = &match region {
            MAIN_REGION => self.url.clone(),
            other => format!("{}/region/{other}", self.url),
        };
        let all = [
            (
                "orchestration",
                "heat",
                format!("{url}/heat-api/v1/{project}"),
            ),
            ("network", "neutron", format!("{url}/network")),
            ("identity", "keystone", url.clone()),
            ("compute", "nova", format!("{url}/compute/v2.1")),
            (
                "cloudformation",
                "heat-cfn",
                format!("{url}/heat-api-cfn/v1"),
            ),
            ("image", "glance", format!("{url}/image")),
            ("volumev3", "cinder", format!("{url}/volume/v3/{project}")),
        ];
        let there = all
            .iter()
            .filter(|(service_type, _, _)| !self.fixtures.without.contains(service_type))
            .cloned();
        let moved = |of: &str| {
            self.fixtures
                .elsewhere
                .iter()
                .find(|(service_type, _)| *service_type == of)
                .map(|(_, url)| url.clone())
        };
        let besides = self.fixtures.elsewhere.iter();
        let besides = besides.filter(|(of, _)| all.iter().all(|(known, _, _)| known != of));
        let besides = besides.map(|(of, url)| (*of, *of, url.clone()));
        there
            .map(|(service_type, name, url)| {
                (service_type, name, moved(service_type).unwrap_or(url))
            })
            .chain(besides)
            .collect()
    }

    pub(super) fn living(&mut self, name: &str) -> Option<&mut FakeStack> {
        self.stacks
            .iter_mut()
            .find(|stack| stack.name == name && !stack.is_gone())
    }

    /// How many resources of this type the project's stacks have made.
    pub(super) fn count_resources(&self, project: &str, kind: &str) -> usize {
        self.stacks
            .iter()
            .filter(|stack| stack.project == project)
            .map(|stack| stack.made(kind))
            .sum()
    }

    /// A number that no other thing has.
    pub(super) fn next(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }
}

/// The region that is always there.
pub(super) const MAIN_REGION: &str = "RegionOne";
const MANY: &str = "many-";
const PROJECTS: [(&str, &str); 2] = [
    ("27d692374b8a4c4a80eba040b21ea24b", "demo"),
    ("5b1c0ffee0ddf00dbadc0dedeadbeef0", "other"),
];
