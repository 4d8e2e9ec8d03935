//! The settings of one cloud, as the `openstack` client puts them together: its built-in defaults,
//! the profile, the entry of clouds.yaml, the region's own values, and over all of them the `OS_*`
//! variables. Says nothing of what the settings mean.

use super::{
    client_environment::ClientEnvironment,
    cloud_variables::{
        CLOUD_OF_VARIABLES, DEFAULT_DOMAIN, has_cloud_variables, read_variables, variable_name,
        variables_as_entry,
    },
    clouds_yaml::{CloudFiles, public_cloud},
    region_choice::choose_region,
    setting_value::{SettingMap, SettingValue},
    vendor_profiles::{VendorProfile, vendor_profile},
};
use crate::openstack::CloudError;

/// Settings of `auth` that may stand beside it, where they win, with the older names that they also
/// have. Of several names the last one counts.
const BESIDE_AUTH: [(&str, &[&str]); 10] = [
    ("domain_id", &["domain_id", "domain-id"]),
    ("domain_name", &["domain_name", "domain-name"]),
    ("user_domain_id", &["user_domain_id", "user-domain-id"]),
    (
        "user_domain_name",
        &["user_domain_name", "user-domain-name"],
    ),
    (
        "project_domain_id",
        &["project_domain_id", "project-domain-id"],
    ),
    (
        "project_domain_name",
        &["project_domain_name", "project-domain-name"],
    ),
    ("token", &["auth-token", "auth_token", "token"]),
    ("passcode", &["passcode"]),
    (
        "project_id",
        &["tenant_id", "tenant-id", "project_id", "project-id"],
    ),
    (
        "project_name",
        &["tenant_name", "tenant-name", "project_name", "project-name"],
    ),
];

/// The other settings of a login: those beside `auth` win too.
const LOGIN: [(&str, &[&str]); 13] = [
    ("auth_url", &["auth_url"]),
    ("username", &["username", "user_name"]),
    ("user_id", &["user_id"]),
    ("password", &["password"]),
    ("default_domain_id", &["default_domain_id"]),
    ("default_domain_name", &["default_domain_name"]),
    ("system_scope", &["system_scope"]),
    ("trust_id", &["trust_id"]),
    ("application_credential_id", &["application_credential_id"]),
    (
        "application_credential_name",
        &["application_credential_name"],
    ),
    (
        "application_credential_secret",
        &["application_credential_secret"],
    ),
    ("project_id", &["project_id", "tenant_id"]),
    ("project_name", &["project_name", "tenant_name"]),
];

/// All settings of one cloud.
pub(super) struct CloudSettings {
    /// What stands beside `auth`.
    settings: SettingMap,
    auth: SettingMap,
    /// The cloud's name and its file; none where all is from variables.
    origin: Option<(String, String)>,
}

impl CloudSettings {
    /// The cloud `name`, or without a name what the variables say, or where there is no
    /// `OS_AUTH_URL` the only cloud of clouds.yaml.
    ///
    /// # Errors
    /// [`CloudError::Credentials`] when the cloud, its region or its profile is not there.
    pub(super) fn resolve(name: Option<&str>, env: &ClientEnvironment) -> Result<Self, CloudError> {
        let of_variables = env.get("OS_CLOUD_NAME").unwrap_or(CLOUD_OF_VARIABLES);
        let from_variables = match name {
            None => env.get("OS_AUTH_URL").is_some(),
            Some(name) => name == of_variables && has_cloud_variables(env),
        };
        let (entry, origin) = if from_variables {
            if name.is_some() {
                let files = CloudFiles::load(env)?;
                if files.clouds.get(of_variables).is_some() {
                    return Err(CloudError::credentials(format!(
                        "`{of_variables}` is both a cloud in {} and what the OS_* variables are called; set OS_CLOUD_NAME to another name",
                        files.file_name()
                    )));
                }
            }
            (variables_as_entry(env), None)
        } else {
            let files = CloudFiles::load(env)?;
            let (name, entry) = choose_cloud(&files, name)?;
            (entry, Some((name, files.file_name())))
        };
        let variables = read_variables(env);
        let mut settings = SettingMap::default();
        settings.set("interface", SettingValue::text("public"));
        settings.set("auth", SettingValue::Map(SettingMap::default()));
        let profile = read_profile(&entry, env)?;
        update(&mut settings, profile.clone().unwrap_or_default());
        update(&mut settings, entry.clone());
        if let Some((name, file)) = &origin {
            let asked = variables.get_text("region_name");
            let place = format!("cloud `{name}` in {file}");
            let (region, values) = choose_region(&entry, profile.as_ref(), asked, &place)?;
            update(&mut settings, values);
            update(&mut settings, variables);
            settings.set("region_name", SettingValue::text(region));
        } else {
            update(&mut settings, variables);
        }
        if settings.get("region_name").is_none() {
            settings.set("region_name", SettingValue::text(""));
        }
        settings.remove("regions");
        let mut auth = match settings.remove("auth") {
            Some(SettingValue::Map(auth)) => auth,
            _ => SettingMap::default(),
        };
        move_into_auth(&mut settings, &mut auth);
        spread_domain(&mut settings, &mut auth);
        let mut settings = rename_endpoint_types(&settings).with_underscores();
        let mut auth = auth.with_underscores();
        for (key, names) in LOGIN {
            take_login_setting(&mut settings, &mut auth, key, names);
        }
        Ok(Self {
            settings,
            auth,
            origin,
        })
    }

    /// A setting of the login.
    ///
    /// # Errors
    /// [`CloudError::Credentials`] when it is no text.
    pub(super) fn auth(&self, key: &str) -> Result<Option<String>, CloudError> {
        self.text_of(self.auth.get(key), &format!("auth.{key}"))
    }

    /// The setting of the login, which must be there.
    pub(super) fn require_auth(&self, key: &str) -> Result<String, CloudError> {
        self.auth(key)?.ok_or_else(|| {
            CloudError::credentials(format!("{} is missing", self.describe_auth(key)))
        })
    }

    /// Keystone's address, with what stands in braces filled in.
    pub(super) fn auth_url(&self) -> Result<String, CloudError> {
        self.fill_in(&self.require_auth("auth_url")?, "auth.auth_url")
    }

    /// A setting beside `auth`, with what stands in braces filled in.
    ///
    /// # Errors
    /// [`CloudError::Credentials`] when it is no text.
    pub(super) fn top(&self, key: &str) -> Result<Option<String>, CloudError> {
        self.text_of(self.settings.get(key), key)?
            .map(|text| self.fill_in(&text, key))
            .transpose()
    }

    /// The value of a setting beside `auth`, whatever its type; `None` where it is null.
    pub(super) fn value(&self, key: &str) -> Option<&SettingValue> {
        self.settings.get(key).filter(|value| !value.is_null())
    }

    /// The domain that is meant where none is named.
    pub(super) fn default_domain(&self) -> Result<String, CloudError> {
        let domain = self.top("default_domain")?;
        Ok(domain.unwrap_or_else(|| DEFAULT_DOMAIN.to_owned()))
    }

    /// How to name a setting beside `auth` to the user.
    pub(super) fn describe(&self, key: &str) -> String {
        match &self.origin {
            None => variable_name(key),
            Some((cloud, file)) => format!("`{key}` of cloud `{cloud}` in {file}"),
        }
    }

    /// How to name a setting of the login to the user.
    pub(super) fn describe_auth(&self, key: &str) -> String {
        match &self.origin {
            None => variable_name(key),
            Some(_) => self.describe(&format!("auth.{key}")),
        }
    }

    fn text_of(
        &self,
        value: Option<&SettingValue>,
        key: &str,
    ) -> Result<Option<String>, CloudError> {
        match value {
            None => Ok(None),
            Some(value) if value.is_null() => Ok(None),
            Some(value) => match value.as_text() {
                Some(text) => Ok(Some(text.to_owned()).filter(|text| !text.is_empty())),
                None => Err(CloudError::credentials(format!(
                    "{} must be a text, not a list or a map",
                    self.describe(key)
                ))),
            },
        }
    }

    /// `{region_name}` becomes the region's name, `{{` a brace.
    fn fill_in(&self, text: &str, key: &str) -> Result<String, CloudError> {
        let wrong = |what: &str| {
            Err(CloudError::credentials(format!(
                "{} has {what}; write a brace as `{{{{` or `}}}}`",
                self.describe(key)
            )))
        };
        let (mut out, mut rest) = (String::new(), text);
        while let Some(at) = rest.find(['{', '}']) {
            let (before, behind) = rest.split_at(at);
            out.push_str(before);
            if let Some(behind) = behind.strip_prefix("{{") {
                out.push('{');
                rest = behind;
            } else if let Some(behind) = behind.strip_prefix("}}") {
                out.push('}');
                rest = behind;
            } else if let Some((name, behind)) = behind
                .strip_prefix('{')
                .and_then(|behind| behind.split_once('}'))
            {
                let value = self.settings.get(name).and_then(SettingValue::as_text);
                let Some(value) = value else {
                    return wrong(&format!("`{{{name}}}`, which is no setting of this cloud"));
                };
                out.push_str(value);
                rest = behind;
            } else {
                return wrong("a brace without its other one");
            }
        }
        Ok(out + rest)
    }
}

fn choose_cloud(
    files: &CloudFiles,
    name: Option<&str>,
) -> Result<(String, SettingMap), CloudError> {
    let wrong = |message: String| Err(CloudError::credentials(message + &files.skipped_files()));
    if files.file.is_none() {
        let searched: Vec<_> = files
            .searched
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        let searched = searched.join(", ");
        return wrong(match name {
            None => format!(
                "there is neither OS_AUTH_URL nor a clouds.yaml (searched: {searched}); set OS_* or write one"
            ),
            Some(name) => format!(
                "OS_CLOUD or --os-cloud asks for the cloud `{name}`, but there is no clouds.yaml (searched: {searched}); write one, or leave the name out to use OS_* alone"
            ),
        });
    }
    let (file, names) = (files.file_name(), files.clouds.keys());
    let all = names.join(", ");
    let name = match (name, names.as_slice()) {
        (Some(name), _) => name,
        (None, [only]) => only,
        (None, []) => return wrong(format!("{file} lists no clouds")),
        (None, _) => {
            return wrong(format!(
                "{file} has the clouds {all}; choose one with OS_CLOUD or --os-cloud"
            ));
        }
    };
    match files.clouds.get(name) {
        None => wrong(format!("{file} has no cloud `{name}`; it has: {all}")),
        Some(SettingValue::Map(entry)) => Ok((name.to_owned(), entry.clone())),
        Some(_) => wrong(format!("cloud `{name}` in {file} has no settings")),
    }
}

/// Takes all of `other`; what stands in its `auth` goes into ours. A null of ours stays where
/// nothing is given.
fn update(settings: &mut SettingMap, other: SettingMap) {
    for (key, value) in other.iter() {
        match (settings.get_mut(key), value) {
            (Some(SettingValue::Map(old)), SettingValue::Map(new)) if key == "auth" => {
                for (key, value) in new.iter() {
                    old.set(key, value.clone());
                }
            }
            (Some(SettingValue::Map(_)), _) if key == "auth" => {}
            _ => settings.set(key, value.clone()),
        }
    }
}

/// The settings of the entry's profile.
fn read_profile(
    entry: &SettingMap,
    env: &ClientEnvironment,
) -> Result<Option<SettingMap>, CloudError> {
    let name = entry
        .get_text("profile")
        .or_else(|| entry.get_text("cloud"));
    let Some(name) = name else {
        return Ok(None);
    };
    if let Some(profile) = public_cloud(name, env) {
        return Ok(Some(profile));
    }
    let remote = |url: &str| {
        Err(CloudError::credentials(format!(
            "the profile `{name}` is fetched from {url}, which is not done here; write its settings into clouds.yaml \
             or clouds-public.yaml, auth_url first"
        )))
    };
    match vendor_profile(name) {
        Some(VendorProfile::Known(profile)) => Ok(Some(profile)),
        Some(VendorProfile::Remote(url)) => remote(url),
        Some(VendorProfile::Gone) => Err(CloudError::credentials(format!(
            "the profile `{name}` is of a cloud that no longer exists"
        ))),
        None if name.contains("://") => remote(name),
        None => {
            tracing::warn!("the profile `{name}` of clouds.yaml is not known and passed over");
            Ok(None)
        }
    }
}

fn move_into_auth(settings: &mut SettingMap, auth: &mut SettingMap) {
    for (key, names) in BESIDE_AUTH {
        let mut found = None;
        for name in names {
            for map in [&mut *auth, &mut *settings] {
                if let Some(value) = map.remove(name).filter(|value| !value.is_null()) {
                    found = Some(value);
                }
            }
        }
        if let Some(value) = found.filter(|value| value.as_text() != Some("")) {
            auth.set(key, value);
        }
    }
}

/// `domain_id` and `domain_name` are the domain of both user and project, where there is a project.
fn spread_domain(settings: &mut SettingMap, auth: &mut SettingMap) {
    let has_project = auth.get("project_id").is_some() || auth.get("project_name").is_some();
    if !has_project {
        return;
    }
    for (domain, both) in [
        ("domain_id", ["user_domain_id", "project_domain_id"]),
        ("domain_name", ["user_domain_name", "project_domain_name"]),
    ] {
        settings.remove(domain);
        if let Some(value) = auth.remove(domain) {
            for key in both {
                if auth.get(key).is_none() {
                    auth.set(key, value.clone());
                }
            }
        }
    }
}

/// `endpoint_type` is the old name of `interface`; of the two, the later one counts.
fn rename_endpoint_types(settings: &SettingMap) -> SettingMap {
    let mut out = SettingMap::default();
    for (key, value) in settings.iter() {
        let key = match key.strip_suffix("endpoint_type") {
            Some(before) => format!("{before}interface"),
            None => key.to_owned(),
        };
        out.set(&key, value.clone());
    }
    out
}

/// The value of the first name that is given beside `auth`, else in it, becomes `auth.key`. An empty
/// one counts as given, but as no value.
fn take_login_setting(settings: &mut SettingMap, auth: &mut SettingMap, key: &str, names: &[&str]) {
    let mut winner = None;
    for map in [settings, auth] {
        let given: Vec<_> = names.iter().filter_map(|name| map.remove(name)).collect();
        let first = given.into_iter().next().filter(|value| !value.is_null());
        winner = winner.or(first.filter(|value| value.as_text() != Some("")));
    }
    if let Some(value) = winner {
        auth.set(key, value);
    }
}
