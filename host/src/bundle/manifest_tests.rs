//! Tests of [`super`]: each kind of line, and that nothing moves that need not.

use serde_json::json;

use super::*;
use crate::bundle::node_script::NodeContent;
use crate::bundle::node_update::{differing_paths, file_digests};
use crate::cluster::component::{ComponentMember, ComponentSpec};
use crate::cluster::framework_bundle::{
    ComponentCheck, ComponentScript, ComponentStage, DownloadArtifact, NodeSecret,
};
use crate::cluster::framework_descriptor::FrameworkDescriptor;
use crate::cluster::java_tarball::JavaTarball;

fn descriptor(name: &str, components: &[&str]) -> FrameworkDescriptor {
    let component = |name: &&str| ComponentSpec {
        name: (*name).to_owned(),
        ..ComponentSpec::default()
    };
    FrameworkDescriptor {
        name: name.to_owned(),
        title: String::new(),
        description: String::new(),
        versions: vec![],
        requires: vec![],
        uses: vec![],
        provides: vec![],
        components: components.iter().map(component).collect(),
        parameters: json!({}).into(),
        resource_types: vec![],
    }
}

fn empty(plugin: &str) -> FrameworkBundle {
    FrameworkBundle {
        plugin: plugin.to_owned(),
        template: json!({}),
        software: vec![],
        artifacts: vec![],
        secrets: vec![],
        files: vec![],
        units: vec![],
        checks: vec![],
        scripts: vec![],
        endpoints: vec![],
        services: vec![],
    }
}

fn words(all: &[&str]) -> Vec<String> {
    all.iter().map(|one| (*one).to_owned()).collect()
}

fn file(path: &str, owner: &str, components: &[&str], groups: &[&str]) -> ConfigFile {
    ConfigFile {
        components: words(components),
        groups: words(groups),
        path: path.to_owned(),
        owner: owner.to_owned(),
        mode: 0o640,
        effect: FileEffect::Restart,
        content: "@{node}\n".to_owned(),
    }
}

fn unit(name: &str, component: &str, owner: &str, data: &[&str]) -> DaemonUnit {
    DaemonUnit {
        component: component.to_owned(),
        groups: vec![],
        name: name.to_owned(),
        owner: owner.to_owned(),
        member_of: vec![],
        exec: "@{java}/bin/java -version".to_owned(),
        data: words(data),
        directives: vec![],
    }
}

fn software(components: &[&str], source: SoftwareSource) -> NodeSoftware {
    NodeSoftware {
        components: words(components),
        source,
    }
}

/// A plugin `toy` of a server and a client, and `other` of a part of its own.
struct Toys {
    chain: Vec<FrameworkDescriptor>,
    bundles: Vec<FrameworkBundle>,
    surroundings: NodeSurroundings,
    volume_gib: u32,
}

impl Toys {
    fn new() -> Self {
        Self {
            chain: vec![
                descriptor("toy", &["server", "client"]),
                descriptor("other", &["part"]),
            ],
            bundles: vec![empty("toy"), empty("other")],
            surroundings: NodeSurroundings::default(),
            volume_gib: 0,
        }
    }

    fn with(change: impl FnOnce(&mut Self)) -> Self {
        let mut toys = Self::new();
        change(&mut toys);
        toys
    }

    fn files(&self, components: &[&str]) -> Vec<NodeFile> {
        let placement = |component: &str, nodes: &[(&str, u32)]| ComponentPlacement {
            component: component.to_owned(),
            members: nodes
                .iter()
                .map(|(node, index)| ComponentMember {
                    node: (*node).to_owned(),
                    index: *index,
                })
                .collect(),
        };
        let placements = [
            placement("server", &[("a-1", 1), ("a-2", 2), ("a-3", 5)]),
            placement("client", &[("b-1", 1)]),
            placement("part", &[("b-1", 3)]),
        ];
        let chain: Vec<&FrameworkDescriptor> = self.chain.iter().collect();
        let sources = ManifestSources {
            chain: &chain,
            bundles: &self.bundles,
            placements: &placements,
            surroundings: &self.surroundings,
        };
        let class = NodeClass {
            name: "a".to_owned(),
            group: "a".to_owned(),
            components: components.iter().map(|one| (*one).to_owned()).collect(),
            example: "a-1".to_owned(),
        };
        manifest_files(sources, &class, self.volume_gib)
    }

    /// The lines of one kind, with blanks for tabs.
    fn lines(&self, kind: &str, components: &[&str]) -> Vec<String> {
        let files = self.files(components);
        let both = format!("{}{}", files[0].content, files[1].content);
        let lines = both.lines().map(|line| line.replace('\t', " "));
        lines
            .filter(|line| line.split(' ').next() == Some(kind))
            .collect()
    }
}

#[test]
fn a_class_has_its_components_in_the_order_and_the_members_of_its_plugins() {
    let toys = Toys::new();
    assert_eq!(
        toys.lines("component", &["part", "client", "server"]),
        [
            "component name=server plugin=toy",
            "component name=client plugin=toy",
            "component name=part plugin=other",
        ]
    );
    assert_eq!(
        toys.lines("members", &["server"]),
        [
            "members component=server nodes=a-[1-3] indexes=1-2,5",
            "members component=client nodes=b-1 indexes=1",
        ],
        "not of the plugin that has nothing here"
    );
    assert_eq!(toys.lines("component", &[]), Vec::<String>::new());
}

#[test]
fn users_and_groups_follow_from_who_owns_things_here() {
    let toys = Toys::with(|toys| {
        toys.bundles[0].files = vec![
            file("/etc/a", "root", &["server"], &[]),
            file("/etc/b", "root:readers", &["server"], &[]),
            file("/etc/c", "hdfs", &["server"], &[]),
            file("/etc/d", "elsewhere", &["server"], &["b"]),
            file("/etc/e", "clients", &["client"], &[]),
        ];
        let mut daemon = unit("toy", "server", "hdfs:hadoop", &[]);
        daemon.member_of = words(&["disk", "hdfs"]);
        toys.bundles[1].units = vec![daemon, unit("own", "server", "self:self", &[])];
    });
    assert_eq!(
        [
            toys.lines("group", &["server"]),
            toys.lines("user", &["server"])
        ]
        .concat(),
        [
            "group name=readers",
            "user name=hdfs groups=disk,hadoop",
            "user name=self"
        ]
    );
}

#[test]
fn data_is_a_folder_once_and_before_those_in_it_and_a_volume_is_named() {
    let mut toys = Toys::with(|toys| {
        toys.bundles[0].units = vec![
            unit(
                "toy",
                "server",
                "toy",
                &["/var/lib/toy/deep", "/var/lib/toy"],
            ),
            unit("toy-2", "server", "toy", &["/var/lib/toy"]),
            unit("toy-3", "client", "toy", &["/srv/client"]),
        ];
    });
    assert_eq!(
        toys.lines("data", &["server"]),
        [
            "data path=/var/lib/toy owner=toy",
            "data path=/var/lib/toy/deep owner=toy"
        ]
    );
    assert_eq!(toys.lines("volume", &["server"]), Vec::<String>::new());
    toys.volume_gib = 100;
    assert_eq!(toys.lines("volume", &["server"]), ["volume gib=100"]);
}

fn with_software() -> Toys {
    Toys::with(|toys| {
        toys.bundles[0].software = vec![
            software(
                &["server", "client"],
                SoftwareSource::Apt {
                    packages: words(&["xz-utils", "jq"]),
                },
            ),
            software(
                &["server"],
                SoftwareSource::Java {
                    oldest: 17,
                    newest: 21,
                },
            ),
            software(
                &["client", "server"],
                SoftwareSource::Pip {
                    to: "/opt/toy/py".into(),
                    lines: words(&["a==1", "b==2 --hash=sha256:0"]),
                },
            ),
            software(
                &["client"],
                SoftwareSource::Apt {
                    packages: words(&["nothere"]),
                },
            ),
        ];
    })
}

#[test]
fn software_names_the_components_that_are_here() {
    let toys = with_software();
    assert_eq!(
        toys.lines("apt", &["server"]),
        ["apt package=xz-utils package=jq component=server"]
    );
    assert_eq!(
        toys.lines("java", &["server"]),
        ["java plugin=toy oldest=17 newest=21 component=server"]
    );
    assert_eq!(
        toys.lines("pip", &["server"]),
        ["pip to=/opt/toy/py line=a==1 line=b==2 --hash=sha256:0 component=server"]
    );
    assert_eq!(toys.lines("java", &["client"]), Vec::<String>::new());
}

#[test]
fn software_comes_from_where_the_operator_says() {
    let java = |version: u32| JavaTarball {
        version,
        url: format!("http://one/{version}"),
        sum: version.to_string(),
    };
    let told = Toys {
        surroundings: NodeSurroundings {
            javas: vec![java(25), java(17), java(21), java(11)],
            python_index: Some("http://index/simple".into()),
            ..NodeSurroundings::default()
        },
        ..with_software()
    };
    assert_eq!(
        told.lines("java", &["server"]),
        ["java plugin=toy oldest=17 newest=21 url=http://one/21 sum=21 component=server"]
    );
    assert_eq!(
        told.lines("pip", &["client"]),
        [
            "pip to=/opt/toy/py line=a==1 line=b==2 --hash=sha256:0 url=http://index/simple component=client"
        ]
    );
}

#[test]
fn what_is_fetched_has_a_line_for_each_machine() {
    let toys = Toys::with(|toys| {
        let artifact = |machine: &str| DownloadArtifact {
            components: words(&["server", "client"]),
            path: "toy/toy-1.tar.gz".into(),
            bases: words(&["https://one", "https://two"]),
            sha512: "ab".into(),
            machine: machine.into(),
            to: "/opt/toy/server".into(),
        };
        toys.bundles[0].artifacts = vec![artifact(""), artifact("aarch64")];
    });
    let common = "artifact to=/opt/toy/server path=/toy/toy-1.tar.gz base=https://one base=https://two sum=ab";
    assert_eq!(
        toys.lines("artifact", &["server"]),
        [
            format!("{common} component=server"),
            format!("{common} machine=aarch64 component=server")
        ]
    );
    assert_eq!(toys.lines("artifact", &["part"]), Vec::<String>::new());
}

#[test]
fn what_is_kept_secret_and_run_has_a_line_each_on_the_nodes_that_it_is_for() {
    let toys = Toys::with(|toys| {
        toys.bundles[0].secrets = vec![
            NodeSecret {
                name: "auth".into(),
                shared: true,
            },
            NodeSecret {
                name: "own".into(),
                shared: false,
            },
        ];
        toys.bundles[1].secrets = vec![NodeSecret {
            name: "others".into(),
            shared: false,
        }];
        let mut daemon = unit("toy-server", "server", "toy:toys", &["/srv/toy"]);
        daemon.directives = vec![
            ("Environment".into(), "A=1".into()),
            ("Environment".into(), String::new()),
        ];
        let mut elsewhere = unit("toy-server", "server", "toy", &[]);
        elsewhere.groups = words(&["b"]);
        toys.bundles[0].units = vec![daemon, elsewhere];
    });
    assert_eq!(
        toys.lines("secret", &["server"]),
        [
            "secret name=auth plugin=toy shared=yes",
            "secret name=own plugin=toy shared=no"
        ],
        "another plugin's is none of these nodes'"
    );
    assert_eq!(
        toys.lines("unit", &["server"]),
        [
            "unit name=toy-server component=server owner=toy:toys exec=@{java}/bin/java -version data=/srv/toy directive=Environment=A=1 directive=Environment="
        ]
    );
    assert_eq!(toys.lines("unit", &["part"]), Vec::<String>::new());
}

#[test]
fn each_probe_is_a_check_that_the_frame_has() {
    let toys = Toys::with(|toys| {
        let check = |probe| ComponentCheck {
            component: "server".into(),
            probe,
        };
        toys.bundles[0].checks = vec![
            check(CheckProbe::Tcp { port: 80 }),
            check(CheckProbe::Http {
                tls: false,
                port: 8080,
                path: String::new(),
            }),
            check(CheckProbe::Http {
                tls: true,
                port: 8443,
                path: "/ok?x=1".into(),
            }),
            check(CheckProbe::Exec {
                command: "true  # two blanks".into(),
            }),
            check(CheckProbe::Jobs {
                command: "echo 2".into(),
            }),
        ];
    });
    assert_eq!(
        toys.lines("check", &["server"]),
        [
            "check component=server kind=tcp target=80",
            "check component=server kind=http target=http://:8080",
            "check component=server kind=http target=https://:8443/ok?x=1",
            "check component=server kind=command target=true  # two blanks",
            "check component=server kind=jobs target=echo 2",
        ]
    );
    assert_eq!(toys.lines("check", &["part"]), Vec::<String>::new());
}

#[test]
fn contents_and_scripts_of_these_nodes_alone_stand_where_the_frame_looks_for_them() {
    let toys = Toys::with(|toys| {
        toys.bundles[0].files = vec![
            file("/etc/a", "root", &["server"], &[]),
            file("/etc/b", "root", &["client"], &[]),
        ];
        let script = |component: &str, stage| ComponentScript {
            component: component.into(),
            stage,
            body: "true".into(),
        };
        toys.bundles[1].scripts = vec![
            script("server", ComponentStage::Members),
            script("client", ComponentStage::Setup),
        ];
    });
    let files = toys.files(&["server"]);
    let shown: Vec<(u32, &str, &str)> = files[2..]
        .iter()
        .map(|file| (file.mode, file.path.as_str(), file.content.as_str()))
        .collect();
    let content = content_path("/etc/a");
    assert_eq!(
        shown,
        [
            (0o600, content.as_str(), "@{node}\n"),
            (
                0o644,
                "/opt/stampede/scripts/01-other/members.server.sh",
                "true\n"
            ),
        ]
    );
    assert_eq!(
        toys.lines("file", &["server"]),
        [format!(
            "file path=/etc/a from={content} plugin=toy owner=root mode=0640 effect=restart component=server"
        )]
    );
}

#[test]
fn a_change_of_one_file_is_a_change_of_that_file_alone() {
    let toys = |change: fn(&mut Toys)| {
        Toys::with(|toys| {
            toys.bundles[0].files = vec![
                file("/etc/a", "root", &["server"], &[]),
                file("/etc/b", "root", &["server"], &[]),
            ];
            change(toys);
        })
    };
    let digests = |toys: &Toys| {
        file_digests(&NodeContent {
            variables: vec![],
            files: toys.files(&["server"]),
        })
    };
    let before = toys(|_| ());
    assert_eq!(
        before.files(&["server"]),
        toys(|_| ()).files(&["server"]),
        "the same bytes"
    );
    let differing = |after: &Toys| differing_paths(&digests(&before), &digests(after));
    let changed = toys(|toys| toys.bundles[0].files[1].content.push('x'));
    assert_eq!(differing(&changed), [content_path("/etc/b")]);
    let one_more = toys(|toys| {
        toys.bundles[0]
            .files
            .insert(0, file("/etc/0", "root", &["server"], &[]))
    });
    assert_eq!(
        differing(&one_more),
        [content_path("/etc/0"), format!("{HOME}/manifest")],
        "the others stay where they are"
    );
}
