//! Renders pages from `templates/`. The template engine escapes every value, because clusters' texts
//! come from clients and nodes; no template says `safe`.

use std::sync::{Arc, LazyLock};

use minijinja::value::{Kwargs, Serde};
use minijinja::{Environment, UndefinedBehavior, Value, context};
use serde::Serialize;

use super::assets::asset_path;
use super::texts;

/// A template is broken, which tests would have shown.
#[derive(Clone, Debug, thiserror::Error)]
#[error("a page cannot be made: {0}")]
pub(super) struct BrokenTemplate(#[source] Arc<minijinja::Error>);

impl From<minijinja::Error> for BrokenTemplate {
    fn from(error: minijinja::Error) -> Self {
        Self(Arc::new(error))
    }
}

/// What stands around every page.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct PageFrame {
    /// Before all paths of this service.
    pub(super) prefix: String,
    /// The whole URL of this service, for commands that ask it.
    pub(super) service: String,
    /// Who has signed in.
    pub(super) who: Option<PageUser>,
}

/// Who has signed in, as pages say it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct PageUser {
    pub(super) user: String,
    pub(super) project: String,
    pub(super) region: Option<String>,
    pub(super) only_looks: bool,
}

/// The page of this template: `list.html`.
pub(super) fn render_page(
    template: &str,
    frame: &PageFrame,
    page: &impl Serialize,
) -> Result<String, BrokenTemplate> {
    let templates = TEMPLATES.as_ref().map_err(BrokenTemplate::clone)?;
    let frame = Value::from(Serde(frame));
    let page = Value::from(Serde(page));
    let context = context! { page, ..frame };
    Ok(templates.get_template(template)?.render(context)?)
}

static TEMPLATES: LazyLock<Result<Environment<'static>, BrokenTemplate>> = LazyLock::new(|| {
    let mut templates = Environment::new();
    // A misspelt name in a template is an error, not an empty place. Names that end in `.html` are
    // escaped.
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    templates.add_function("asset", |name: &str| asset_path(name));
    templates.add_function("t", translate);
    for (name, source) in [
        ("layout.html", include_str!("templates/layout.html")),
        ("message.html", include_str!("templates/message.html")),
        ("sign_in.html", include_str!("templates/sign_in.html")),
        ("list.html", include_str!("templates/list.html")),
        ("cluster.html", include_str!("templates/cluster.html")),
        ("live_head.html", include_str!("templates/live_head.html")),
        (
            "cluster_live.html",
            include_str!("templates/cluster_live.html"),
        ),
        ("chart.html", include_str!("templates/chart.html")),
        ("history.html", include_str!("templates/history.html")),
        ("delete.html", include_str!("templates/delete.html")),
        ("secret.html", include_str!("templates/secret.html")),
    ] {
        templates.add_template(name, source)?;
    }
    for (name, source) in super::forms::TEMPLATES {
        templates.add_template(name, source)?;
    }
    Ok(templates)
});

/// `t("list.shown", shown=3, all=12)`.
fn translate(name: &str, values: Kwargs) -> Result<String, minijinja::Error> {
    let Some(text) = texts::find_text(name) else {
        let kind = minijinja::ErrorKind::InvalidOperation;
        return Err(minijinja::Error::new(kind, format!("no text {name}")));
    };
    Ok(texts::fill_in(text, |wanted| {
        let value: Value = values.get(wanted).ok()?;
        Some(value.to_string())
    }))
}
