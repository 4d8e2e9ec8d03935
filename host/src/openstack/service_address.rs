//! Pure. The address of a service: what a user may leave open in one, and what a path needs before
//! calls can be made below it.

use super::{CloudError, ServiceName};

/// Whose token the calls carry.
#[derive(Clone, Copy, Debug)]
pub(super) struct TokenOwner<'a> {
    pub(super) project_id: &'a str,
    pub(super) user_id: &'a str,
}

/// An address that is set for a service, with `%(project_id)s` and `%(user_id)s` filled in, as
/// keystoneauth does it, and `%%` a percent sign.
///
/// # Errors
/// [`CloudError::Config`] for another name.
pub(super) fn fill_in_owner(
    address: &str,
    service: ServiceName,
    owner: TokenOwner<'_>,
) -> Result<String, CloudError> {
    let (mut out, mut rest) = (String::new(), address);
    while let Some((before, behind)) = rest.split_once('%') {
        out.push_str(before);
        rest = behind;
        if let Some(behind) = behind.strip_prefix('%') {
            out.push('%');
            rest = behind;
        } else if let Some(open) = behind.strip_prefix('(') {
            let (name, behind) = open.split_once(")s").unwrap_or_default();
            out.push_str(match name {
                "project_id" => owner.project_id,
                "user_id" => owner.user_id,
                _ => {
                    return Err(CloudError::config(format!(
                        "the address that is set for {} has `%(` before something else: only %(project_id)s and %(user_id)s are filled in: `{address}`",
                        service.as_str()
                    )));
                }
            });
            rest = behind;
        } else {
            // An escape of the URL.
            out.push('%');
        }
    }
    Ok(out + rest)
}

/// The API version to call at an endpoint that names none.
fn default_version(service: ServiceName) -> &'static str {
    match service {
        ServiceName::Keystone | ServiceName::Cinder => "v3",
        ServiceName::Heat => "v1",
        ServiceName::Nova => "v2.1",
        ServiceName::Glance => "v2",
        ServiceName::Neutron => "v2.0",
    }
}

/// The path of a base URL. Clouds write endpoints with and without version and project, so both are
/// added where they are missing: `/heat-api` becomes `heat-api/v1/<project>`.
pub(super) fn base_path(service: ServiceName, path: &str, project_id: &str) -> String {
    let mut segments: Vec<&str> = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect();
    let version = segments.iter().position(|segment| is_version(segment));
    match version {
        None => segments.push(default_version(service)),
        // Old catalogs name Glance's dead v1.
        Some(at) if service == ServiceName::Glance && segments[at] == "v1" => {
            segments[at] = default_version(service)
        }
        Some(_) => {}
    }
    if matches!(service, ServiceName::Heat | ServiceName::Cinder)
        && segments.last().is_some_and(|last| is_version(last))
    {
        segments.push(project_id);
    }
    segments.join("/")
}

fn is_version(segment: &str) -> bool {
    segment.strip_prefix('v').is_some_and(|rest| {
        rest.starts_with(|c: char| c.is_ascii_digit())
            && rest.chars().all(|c| c.is_ascii_digit() || c == '.')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_leave_its_owner_open() {
        let owner = TokenOwner {
            project_id: "p1",
            user_id: "u1",
        };
        let fill = |address: &str| fill_in_owner(address, ServiceName::Heat, owner);
        for (address, filled) in [
            ("http://h/v1/%(project_id)s", "http://h/v1/p1"),
            ("http://h/%(user_id)s/%(project_id)s/x", "http://h/u1/p1/x"),
            ("http://h/a%20b%%c", "http://h/a%20b%c"),
            ("http://h/v1", "http://h/v1"),
        ] {
            assert_eq!(fill(address).expect(address), filled);
        }
        for address in [
            "http://h/%(tenant_id)s",
            "http://h/%(project_id",
            "http://h/%()s",
        ] {
            let refused = fill(address).expect_err(address).to_string();
            assert!(refused.contains("only %(project_id)s"), "{refused}");
        }
    }

    #[test]
    fn endpoints_with_and_without_a_version_come_to_the_same() {
        let cases = [
            (ServiceName::Heat, "/", "v1/p1"),
            (ServiceName::Heat, "/v1", "v1/p1"),
            (ServiceName::Heat, "/v1/p1", "v1/p1"),
            (ServiceName::Heat, "/heat-api/v1/p1/", "heat-api/v1/p1"),
            (ServiceName::Heat, "/heat-api", "heat-api/v1/p1"),
            (ServiceName::Nova, "", "v2.1"),
            (ServiceName::Nova, "/v2.1/p1", "v2.1/p1"),
            (ServiceName::Nova, "/v2/p1", "v2/p1"),
            (ServiceName::Neutron, "/", "v2.0"),
            (ServiceName::Neutron, "/v2.0/", "v2.0"),
            (ServiceName::Glance, "/", "v2"),
            (ServiceName::Glance, "/v1", "v2"),
            (ServiceName::Glance, "/image/v2", "image/v2"),
            (ServiceName::Neutron, "/vpc", "vpc/v2.0"),
            (ServiceName::Cinder, "/v3/p1", "v3/p1"),
            (ServiceName::Cinder, "/volume/v3", "volume/v3/p1"),
            (ServiceName::Cinder, "/", "v3/p1"),
        ];
        for (service, path, expected) in cases {
            assert_eq!(
                base_path(service, path, "p1"),
                expected,
                "{service:?} {path}"
            );
        }
    }
}
