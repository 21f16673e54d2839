//! Where the gateway of a remote profile is, and which certificate it has to show: `gateway_access` of the profile's config.

use std::path::Path;

use reqwest::Url;
use toml::Value;

use super::{ConfigError, palyra};
use crate::words::remote as words;

const URL: &str = "remote_base_url";
const SERVER: &str = "pinned_server_cert_fingerprint_sha256";
const CA: &str = "pinned_gateway_ca_fingerprint_sha256";

/// Where a remote gateway is, and how it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its address: https, a host, a path, and never anything else.
    pub base_url: String,
    /// Host, and port where it is not the usual one; for people.
    pub host: String,
    /// How it is known; absent: by nothing, so that anybody could answer in its place.
    pub pin: Option<Pin>,
}

/// SHA-256 of a certificate in the form in which it is sent (DER).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pin {
    /// The server's own.
    Server([u8; 32]),
    /// That of the authority that has issued it.
    GatewayCa([u8; 32]),
}

impl Pin {
    /// Its name in JSON, as the earlier desktop app had it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Server(_) => "server_cert",
            Self::GatewayCa(_) => "gateway_ca",
        }
    }
}

impl Target {
    /// Reads it from a config.
    ///
    /// # Errors
    /// The config cannot be read, names no address that can be used, or pins that cannot be; one sentence.
    pub fn read(config: &Path) -> Result<Self, ConfigError> {
        let table = palyra::parse(&palyra::read_text(config)?, config)?;
        Self::of(&table).map_err(|why| ConfigError(words::in_config(config.display(), why)))
    }

    fn of(table: &toml::Table) -> Result<Self, String> {
        let text = |key: &str| match table.get("gateway_access").and_then(|access| access.get(key)) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.trim()).filter(|text| !text.is_empty())),
            Some(_) => Err(words::is_not_text(key)),
        };
        let pin = |key: &str| match text(key)? {
            None => Ok(None),
            Some(text) => match fingerprint(text) {
                Some(pin) => Ok(Some(pin)),
                None => Err(words::is_not_fingerprint(key)),
            },
        };
        let url = text(URL)?.ok_or_else(|| words::address_is_missing(URL))?;
        let url = address(url).map_err(|why| words::address(URL, why))?;
        let pin = match (pin(SERVER)?, pin(CA)?) {
            (Some(server), None) => Some(Pin::Server(server)),
            (None, Some(ca)) => Some(Pin::GatewayCa(ca)),
            (None, None) => None,
            (Some(_), Some(_)) => return Err(words::both_pins(SERVER, CA)),
        };
        let host = url.host_str().unwrap_or_default();
        let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        Ok(Self { base_url: url.into(), host, pin })
    }

    /// Where its health is asked for.
    pub fn health_url(&self) -> String {
        format!("{}/healthz", self.base_url.trim_end_matches('/'))
    }
}

/// An address that a person may be led to.
fn address(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| words::IS_NOT_ADDRESS)?;
    if url.scheme() != "https" {
        return Err(words::IS_NOT_HTTPS);
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(words::NAMES_NO_HOST);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(words::CARRIES_USER_NAME);
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(words::HAS_PART_BEHIND);
    }
    Ok(url)
}

/// 64 hexadecimal digits; spaces and colons between them do not count.
fn fingerprint(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|c| !c.is_ascii_whitespace() && *c != ':')
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits.chunks(2).map(|pair| pair[0] << 4 | pair.get(1).copied().unwrap_or(0)).collect();
    <[u8; 32]>::try_from(bytes).ok().filter(|_| digits.len() == 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIN: &str = "AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99";

    fn of(lines: &str) -> Result<Target, String> {
        Target::of(&toml::from_str(&format!("version = 1\n[gateway_access]\n{lines}\n")).unwrap())
    }

    fn server(pin: &str) -> String {
        format!("pinned_server_cert_fingerprint_sha256 = \"{pin}\"\n")
    }

    #[test]
    fn an_address_and_one_pin_are_a_target() {
        let target = of(&format!("remote_base_url = \" https://Palyra.Example:8443/x/ \"\n{}", server(PIN))).unwrap();
        assert_eq!(target.base_url, "https://palyra.example:8443/x/");
        assert_eq!(
            (target.host.as_str(), target.health_url().as_str()),
            ("palyra.example:8443", "https://palyra.example:8443/x/healthz")
        );
        assert!(
            matches!(&target.pin, Some(Pin::Server(bytes)) if bytes[..3] == [0xaa, 0xbb, 0xcc] && bytes[31] == 0x99)
        );
        let lower = server(&PIN.to_lowercase().replace(':', ""));
        let plain = of(&format!("remote_base_url = \"https://palyra.example\"\n{lower}")).unwrap();
        assert_eq!((plain.pin, plain.host.as_str()), (target.pin, "palyra.example"));
        assert_eq!(plain.base_url, "https://palyra.example/");
        let ca = format!("remote_base_url = \"https://[::1]:9/\"\npinned_gateway_ca_fingerprint_sha256 = \"{PIN}\"");
        assert_eq!(of(&ca).unwrap().pin.unwrap().name(), "gateway_ca");
        let none = of("remote_base_url = \"https://palyra.example/\"\npinned_gateway_ca_fingerprint_sha256 = \" \"");
        assert_eq!(none.unwrap().pin, None, "a dashboard that a browser may be led to, and nobody that is asked");
    }

    #[test]
    fn what_could_lead_elsewhere_or_to_anybody_is_no_target() {
        let with = |url: &str, more: &str| of(&format!("remote_base_url = {url:?}\n{more}")).unwrap_err();
        for (url, told) in [
            ("http://palyra.example/", "https"),
            // not on this machine either: the palyra command line takes no other
            ("http://127.0.0.1:7142/", "https"),
            ("https://u@palyra.example/", "user name"),
            ("https://u:p@palyra.example/", "user name"),
            ("https://palyra.example/?token=x", "behind ?"),
            ("https://palyra.example/#x", "behind ?"),
            ("palyra.example", "not an address"),
            ("javascript:alert(1)", "https"),
            ("file:///etc/passwd", "https"),
            (" ", "is missing"),
        ] {
            let why = with(url, &server(PIN));
            assert!(why.contains(told) && !why.contains("token") && !why.contains("u:p"), "{url}: {why}");
        }
        let good = "https://palyra.example/";
        let both = format!("{}pinned_gateway_ca_fingerprint_sha256 = \"{PIN}\"", server(PIN));
        assert!(with(good, &both).contains("keep one of them"));
        for bad in ["abc123", &PIN[1..], &format!("{PIN}:00"), &PIN.replace("AA", "AG")] {
            assert!(with(good, &server(bad)).contains("64 hexadecimal"), "{bad}");
        }
        assert!(with(good, "pinned_server_cert_fingerprint_sha256 = 7").contains("not a text"));
        assert!(Target::of(&toml::Table::new()).unwrap_err().contains("is missing"));
    }
}
