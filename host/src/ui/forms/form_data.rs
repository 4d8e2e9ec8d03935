//! The data of the form's page.

use serde::Serialize;

/// A form, as its page shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct FormPage {
    /// The cluster's name as it was typed.
    pub name: String,
    /// What is wrong with it.
    pub name_problems: Vec<String>,
    /// Whether a cluster that is there is changed.
    pub is_change: bool,
    /// The revision that was looked at.
    pub revision: String,
    /// Frameworks that can be chosen.
    pub cards: Vec<FrameworkCard>,
    /// What is wrong with the choice.
    pub framework_problems: Vec<String>,
    /// How large it is.
    pub sizes: Vec<FormField>,
    /// What else most people look at.
    pub basic: Vec<FormField>,
    /// All else, folded.
    pub sections: Vec<FieldSection>,
    /// What was typed that the form has no field for.
    pub strays: Vec<FormField>,
    /// All problems, each with where its field is.
    pub problems: Vec<ProblemLine>,
    /// What else is in the way.
    pub obstacle: String,
    /// Quotas of which something is needed, or nothing is left.
    pub quotas: Vec<QuotaBar>,
    /// Who will be there.
    pub groups: Vec<GroupLine>,
    /// The command that does the same; empty while something is wrong.
    pub command: String,
    /// How long such a thing took before; may be empty.
    pub took: String,
    /// Whether it can be asked for as it is.
    pub is_sound: bool,
}

/// A framework to choose.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct FrameworkCard {
    /// As it is asked for.
    pub name: String,
    /// For people, with its version.
    pub title: String,
    /// What it is.
    pub description: String,
    /// What it needs and works with; may be empty.
    pub needs: String,
    /// Whether it is chosen.
    pub is_chosen: bool,
}

/// An attribute as a field.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct FormField {
    /// What the page finds it by.
    pub id: String,
    /// The attribute, without `stampede.`.
    pub attribute: String,
    /// The same for people.
    pub label: String,
    /// Whether it is Stampede's own, whose label does not say its name.
    pub is_own: bool,
    /// What was typed.
    pub typed: String,
    /// What will be used, where nothing is typed; may be empty.
    pub used: String,
    /// Why that.
    pub reason: String,
    /// What the attribute means.
    pub description: String,
    /// What it may be.
    pub range: String,
    /// Its unit.
    pub unit: String,
    /// What can be chosen; empty: anything can be typed.
    pub choices: Vec<FieldChoice>,
    /// Whether nothing else than these can be meant.
    pub is_closed: bool,
    /// What is wrong with it.
    pub problems: Vec<String>,
    /// Why it cannot be changed; empty: it can.
    pub fixed: String,
}

/// Something to choose.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct FieldChoice {
    /// The value.
    pub value: String,
    /// With its size, or what is in it.
    pub label: String,
}

/// Fields that are folded together.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct FieldSection {
    /// What the page finds it by.
    pub id: String,
    /// For people.
    pub title: String,
    /// Shown when it is unfolded.
    pub basic: Vec<FormField>,
    /// Folded once more.
    pub advanced: Vec<FormField>,
    /// Whether something is wrong in it, or was typed into it.
    pub is_open: bool,
}

/// A problem, and where it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ProblemLine {
    /// The field's id; empty: no field's.
    pub field: String,
    /// What it is about.
    pub path: String,
    /// What is wrong, and what to do.
    pub text: String,
}

/// A quota as a bar.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct QuotaBar {
    /// Of what.
    pub label: String,
    /// How wide what is there now is drawn.
    pub now_width: u64,
    /// How wide what would be there is drawn.
    pub after_width: u64,
    /// `17 of 20`.
    pub numbers: String,
    /// For those who do not see it.
    pub spoken: String,
    /// Where it does not suffice: `7 ports needed, 3 free`.
    pub problem: String,
}

/// The nodes of a group.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct GroupLine {
    /// Its name.
    pub name: String,
    /// `3 x m1.large (4 vCPUs, 8 GiB)`.
    pub nodes: String,
    /// Their names.
    pub names: String,
    /// What each of them has granted, a line each.
    pub grants: Vec<String>,
    /// What makes them so large; may be empty.
    pub sum: String,
}
