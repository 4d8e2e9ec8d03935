//! Tests of [`super`].

use serde_json::json;

use super::*;
use crate::bundle::{
    NodeScript, PluginFile, ScriptStage,
    tests::{part, request},
};

fn with_file(content: &str, path: &str) -> PluginBundle {
    let mut part = part("hadoop", json!({}));
    part.files = vec![PluginFile {
        roles: vec!["worker".to_owned()],
        path: path.to_owned(),
        mode: 0o640,
        content: content.to_owned(),
    }];
    part.scripts = vec![NodeScript {
        role: "worker".to_owned(),
        stage: ScriptStage::Setup,
        name: "hadoop".to_owned(),
        body: content.replace('\0', ""),
    }];
    part
}

#[test]
fn files_and_scripts_that_cannot_stand_on_a_node_are_refused() {
    let told = |change: &dyn Fn(&mut PluginBundle)| {
        let mut part = with_file("x\n", "/etc/x");
        change(&mut part);
        check_files(&request(1), &[part])
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert_eq!(told(&|_| {}), "");
    let long = format!("/{}", "x".repeat(MAX_PATH_BYTES));
    for path in [
        "etc/x",
        "/etc/../x",
        "/etc//x",
        "/etc/x/",
        "/opt/stampede/run",
        "/opt/stampede",
        "/a\nb",
        "/",
        &long,
    ] {
        assert!(
            told(&|part| part.files[0].path = path.to_owned()).contains("plain path"),
            "{path}"
        );
    }
    assert_eq!(
        told(&|part| part.files[0].path = long[..MAX_PATH_BYTES].to_owned()),
        ""
    );
    assert!(told(&|part| part.files[0].mode = 0o4755).contains("has the mode 4755"));
    assert!(
        told(&|part| part.files[0].roles = vec!["zookeeper".to_owned()])
            .contains("role `zookeeper`, which is not there")
    );
    for name in ["", "../x", "A", &"x".repeat(MAX_SCRIPT_NAME_CHARS + 1)] {
        assert!(
            told(&|part| part.scripts[0].name = name.to_owned())
                .contains("needs a name of its own"),
            "{name}"
        );
    }
    assert_eq!(
        told(&|part| part.scripts[0].name = "x".repeat(MAX_SCRIPT_NAME_CHARS)),
        ""
    );
    assert!(
        told(&|part| part.scripts.push(part.scripts[0].clone()))
            .contains("needs a name of its own")
    );
    assert!(
        told(&|part| part.files.push(part.files[0].clone()))
            .contains("both write `/etc/x` on role worker")
    );
}
