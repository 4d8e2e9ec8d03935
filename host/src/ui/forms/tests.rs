//! The pages of forms as HTML: what plugins, the cloud and people say stays text.

use serde_json::json;

use super::super::render::{PageFrame, render_page};
use super::{form_page::form_page, typed_request::TypedRequest};
use crate::cluster::{Flavor, Problem};
use crate::orchestrator::planning::cloud_choices::{CloudChoices, ImageChoice};
use crate::orchestrator::planning::request_values::{RequestValue, ValueChoices, ValueSource};
use crate::orchestrator::{FormFramework, FormGroup, FormQuota, QuotaNeed, RequestForm};

const EVIL: &str = "<script>alert('x')</script>\"'>&amp;";

fn evil() -> String {
    EVIL.to_owned()
}

fn value(name: &str, plugin: &str, choices: ValueChoices) -> RequestValue {
    RequestValue {
        name: name.to_owned(),
        value: Some(evil()),
        source: ValueSource::Plugin,
        reason: evil(),
        description: evil(),
        kind: evil(),
        range: evil(),
        unit: evil(),
        choices,
        plugin: plugin.to_owned(),
        ..RequestValue::default()
    }
}

/// A form in which all texts that are not ours are hostile.
fn evil_form() -> RequestForm {
    let problem = |path: &str| Problem::new(path, EVIL, EVIL);
    let framework = FormFramework {
        name: evil(),
        title: evil(),
        version: evil(),
        versions: vec![evil()],
        description: evil(),
        needs: vec![vec![evil()]],
        works_with: vec![evil()],
        is_chosen: true,
    };
    let flavor = Flavor {
        name: evil(),
        vcpus: 1,
        ram_mib: 1_024,
        disk_gib: 1,
    };
    let need = QuotaNeed {
        what: "ports",
        needed: 7,
        free: Some(3),
        used: Some(1),
        limit: Some(4),
    };
    RequestForm {
        problems: vec![
            problem("name"),
            problem("toy.text"),
            problem(EVIL),
            problem("quota"),
        ],
        values: vec![
            value("toy.text", "toy", ValueChoices::Free),
            value("toy.word", "toy", ValueChoices::Words(vec![evil()])),
            value("image", "", ValueChoices::Images),
            value("key", "", ValueChoices::Keys),
            RequestValue {
                is_basic: true,
                ..value("edge.flavor", "", ValueChoices::Flavors)
            },
        ],
        quotas: vec![FormQuota::from(need)],
        groups: vec![FormGroup {
            name: evil(),
            nodes: vec![evil()],
            flavor: Some(flavor.clone()),
            sum: evil(),
            grants: Default::default(),
            components: vec![evil()],
        }],
        frameworks: vec![framework],
        choices: CloudChoices {
            flavors: vec![flavor],
            images: vec![ImageChoice {
                name: evil(),
                distribution: evil(),
            }],
            keys: vec![evil()],
            networks: vec![evil()],
            zones: vec![evil()],
        },
        ..RequestForm::default()
    }
}

fn typed() -> TypedRequest {
    let attributes = [("toy.text", EVIL), (EVIL, EVIL), ("toy.word", EVIL)];
    let attributes = attributes.map(|(name, value)| (name.to_owned(), value.to_owned()));
    TypedRequest {
        name: evil(),
        attributes: attributes.into_iter().collect(),
        revision: evil(),
    }
}

fn html(form: &RequestForm, typed: &TypedRequest) -> String {
    let data = json!({ "form": form_page(form, typed), "change": form.change, "project": EVIL, "here": "/ui/new", "notice": EVIL, "is_fault": true, "asked": true });
    render_page("new.html", &PageFrame::default(), &data).unwrap()
}

#[test]
fn what_others_say_stays_text() {
    let page = html(&evil_form(), &typed());
    assert!(!page.contains("<script>"), "{page}");
    assert!(page.contains("&lt;script&gt;"));
    // Nor does it end an attribute.
    assert!(!page.contains("\"'>"), "{page}");
}

#[test]
fn a_problem_stands_beside_its_field_and_above_all_with_the_way_there() {
    let page = html(&evil_form(), &typed());
    for wanted in [
        "href=\"#field-toy-text\"",
        "id=\"field-toy-text\"",
        "aria-describedby=\"field-toy-text-hint field-toy-text-problem\"",
        "id=\"field-toy-text-problem\"",
        "href=\"#field-name\"",
        "id=\"field-name-problem\"",
        "4 things are in the way",
        "7 ports needed, 3 free",
    ] {
        assert!(page.contains(wanted), "{wanted}: {page}");
    }
    let ids = page
        .split(" id=\"")
        .skip(1)
        .map(|rest| rest.split('"').next());
    let mut ids: Vec<_> = ids.collect();
    ids.sort_unstable();
    let count = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), count, "each id once");
}
