//! Parses the text of one attribute value, by its kind: to what [`super::ClusterSpec`] holds, or to
//! the problem with it. Which attribute takes which kind is [`super::attribute_schema`]'s to know.

use std::str::FromStr as _;

use ipnet::Ipv4Net;
use url::Url;

use super::{Problem, group_addresses::GroupAddresses, limits, node_group::NodeGroups};

/// Text that may stand in an attribute at all: not too long, no control characters. The rest is
/// carried exactly.
pub(super) fn check_text(path: &str, value: &str) -> Result<(), Problem> {
    if value.len() > limits::MAX_VALUE_BYTES {
        let message = format!(
            "is {} bytes long, at most {} are taken",
            value.len(),
            limits::MAX_VALUE_BYTES
        );
        return Err(Problem::new(path, message, ""));
    }
    match value.chars().find(|c| c.is_control()) {
        Some(c) => Err(Problem::new(
            path,
            format!("has the control character U+{:04X}", c as u32),
            "take it out; JSON texts write it as an escape",
        )),
        None => Ok(()),
    }
}

/// A cluster's name.
pub(super) fn parse_cluster_name(path: &str, value: &str) -> Result<String, Problem> {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let right = value.starts_with(|c: char| c.is_ascii_lowercase())
        && value.chars().all(inner)
        && !value.ends_with('-');
    if right && value.len() <= limits::MAX_NAME_CHARS {
        return Ok(value.to_owned());
    }
    let hint = format!(
        "1 to {} of a-z, 0-9 and -, a letter first, no - at the end",
        limits::MAX_NAME_CHARS
    );
    Err(Problem::new(
        path,
        format!("`{}` cannot be a cluster's name", shorten(value)),
        hint,
    ))
}

/// The name or id of something in the cloud.
pub(super) fn parse_cloud_name(path: &str, value: &str) -> Result<String, Problem> {
    let chars = value.chars().count();
    if chars > limits::MAX_CLOUD_NAME_CHARS {
        return Err(Problem::new(
            path,
            format!(
                "is {chars} characters long, the cloud holds {}",
                limits::MAX_CLOUD_NAME_CHARS
            ),
            "",
        ));
    }
    Ok(value.to_owned())
}

/// A whole number between two bounds, both included.
pub(super) fn parse_number(path: &str, value: &str, least: u32, most: u32) -> Result<u32, Problem> {
    let hint = format!("{least} to {most}");
    if value.is_empty() || !value.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Problem::new(
            path,
            format!("must be a whole number, got `{}`", shorten(value)),
            hint,
        ));
    }
    match value.parse::<u32>() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        Ok(number) if number < least => {
            Err(Problem::new(path, format!("{number} is too few"), hint))
        }
        _ => Err(Problem::new(
            path,
            format!("{} is too many", shorten(value)),
            hint,
        )),
    }
}

/// An http or https URL that names a host and no secret, without the slash at its end.
pub(super) fn parse_url(path: &str, value: &str) -> Result<String, Problem> {
    let wrong = |message: String, hint: &str| Err(Problem::new(path, message, hint));
    if value.len() > limits::MAX_URL_BYTES {
        return wrong(
            format!(
                "is {} bytes long, at most {} are taken",
                value.len(),
                limits::MAX_URL_BYTES
            ),
            "",
        );
    }
    if !value.bytes().all(|b| b.is_ascii_graphic()) {
        return wrong(
            "has a blank or a character outside ASCII".to_owned(),
            "write it percent-encoded",
        );
    }
    let Ok(parsed) = Url::parse(value) else {
        return wrong(
            "is not a URL".to_owned(),
            "such as http://mirror.example.org/apache",
        );
    };
    if !matches!(parsed.scheme(), "http" | "https") || !parsed.has_host() {
        return wrong(
            "must begin with http:// or https:// and a host".to_owned(),
            "such as http://mirror.example.org/apache",
        );
    }
    if !parsed.username().is_empty() || parsed.password().is_some() || value.contains('@') {
        return wrong(
            "holds a user name".to_owned(),
            "everyone on a node could read it; use one that needs no password",
        );
    }
    if parsed.query().is_some() || parsed.fragment().is_some() {
        return wrong(
            "has a `?` or `#` part".to_owned(),
            "a base URL is a host and a path",
        );
    }
    Ok(value.trim_end_matches('/').to_owned())
}

/// The same, as nodes take it in what they are told to fetch.
pub(super) fn parse_download_url(path: &str, value: &str) -> Result<String, Problem> {
    let url = parse_url(path, value)?;
    if is_node_url(&url) {
        return Ok(url);
    }
    let message = "has a character that nodes do not take";
    Err(Problem::new(path, message, "write it percent-encoded"))
}

/// The form of URLs in what stands on nodes.
pub fn is_node_url(text: &str) -> bool {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let is_part = |b: u8| b.is_ascii_alphanumeric() || b"[]._~:/?#@!$&()*+,;=%-".contains(&b);
    rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(is_part))
}

/// The cluster's own network: private IPv4 with room for the nodes.
pub(super) fn parse_node_network(
    path: &str,
    value: &str,
    groups: &NodeGroups,
) -> Result<String, Problem> {
    let Ok(net) = Ipv4Net::from_str(value) else {
        return Err(Problem::new(
            path,
            format!("`{}` is not an IPv4 network", shorten(value)),
            "such as 10.77.0.0/22",
        ));
    };
    if net != net.trunc() {
        return Err(Problem::new(
            path,
            format!("`{net}` has bits set behind its prefix"),
            format!("{}", net.trunc()),
        ));
    }
    let private = [
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
    ];
    if !private
        .iter()
        .filter_map(|p| Ipv4Net::from_str(p).ok())
        .any(|p| p.contains(&net))
    {
        return Err(Problem::new(
            path,
            format!("`{net}` is not private"),
            format!("a network inside {}", private.join(", ")),
        ));
    }
    let (least, most) = (limits::MIN_PREFIX, limits::MAX_PREFIX);
    if !(least..=most).contains(&net.prefix_len()) {
        let message = format!("`{net}` is of a size that is not taken");
        let hint = format!("/{least} to /{most}");
        return Err(Problem::new(path, message, hint));
    }
    GroupAddresses::new(net).check(path, groups)?;
    Ok(net.to_string())
}

/// The networks that may reach the cluster, separated by commas or blanks; a single address is a
/// network of one.
pub(super) fn parse_network_list(path: &str, value: &str) -> Result<Vec<String>, Problem> {
    let hint = "IPv4 networks such as 198.51.100.0/24, or 0.0.0.0/0 for everyone";
    let mut cidrs = Vec::new();
    for word in split_list(value) {
        let net = Ipv4Net::from_str(word)
            .or_else(|_| std::net::Ipv4Addr::from_str(word).map(Ipv4Net::from));
        match net {
            Ok(net) if net == net.trunc() => cidrs.push(net.to_string()),
            Ok(net) => {
                return Err(Problem::new(
                    path,
                    format!("`{net}` has bits set behind its prefix"),
                    net.trunc().to_string(),
                ));
            }
            Err(_) => {
                return Err(Problem::new(
                    path,
                    format!("`{}` is not an IPv4 network", shorten(word)),
                    hint,
                ));
            }
        }
    }
    cidrs.sort();
    cidrs.dedup();
    if cidrs.len() > limits::MAX_ACCESS_CIDRS {
        return Err(Problem::new(
            path,
            format!(
                "names {} networks, at most {} are taken",
                cidrs.len(),
                limits::MAX_ACCESS_CIDRS
            ),
            "",
        ));
    }
    Ok(cidrs)
}

/// `true` or `false`.
pub(crate) fn parse_flag(path: &str, value: &str) -> Result<bool, Problem> {
    value.trim().parse().map_err(|_| {
        let message = format!("must be true or false, got `{}`", shorten(value));
        Problem::new(path, message, "")
    })
}

/// The words of a list: separated by commas or blanks.
pub(super) fn split_list(value: &str) -> impl Iterator<Item = &str> {
    value
        .split(|c: char| c == ',' || c.is_whitespace())
        .filter(|word| !word.is_empty())
}

/// What a message quotes of a value: its beginning.
pub(super) fn shorten(value: &str) -> String {
    const QUOTED_CHARS: usize = 60;
    let mut short: String = value
        .chars()
        .take(QUOTED_CHARS)
        .filter(|c| !c.is_control())
        .collect();
    if value.chars().count() > QUOTED_CHARS {
        short.push_str("...");
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_on_both_sides_of_the_pattern() {
        for right in ["a", "demo", "a-1", &"a".repeat(40)] {
            assert_eq!(parse_cluster_name("name", right).unwrap(), right);
        }
        for wrong in [
            "",
            "1a",
            "-a",
            "a-",
            "A",
            "a_b",
            "a.b",
            "ä",
            "a b",
            "$(id)",
            "a\n",
            &"a".repeat(41),
        ] {
            assert!(parse_cluster_name("name", wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn text_on_both_sides_of_its_limit_and_without_control_characters() {
        assert!(check_text("p", &"x".repeat(limits::MAX_VALUE_BYTES)).is_ok());
        assert!(check_text("p", &"x".repeat(limits::MAX_VALUE_BYTES + 1)).is_err());
        assert!(check_text("p", "'\"$(id)`#: - ü \u{1F980}").is_ok());
        for wrong in ["a\nb", "a\r", "\0", "\u{7f}", "\u{85}"] {
            assert!(check_text("p", wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn numbers_on_both_sides_of_their_bounds() {
        assert_eq!(parse_number("workers", "1", 1, 250), Ok(1));
        assert_eq!(parse_number("workers", "250", 1, 250), Ok(250));
        assert_eq!(
            parse_number("workers", "0", 1, 250)
                .unwrap_err()
                .to_string(),
            "workers: 0 is too few (1 to 250)"
        );
        assert_eq!(
            parse_number("workers", "251", 1, 250)
                .unwrap_err()
                .to_string(),
            "workers: 251 is too many (1 to 250)"
        );
        for wrong in ["two", "", "-1", "+1", "1.0", " 1", "99999999999999999999"] {
            assert!(parse_number("workers", wrong, 1, 250).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn urls_carry_no_secret_and_no_surprise() {
        assert_eq!(
            parse_url("mirror", "http://172.31.240.1:8900/").unwrap(),
            "http://172.31.240.1:8900"
        );
        assert_eq!(
            parse_url("mirror", "https://a.example/apache").unwrap(),
            "https://a.example/apache"
        );
        let long = format!("http://a.example/{}", "x".repeat(limits::MAX_URL_BYTES));
        for wrong in [
            "",
            "a.example",
            "ftp://a.example",
            "file:///etc",
            "http://",
            "http://u:p@a",
            "http://u@a",
            "http://a/?q",
            "http://a/#f",
            "http://a b",
            &long,
        ] {
            assert!(parse_url("mirror", wrong).is_err(), "{wrong:?}");
        }
        assert!(parse_url("mirror", &long[..limits::MAX_URL_BYTES]).is_ok());
    }

    fn workers(count: u32) -> NodeGroups {
        let spec = super::super::ClusterSpec::default();
        spec.with_worker_group(|group| group.count = count).groups
    }

    #[test]
    fn networks_are_private_and_hold_the_nodes() {
        assert_eq!(
            parse_node_network("n", "10.77.0.0/22", &workers(250)).unwrap(),
            "10.77.0.0/22"
        );
        assert_eq!(
            parse_node_network("n", "192.168.5.0/24", &workers(212)).unwrap(),
            "192.168.5.0/24"
        );
        assert!(
            parse_node_network("n", "192.168.5.0/24", &workers(213)).is_err(),
            "one worker too many"
        );
        assert!(parse_node_network("n", "10.0.0.0/27", &workers(16)).is_ok());
        for wrong in [
            "10.0.0.0/28",
            "10.77.0.1/22",
            "8.8.8.0/24",
            "169.254.0.0/16",
            "fd00::/64",
            "10.0.0.0",
            "x",
            "10.0.0.0/7",
            "10.0.0.0/33",
        ] {
            assert!(
                parse_node_network("n", wrong, &workers(1)).is_err(),
                "{wrong:?}"
            );
        }
    }

    #[test]
    fn names_in_the_cloud_on_both_sides_of_what_it_holds() {
        assert!(parse_cloud_name("image", &"ü".repeat(limits::MAX_CLOUD_NAME_CHARS)).is_ok());
        assert!(parse_cloud_name("image", &"ü".repeat(limits::MAX_CLOUD_NAME_CHARS + 1)).is_err());
    }

    #[test]
    fn access_lists_on_both_sides_of_their_limit() {
        assert_eq!(
            parse_network_list("a", "198.51.100.7, 0.0.0.0/0").unwrap(),
            ["0.0.0.0/0", "198.51.100.7/32"]
        );
        let some = |n: usize| {
            (0..n)
                .map(|i| format!("10.0.{i}.0/24"))
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert!(parse_network_list("a", &some(limits::MAX_ACCESS_CIDRS)).is_ok());
        assert!(parse_network_list("a", &some(limits::MAX_ACCESS_CIDRS + 1)).is_err());
        assert!(parse_network_list("a", "10.0.0.1/24").is_err());
        assert!(parse_network_list("a", "::/0").is_err());
    }
}
