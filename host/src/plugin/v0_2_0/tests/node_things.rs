//! What software, files, units, checks and scripts may not be.

use super::super::{limits, wit};
use super::bundles::{Spoil, assert_told, file, software};
use super::text;

const SOFTWARE: &[(Spoil, &str)] = &[
    (
        |b| b.software[1].kind = "snap".into(),
        "software[1].kind: this host knows apt, java and pip, and not \"snap\"",
    ),
    (
        |b| b.software[0].names[0] = "22".into(),
        "software[0].names: \"22, 21\" is not the oldest and the newest Java",
    ),
    (
        |b| b.software[0].names[0] = "017".into(),
        "software[0].names: \"017, 21\" is not",
    ),
    (
        |b| b.software[0].names[1] = "1000".into(),
        "software[0].names: \"17, 1000\" is not",
    ),
    (
        |b| b.software.push(software("java", &["11", "11"], "")),
        "software: there are 2 of kind java, a plugin has one",
    ),
    (
        |b| b.software[1].names.clear(),
        "software[1].names: there is none",
    ),
    (
        |b| b.software[1].names[0] = "python3; rm".into(),
        "software[1].names[0]: \"python3; rm\" is not a package's name",
    ),
    (
        |b| b.software[1].to = "/opt/x".into(),
        "software[1].to: only pip has a folder",
    ),
    (
        |b| b.software[2].names[0] = "ray>=2".into(),
        "software[2].names[0]: \"ray>=2\" is not a requirement that is pinned",
    ),
    (
        |b| {
            b.software[2]
                .names
                .push(format!("x==1 --hash=sha256:{}", "0".repeat(64)))
        },
        "software[2].names: 1 of 2 have hashes: all have, or none has",
    ),
    (
        |b| b.software[2].names[0].push_str(" --hash=sha256:0"),
        "software[2].names[0]: \"ray[default]==2.60.0 --hash=sha256:0\" is not",
    ),
    (
        |b| b.software[2].to = "/opt/java-echo-x/lib".into(),
        "software[2].to: \"/opt/java-echo-x/lib\" is the frame's own",
    ),
    (
        |b| b.software[2].to = "/usr/x".into(),
        "software[2].to: \"/usr/x\" is not below /opt",
    ),
    (
        |b| b.software[2].to.clear(),
        "software[2].to: \"\" is no absolute path",
    ),
    (
        |b| b.software[1].components = vec!["nobody".into()],
        "software[1].components[0]: the plugin has no component \"nobody\"",
    ),
    (
        |b| b.artifacts[0].path = "/echo".into(),
        "artifacts[0].path: \"/echo\" is no path below a mirror",
    ),
    (
        |b| b.artifacts[0].path = "a/../b".into(),
        "artifacts[0].path: \"a/../b\" is no path",
    ),
    (
        |b| b.artifacts[0].bases.clear(),
        "artifacts[0].bases: there is none",
    ),
    (
        |b| b.artifacts[0].bases[0] = "https://example.org/".into(),
        "artifacts[0].bases[0]: \"https://example.org/\" is not a URL",
    ),
    (
        |b| b.artifacts[0].sha512 = "A1".repeat(64),
        "artifacts[0].sha512: ",
    ),
    (
        |b| b.artifacts[0].machine = "x86 64".into(),
        "artifacts[0].machine: \"x86 64\" is no machine",
    ),
    (
        |b| b.artifacts[0].to = "/opt/stampede/x".into(),
        "artifacts[0].to: \"/opt/stampede/x\" is the frame's own",
    ),
    (
        |b| b.secrets.push(b.secrets[0].clone()),
        "secrets[1]: \"auth\" is named twice",
    ),
];

const PATHS: &[(Spoil, &str)] = &[
    (
        |b| b.files[0].path = "etc/x".into(),
        "files[0].path: \"etc/x\" is no absolute path",
    ),
    (
        |b| b.files[0].path = "/etc/systemd/system/x.service".into(),
        "files[0].path: \"/etc/systemd/system/x.service\" is the frame's own",
    ),
    (
        |b| b.files[0].path = "/etc".into(),
        "files[0].path: \"/etc\" is not below /etc, /opt, /srv, /usr/local, /usr/share, /var/lib, /var/log",
    ),
    (
        |b| b.files[0].path = "/var/lib".into(),
        "files[0].path: \"/var/lib\" is not below",
    ),
    (
        |b| b.files[0].path = "/usr/bin/sudo".into(),
        "files[0].path: \"/usr/bin/sudo\" is not below",
    ),
    (
        |b| b.files[0].path = "/etc/hosts".into(),
        "files[0].path: \"/etc/hosts\" is the frame's own",
    ),
    (
        |b| b.files[0].path = "/opt/java-echo-x".into(),
        "files[0].path: \"/opt/java-echo-x\" is the frame's own",
    ),
    (
        |b| b.files[0].owner = "a:b:c".into(),
        "files[0].owner: \"a:b:c\" is not `user` or `user:group`",
    ),
];

const CONTENTS: &[(Spoil, &str)] = &[
    (
        |b| b.files[0].mode = 0o644,
        "files[0].mode: 0o644 lets others read a secret: end it in 0",
    ),
    (
        |b| b.files[0].content = "@{shell}".into(),
        "files[0].content: nodes know no \"@{shell}\"",
    ),
    (
        |b| b.files[0].content = "@{secret.other}".into(),
        "files[0].content: the plugin has no secret \"other\"",
    ),
    (
        |b| b.files[0].content = "a\0b".into(),
        "files[0].content: it holds a NUL",
    ),
    (
        |b| b.files[0].content = text(limits::CONTENT_BYTES + 1),
        "files[0].content: it is 262145 bytes long",
    ),
    (
        |b| b.files[0].content = "@{index.nobody}".into(),
        "files[0].content: this cluster has no component \"nobody\"",
    ),
    (
        |b| b.files[0].content = "@{index.client}".into(),
        "nodes: the file /etc/echo/echo.conf needs `@{index.client}`",
    ),
    (
        |b| b.software[0].components = vec!["client".into()],
        "2 things are not as it says:\n  nodes: the file /etc/echo/echo.conf needs `@{java}`, which not every node that gets it has: a-1 for one\n  nodes: the unit `echo-x-server` needs `@{java}`",
    ),
    (
        |b| b.software[0].components = vec!["spare".into()],
        "2 things are not as it says:\n  nodes: the file /etc/echo/echo.conf needs `@{java}`, which",
    ),
    (
        |b| b.files[0].groups = vec!["A".into()],
        "files[0].groups[0]: \"A\" is not of the form",
    ),
    (
        |b| b.files[0].components = vec!["server".into(), "server".into()],
        "files[0].components[1]: \"server\" is named twice",
    ),
    (
        |b| b.files.push(file("/etc/echo/echo.conf", "")),
        "nodes: two things stand at /etc/echo/echo.conf: a-1 for one",
    ),
    (
        |b| b.files.push(file("/var/lib/echo/id", "")),
        "nodes: /var/lib/echo/id would stand in /var/lib/echo, a data folder of `echo:echo`",
    ),
    (
        |b| b.files.push(file("/opt/echo/server/x", "")),
        "nodes: /opt/echo/server/x would stand in /opt/echo/server, which is replaced",
    ),
];

const UNITS: &[(Spoil, &str)] = &[
    (
        |b| b.units[0].component = "nobody".into(),
        "units[0].component: the plugin has no component \"nobody\"",
    ),
    (
        |b| b.units[0].name = "echo".into(),
        "units[0].name: \"echo\" is not `echo-x`, alone or with `-` and more",
    ),
    (
        |b| b.units[0].name = format!("echo-x-{}", text(limits::UNIT_CHARS)),
        "units[0].name: \"echo-x-xxx",
    ),
    (
        |b| b.units[0].owner = "0".into(),
        "units[0].owner: \"0\" is not `user`",
    ),
    (
        |b| b.units[0].exec = "java -jar x".into(),
        "units[0].exec: \"java -jar x\" begins with no program by its path",
    ),
    (|b| b.units[0].exec.push('\n'), "units[0].exec: "),
    (
        |b| b.units[0].exec = "/bin/x @{secret.auth}".into(),
        "units[0].exec: a secret stands there, which anybody can read",
    ),
    (
        |b| b.units[0].exec = format!("/{}", text(400) + " " + &text(limits::LONG_TEXT_BYTES)),
        "units[0].exec: it is 4498 bytes long",
    ),
    (
        |b| b.units[0].data[0] = "/etc/echo".into(),
        "units[0].data[0]: \"/etc/echo\" is not below /var/lib, /var/log, /srv",
    ),
    (
        |b| b.units[0].data[0] = "/var/lib".into(),
        "units[0].data[0]: \"/var/lib\" is not below",
    ),
    (
        |b| b.units[0].data.push("/var/lib/echo".into()),
        "units[0].data[1]: \"/var/lib/echo\" is named twice",
    ),
    (
        |b| b.units[0].directives[0].0 = "ExecStart".into(),
        "units[0].directives[0]: \"ExecStart\" is no directive that a plugin may add",
    ),
    (
        |b| b.units[0].directives[0] = ("IPAddressDeny".into(), String::new()),
        "units[0].directives[0]: \"IPAddressDeny\" is no directive that a plugin may add",
    ),
    (
        |b| b.units[0].directives[1] = ("IPAddressAllow".into(), "any".into()),
        "units[0].directives[1]: \"IPAddressAllow\" is no directive",
    ),
    (
        |b| b.units[0].directives[1] = ("SupplementaryGroups".into(), "adm".into()),
        "units[0].directives[1]: \"SupplementaryGroups\" is no directive",
    ),
    (
        |b| b.units[0].exec.push_str(" \\"),
        "units[0].exec: it ends in `\\`, and would swallow the line after it",
    ),
    (
        |b| b.units[0].directives[0].1 = "a\\  ".into(),
        "units[0].directives[0]: it ends in `\\`",
    ),
    (
        |b| b.units[0].member_of = vec!["adm,sudo".into()],
        "units[0].member-of[0]: \"adm,sudo\" is not of the form [a-z_][a-z0-9_-]{0,30}",
    ),
    (
        |b| b.units[0].member_of.push("adm".into()),
        "units[0].member-of[1]: \"adm\" is named twice",
    ),
    (
        |b| b.units[0].directives[0].0 = "Kill Mode".into(),
        "units[0].directives[0]: \"Kill Mode\" is no directive",
    ),
    (
        |b| b.units[0].directives[0].1 = "a\n[Install]".into(),
        "units[0].directives[0]: \"a\\n[Install]\" holds control characters",
    ),
    (
        |b| b.units[0].directives[1].1 = "A=@{secret.auth}".into(),
        "units[0].directives[1]: a secret stands there",
    ),
    (
        |b| b.units.push(b.units[0].clone()),
        "nodes: two units are called `echo-x-server`: a-1 for one",
    ),
];

const CHECKS: &[(Spoil, &str)] = &[
    (
        |b| b.checks[0].probe = "udp://:53".into(),
        "checks[0].probe: \"udp://:53\" is none of tcp://:PORT",
    ),
    (
        |b| b.checks[0].probe = "tcp://:0".into(),
        "checks[0].probe: \"tcp://:0\" is none of",
    ),
    (
        |b| b.checks[0].probe = "tcp://:65536".into(),
        "checks[0].probe: \"tcp://:65536\" is none of",
    ),
    (
        |b| b.checks[0].probe = "tcp://host:80".into(),
        "checks[0].probe: \"tcp://host:80\" is none of",
    ),
    (
        |b| b.checks[0].probe = "http://:80/a b".into(),
        "checks[0].probe: \"http://:80/a b\" is none of",
    ),
    (
        |b| b.checks[0].probe = "exec:".into(),
        "checks[0].probe: it is empty",
    ),
    (
        |b| b.checks[1].probe = "jobs:".into(),
        "checks[1].probe: it is empty",
    ),
    (
        |b| b.checks[0].probe = "exec:a\nb".into(),
        "checks[0].probe: \"a\\nb\" holds control characters",
    ),
    (
        |b| b.checks[1] = b.checks[0].clone(),
        "checks[1]: it stands there twice",
    ),
    (
        |b| b.scripts[0].body = " \n".into(),
        "scripts[0].body: it is empty",
    ),
    (
        |b| b.scripts[0].body = text(limits::SCRIPT_BYTES + 1),
        "scripts[0].body: it is 65537 bytes long, at most 65536 are taken",
    ),
    (
        |b| b.scripts[1].stage = wit::Stage::Setup,
        "scripts[1]: \"server\" has two of stage setup",
    ),
    (
        |b| b.scripts[0].component = "nobody".into(),
        "scripts[0].component: the plugin has no component",
    ),
];

#[test]
fn each_rule_of_software_and_files_is_told_with_its_place() {
    assert_told(SOFTWARE);
    assert_told(PATHS);
    assert_told(&[(
        |b| b.files[0].mode = 0o1750,
        "files[0].mode: 0o1750 is none from 0o400 to 0o777",
    )]);
    assert_told(CONTENTS);
}

#[test]
fn each_rule_of_units_checks_and_scripts_is_told_with_its_place() {
    assert_told(UNITS);
    assert_told(CHECKS);
}
