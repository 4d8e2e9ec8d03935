//! The catalog: where each service is, in one form for Keystone's v2.0 and v3, and the address that
//! our calls start from.

use serde::Deserialize;
use url::Url;

use super::{CloudConfig, CloudError, EndpointInterface};

/// Every endpoint of the catalog.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ServiceCatalog {
    pub(super) endpoints: Vec<CatalogEndpoint>,
}

/// One endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CatalogEndpoint {
    pub(super) service_type: String,
    pub(super) region: String,
    pub(super) interface: String,
    pub(super) url: String,
}

/// A service that we call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ServiceType {
    Heat,
    Nova,
    Glance,
    Neutron,
    Cinder,
}

impl ServiceType {
    /// As messages name it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Heat => "heat",
            Self::Nova => "nova",
            Self::Glance => "glance",
            Self::Neutron => "neutron",
            Self::Cinder => "cinder",
        }
    }

    /// As catalogs name it, the best name first.
    pub(super) fn types(self) -> &'static [&'static str] {
        match self {
            Self::Heat => &["orchestration"],
            Self::Nova => &["compute"],
            Self::Glance => &["image"],
            Self::Neutron => &["network"],
            Self::Cinder => &["volumev3", "block-storage", "volumev2", "volume"],
        }
    }

    /// The API version for an endpoint that names none.
    fn version(self) -> &'static str {
        match self {
            Self::Heat => "v1",
            Self::Nova => "v2.1",
            Self::Glance => "v2",
            Self::Neutron => "v2.0",
            Self::Cinder => "v3",
        }
    }
}

impl ServiceCatalog {
    /// The region that we work in: the configured one, else the first where Heat is, else the
    /// first.
    pub(super) fn region<'a>(&'a self, config: &'a CloudConfig) -> &'a str {
        let heat = || {
            self.endpoints.iter().find(|endpoint| {
                ServiceType::Heat
                    .types()
                    .contains(&endpoint.service_type.as_str())
            })
        };
        let found = || {
            heat()
                .or(self.endpoints.first())
                .map_or("", |endpoint| &endpoint.region)
        };
        config.region.as_deref().unwrap_or_else(found)
    }

    /// Whether our region has a service of this type, at our interface.
    pub(super) fn has(&self, service_type: &str, config: &CloudConfig) -> bool {
        self.find(service_type, config).is_some()
    }

    /// The address that calls to `service` start from, with API version and (Heat, Cinder) project,
    /// without a trailing slash.
    pub(super) fn base(
        &self,
        service: ServiceType,
        project_id: &str,
        config: &CloudConfig,
    ) -> Result<Url, CloudError> {
        let endpoint = service
            .types()
            .iter()
            .find_map(|service_type| self.find(service_type, config));
        let endpoint = endpoint.ok_or_else(|| self.missing(service, config))?;
        let wrong = || {
            CloudError::Config(format!(
                "the catalog's address of {} is no http(s) URL: `{}`",
                service.name(),
                endpoint.url
            ))
        };
        let mut url = Url::parse(&endpoint.url)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https"))
            .ok_or_else(wrong)?;
        let path = base_path(service, url.path(), project_id);
        url.set_path(&path);
        url.set_query(None);
        Ok(url)
    }

    fn find(&self, service_type: &str, config: &CloudConfig) -> Option<&CatalogEndpoint> {
        let region = self.region(config);
        self.endpoints.iter().find(|endpoint| {
            endpoint.service_type == service_type
                && endpoint.interface == config.interface.as_str()
                && endpoint.region == region
        })
    }

    fn missing(&self, service: ServiceType, config: &CloudConfig) -> CloudError {
        let mut available: Vec<_> = self
            .endpoints
            .iter()
            .map(|e| format!("{} ({}, {})", e.service_type, e.interface, e.region))
            .collect();
        available.sort();
        available.dedup();
        let available = if available.is_empty() {
            "nothing".to_owned()
        } else {
            available.join(", ")
        };
        let region = self.region(config);
        let region = if region.is_empty() {
            String::new()
        } else {
            format!(" in region `{region}`")
        };
        let service = service.types().first().copied().unwrap_or_default();
        CloudError::NoService {
            service,
            interface: config.interface.as_str(),
            region,
            available,
        }
    }
}

fn base_path(service: ServiceType, path: &str, project_id: &str) -> String {
    let mut segments: Vec<&str> = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect();
    let version = segments.iter().position(|segment| is_version(segment));
    match version {
        None => segments.push(service.version()),
        // Old catalogs name Glance's dead v1.
        Some(at) if service == ServiceType::Glance && segments[at] == "v1" => {
            segments[at] = service.version()
        }
        Some(_) => {}
    }
    if matches!(service, ServiceType::Heat | ServiceType::Cinder)
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

/// A service in a v3 catalog.
#[derive(Deserialize)]
pub(super) struct ServiceV3 {
    #[serde(rename = "type")]
    service_type: String,
    #[serde(default)]
    endpoints: Vec<EndpointV3>,
}

#[derive(Deserialize)]
struct EndpointV3 {
    interface: String,
    #[serde(default)]
    region_id: Option<String>,
    #[serde(default)]
    region: Option<String>,
    url: String,
}

/// A service in a v2.0 catalog.
#[derive(Deserialize)]
pub(super) struct ServiceV2 {
    #[serde(rename = "type")]
    service_type: String,
    #[serde(default)]
    endpoints: Vec<EndpointV2>,
}

#[derive(Deserialize)]
struct EndpointV2 {
    #[serde(default)]
    region: String,
    #[serde(rename = "publicURL")]
    public_url: Option<String>,
    #[serde(rename = "internalURL")]
    internal_url: Option<String>,
    #[serde(rename = "adminURL")]
    admin_url: Option<String>,
}

impl From<Vec<ServiceV3>> for ServiceCatalog {
    fn from(services: Vec<ServiceV3>) -> Self {
        let endpoints = services.into_iter().flat_map(|service| {
            service
                .endpoints
                .into_iter()
                .map(move |endpoint| CatalogEndpoint {
                    service_type: service.service_type.clone(),
                    region: endpoint.region_id.or(endpoint.region).unwrap_or_default(),
                    interface: endpoint.interface,
                    url: endpoint.url,
                })
        });
        Self {
            endpoints: endpoints.collect(),
        }
    }
}

impl From<Vec<ServiceV2>> for ServiceCatalog {
    fn from(services: Vec<ServiceV2>) -> Self {
        let endpoints = services.into_iter().flat_map(|service| {
            service.endpoints.into_iter().flat_map(move |endpoint| {
                let urls = [
                    (EndpointInterface::Public, endpoint.public_url),
                    (EndpointInterface::Internal, endpoint.internal_url),
                    (EndpointInterface::Admin, endpoint.admin_url),
                ];
                let (service_type, region) = (service.service_type.clone(), endpoint.region);
                urls.into_iter().filter_map(move |(interface, url)| {
                    let interface = interface.as_str().to_owned();
                    Some(CatalogEndpoint {
                        service_type: service_type.clone(),
                        region: region.clone(),
                        interface,
                        url: url?,
                    })
                })
            })
        });
        Self {
            endpoints: endpoints.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalog() -> ServiceCatalog {
        let at = |service_type: &str, region: &str, interface: &str, url: &str| CatalogEndpoint {
            service_type: service_type.to_owned(),
            region: region.to_owned(),
            interface: interface.to_owned(),
            url: url.to_owned(),
        };
        ServiceCatalog {
            endpoints: vec![
                at("compute", "Two", "public", "http://two:8774"),
                at(
                    "orchestration",
                    "One",
                    "internal",
                    "http://one-internal:8004/v1/p1",
                ),
                at("orchestration", "One", "public", "http://one:8004/v1/p1"),
                at("compute", "One", "public", "http://one:8774/v2.1/"),
                at("cloudformation", "Two", "public", "http://two:8000/v1"),
                at("image", "One", "public", "ftp://one"),
            ],
        }
    }

    #[test]
    fn without_a_region_the_one_where_heat_is_serves_all() {
        let config = CloudConfig::new("http://k");
        assert_eq!(catalog().region(&config), "One");
        assert_eq!(
            catalog()
                .base(ServiceType::Nova, "p1", &config)
                .expect("nova")
                .as_str(),
            "http://one:8774/v2.1"
        );
        assert!(
            !catalog().has("cloudformation", &config),
            "another region's does not count"
        );
    }

    #[test]
    fn region_and_interface_choose_the_endpoint() {
        let config = CloudConfig {
            region: Some("Two".to_owned()),
            ..CloudConfig::new("http://k")
        };
        assert_eq!(
            catalog()
                .base(ServiceType::Nova, "p1", &config)
                .expect("nova")
                .as_str(),
            "http://two:8774/v2.1"
        );
        assert!(catalog().has("cloudformation", &config));
        let config = CloudConfig {
            interface: EndpointInterface::Internal,
            ..CloudConfig::new("http://k")
        };
        assert_eq!(
            catalog()
                .base(ServiceType::Heat, "p1", &config)
                .expect("heat")
                .as_str(),
            "http://one-internal:8004/v1/p1"
        );
    }

    #[test]
    fn what_is_missing_is_named_with_what_is_there() {
        let config = CloudConfig {
            region: Some("Three".to_owned()),
            ..CloudConfig::new("http://k")
        };
        let message = catalog()
            .base(ServiceType::Heat, "p1", &config)
            .expect_err("no such region")
            .to_string();
        assert!(
            message.contains("`orchestration` in region `Three`")
                && message.contains("orchestration (public, One)"),
            "{message}"
        );
        let error = catalog()
            .base(ServiceType::Glance, "p1", &CloudConfig::new("http://k"))
            .expect_err("ftp");
        assert!(matches!(error, CloudError::Config(_)), "{error}");
    }

    #[test]
    fn endpoints_with_and_without_a_version_come_to_the_same() {
        let cases = [
            (ServiceType::Heat, "/", "v1/p1"),
            (ServiceType::Heat, "/v1", "v1/p1"),
            (ServiceType::Heat, "/v1/p1", "v1/p1"),
            (ServiceType::Heat, "/heat-api/v1/p1/", "heat-api/v1/p1"),
            (ServiceType::Heat, "/heat-api", "heat-api/v1/p1"),
            (ServiceType::Nova, "", "v2.1"),
            (ServiceType::Nova, "/v2.1/p1", "v2.1/p1"),
            (ServiceType::Nova, "/v2/p1", "v2/p1"),
            (ServiceType::Neutron, "/", "v2.0"),
            (ServiceType::Neutron, "/v2.0/", "v2.0"),
            (ServiceType::Glance, "/", "v2"),
            (ServiceType::Glance, "/v1", "v2"),
            (ServiceType::Glance, "/image/v2", "image/v2"),
            (ServiceType::Neutron, "/vpc", "vpc/v2.0"),
            (ServiceType::Cinder, "/v3/p1", "v3/p1"),
            (ServiceType::Cinder, "/volume/v3", "volume/v3/p1"),
            (ServiceType::Cinder, "/", "v3/p1"),
        ];
        for (service, path, expected) in cases {
            assert_eq!(
                base_path(service, path, "p1"),
                expected,
                "{service:?} {path}"
            );
        }
    }

    #[test]
    fn both_forms_of_a_catalog_are_read() {
        let v3: Vec<ServiceV3> = serde_json::from_str(
            r#"[{"type": "compute", "name": "nova", "id": "x", "endpoints": [{"id": "1", "interface": "public", "region_id": "One", "region": "One", "url": "http://n"}]}]"#,
        )
        .expect("v3");
        let v2: Vec<ServiceV2> = serde_json::from_str(
            r#"[{"type": "compute", "name": "nova", "endpoints_links": [], "endpoints": [{"region": "One", "publicURL": "http://n", "id": "1"}]}]"#,
        )
        .expect("v2.0");
        assert_eq!(ServiceCatalog::from(v3), ServiceCatalog::from(v2));
    }
}
