//! The Stampede plugin `zookeeper`: an odd number of servers that agree on small data, and stay the
//! same while the cluster around them grows.
//!
//! The list of servers stands in no file: nobody restarts because a voter comes or goes. Each
//! server has its index as its number; who joins follows without a vote until `members` lets it
//! vote, and who leaves votes no more before its node goes (`drain`).
//!
//! Layout
//! - here: the three functions
//! - `settings`: the parameters
//! - `scripts/`: what nodes run; nothing is filled into them but what the frame fills in

mod settings;

use stampede_framework::parameters::read_settings;
use stampede_framework::{
    Artifact, Bundle, Claims, Descriptor, Effect, Extension, File, Grant, Guest, Problem, Reach,
    Request, Script, Stage, Unit, apache, check, component, config_lines, descriptor, endpoint,
    file, grants_of, java, need, problem, script, secret, service, unit,
};

use settings::ZookeeperSettings;

/// The plugin.
#[derive(Debug)]
pub struct ZookeeperPlugin;

stampede_framework::export!(ZookeeperPlugin);

const NAME: &str = "zookeeper";
const SERVER: &str = "zookeeper_server";
const DATA: &str = "/var/lib/zookeeper";
const CLIENT_PORT: u16 = 2_181;
/// Clients, followers, elections.
const PORTS: [u16; 3] = [CLIENT_PORT, 2_888, 3_888];
/// Voters of a component; more only make writes slower.
const MOST_VOTERS: u32 = 7;
/// What a JVM takes beside its heap, in MiB.
const JVM_MIB: u32 = 128;
/// The heap of a server that is given no more, in MiB.
const SMALL_HEAP_MIB: u32 = 256;
/// The heap that a server takes unasked at most, in MiB.
const LARGE_HEAP_MIB: u32 = 1_024;
/// The range of Java versions that all releases run on.
const JAVA: (u32, u32) = (11, 21);

/// A release, and the checksum of its official tarball where two independent places tell the same.
struct ZookeeperRelease {
    version: &'static str,
    sha512: Option<&'static str>,
}

/// The first is what a request gets that names none, so its checksum is known.
const RELEASES: [ZookeeperRelease; 2] = [
    ZookeeperRelease {
        version: "3.9.3",
        sha512: Some(
            "d44d870c1691662efbf1a8baf1859c901b820dc5ff163b36e81beb27b6fbf3cd31b5f1f075697edaaf6d3e7a4cb0cc92f924dcff64b294ef13d535589bdaf143",
        ),
    },
    ZookeeperRelease {
        version: "3.9.5",
        sha512: None,
    },
];

impl Guest for ZookeeperPlugin {
    fn describe() -> Descriptor {
        descriptor(
            NAME,
            "Apache ZooKeeper",
            "Keeps small data that many agree on.",
        )
        .with_versions(&RELEASES.each_ref().map(|release| release.version))
        .with_components([component(SERVER, &["worker"])
            .on_nodes(3)
            .at_most(MOST_VOTERS)
            .voting()])
        .with_parameters(settings::parameters())
        .providing(&[NAME])
    }

    fn claim(request: Request, running: Option<Request>) -> Result<Claims, Vec<Problem>> {
        let settings: ZookeeperSettings = read_settings(NAME, &request)?;
        let problems: Vec<Problem> = [
            check_voters(&request, &settings),
            check_majority(&request, running.as_ref()),
            check_checksum(&request, &settings),
        ]
        .into_iter()
        .flatten()
        .collect();
        if !problems.is_empty() {
            return Err(problems);
        }
        let (least, most) = settings
            .heap_mib
            .map_or((SMALL_HEAP_MIB, LARGE_HEAP_MIB), |heap| (heap, heap));
        Ok(Claims::of([need(SERVER)
            .least(least + JVM_MIB)
            .most(most + JVM_MIB)
            .weight(1)
            .disk(2)
            .ports(&PORTS)]))
    }

    fn generate(
        request: Request,
        grants: Vec<Grant>,
        extensions: Vec<Extension>,
    ) -> Result<Bundle, Vec<Problem>> {
        if let Some(one) = extensions.first() {
            let message = format!("zookeeper knows no {}", one.key);
            return Err(vec![problem("framework", message, "")]);
        }
        let settings: ZookeeperSettings = read_settings(NAME, &request)?;
        let servers = grants_of(&grants, SERVER).map(|grant| run_server(grant, &settings));
        Ok(Bundle {
            software: vec![java(JAVA.0, JAVA.1)],
            artifacts: vec![release(&request, &settings)?],
            // Whoever has it may change who votes.
            secrets: vec![secret("super", true)],
            files: files(&settings),
            units: servers.collect(),
            checks: vec![
                check(SERVER, format!("tcp://:{CLIENT_PORT}")),
                check(
                    SERVER,
                    "exec:. /usr/local/lib/zookeeper/servers.sh; zk_health",
                ),
            ],
            scripts: scripts(&settings),
            endpoints: vec![
                endpoint(
                    NAME,
                    SERVER,
                    CLIENT_PORT,
                    "For programs on the cluster's nodes: `zkCli.sh -server NODE:2181`.",
                )
                .by(NAME)
                .reached_by(Reach::Cluster),
            ],
            services: vec![service(NAME, [("connect", connect(&request))])],
            ..Bundle::default()
        })
    }
}

/// `worker-1:2181,worker-2:2181`.
fn connect(request: &Request) -> String {
    let servers: Vec<String> = request
        .nodes(SERVER)
        .map(|node| format!("{node}:{CLIENT_PORT}"))
        .collect();
    servers.join(",")
}

/// Too few to outlive the loss of one, or an even number that the user asked to be enough.
fn check_voters(request: &Request, settings: &ZookeeperSettings) -> Option<Problem> {
    let (voters, least) = (request.members(SERVER).len(), settings.least_voters);
    (voters < least as usize).then(|| {
        let there = match voters {
            0 => "there is no node for any".to_owned(),
            1 => "the nodes there are give 1".to_owned(),
            _ => format!("the nodes there are give {voters}"),
        };
        problem(
            "zookeeper.least_voters",
            format!("{least} servers have to vote, {there}: their number is odd"),
            format!("give the group of zookeeper_server {least} nodes (worker.count={least}), adding one before another goes; zookeeper.least_voters=1 is for trials"),
        )
    })
}

/// Half of those that know the data cannot leave at once. One that is alone hands over to others.
fn check_majority(request: &Request, running: Option<&Request>) -> Option<Problem> {
    let had = running?.members(SERVER);
    let stays = |node: &str| request.nodes(SERVER).any(|one| one == node);
    let gone = had.iter().filter(|member| !stays(&member.node)).count();
    (had.len() > 1 && 2 * gone >= had.len()).then(|| {
        problem(
            "zookeeper",
            format!(
                "{gone} of {} servers would leave at once, and no majority of them would be left",
                had.len()
            ),
            "let one go at a time",
        )
    })
}

fn pinned_checksum(version: &str) -> Option<&'static str> {
    RELEASES
        .iter()
        .find(|release| release.version == version)?
        .sha512
}

fn check_checksum(request: &Request, settings: &ZookeeperSettings) -> Option<Problem> {
    let (version, known) = (&request.version, pinned_checksum(&request.version));
    (settings.sha512.is_none() && known.is_none()).then(|| {
        problem(
            "zookeeper.sha512",
            format!("the checksum of ZooKeeper {version} is not known here"),
            format!("set it to what https://archive.apache.org/dist/{}.sha512 says, or to that of your mirror's file", tarball(version)),
        )
    })
}

/// The release's path below Apache's `dist`, or below a mirror of it.
fn tarball(version: &str) -> String {
    format!("zookeeper/zookeeper-{version}/apache-zookeeper-{version}-bin.tar.gz")
}

fn release(request: &Request, settings: &ZookeeperSettings) -> Result<Artifact, Vec<Problem>> {
    let known = pinned_checksum(&request.version);
    let Some(sha512) = settings.sha512.as_deref().or(known) else {
        return Err(check_checksum(request, settings).into_iter().collect());
    };
    Ok(apache("/opt/zookeeper", tarball(&request.version), sha512))
}

/// A server with what its group grants. Its own copy of the configuration is what it runs on, since
/// it writes there who votes.
fn run_server(grant: &Grant, settings: &ZookeeperSettings) -> Unit {
    let heap = settings
        .heap_mib
        .unwrap_or_else(|| grant.memory_mib.saturating_sub(JVM_MIB));
    let exec = format!(
        "@{{java}}/bin/java -Xms{heap}m -Xmx{heap}m -XX:+ExitOnOutOfMemoryError -Dzookeeper.jmx.log4j.disable=true \
         -Dzookeeper.DigestAuthenticationProvider.superDigest=${{SUPER_DIGEST}} \
         -cp /etc/zookeeper:/opt/zookeeper/lib/* \
         org.apache.zookeeper.server.quorum.QuorumPeerMain {DATA}/conf/zoo.cfg"
    );
    unit(SERVER, NAME, NAME, exec)
        .in_group(&grant.group)
        .with_data(DATA)
        .with("EnvironmentFile", "/etc/zookeeper/super.env")
        .with(
            "ExecStartPre",
            "/usr/local/lib/zookeeper/before-start @{index.zookeeper_server} @{node}",
        )
}

fn files(settings: &ZookeeperSettings) -> Vec<File> {
    let number = |value: u32| value.to_string();
    let configuration = config_lines(
        [
            ("tickTime", number(settings.tick_ms)),
            ("initLimit", number(settings.init_ticks)),
            ("syncLimit", number(settings.sync_ticks)),
            ("dataDir", DATA.to_owned()),
            ("maxClientCnxns", number(settings.client_connections)),
            ("autopurge.snapRetainCount", number(settings.snapshots)),
            ("autopurge.purgeInterval", number(1)),
            // Without a password it lets anybody take and lay back snapshots.
            ("admin.enableServer", "false".to_owned()),
            ("4lw.commands.whitelist", "conf,mntr,ruok,srvr".to_owned()),
            ("quorumListenOnAllIPs", "true".to_owned()),
            ("reconfigEnabled", "true".to_owned()),
            // A server that stands alone can be joined by others all the same.
            ("standaloneEnabled", "false".to_owned()),
        ],
        "=",
    );
    vec![
        file("/etc/zookeeper/zoo.cfg", configuration),
        file(
            "/etc/zookeeper/logback.xml",
            include_str!("../scripts/logback.xml"),
        )
        .with_effect(Effect::Nothing),
        file(
            "/usr/local/lib/zookeeper/servers.sh",
            include_str!("../scripts/servers.sh"),
        )
        .with_effect(Effect::Nothing),
        file(
            "/usr/local/lib/zookeeper/before-start",
            include_str!("../scripts/before-start.sh"),
        )
        .owned_by("root", 0o755)
        .with_effect(Effect::Nothing),
    ]
}

fn scripts(settings: &ZookeeperSettings) -> Vec<Script> {
    let mut scripts = vec![
        script(SERVER, Stage::Setup, include_str!("../scripts/setup.sh")),
        script(SERVER, Stage::Ready, include_str!("../scripts/ready.sh")),
        script(SERVER, Stage::Drain, include_str!("../scripts/drain.sh")),
        script(
            SERVER,
            Stage::Members,
            include_str!("../scripts/members.sh"),
        ),
    ];
    if settings.smoke {
        scripts.push(script(
            SERVER,
            Stage::Smoke,
            include_str!("../scripts/smoke.sh"),
        ));
    }
    scripts
}

#[cfg(test)]
mod tests;
