//! What a server knows of its channel and of its names (extended protection), as a gate tells it to the package.
#![forbid(unsafe_code)]

use super::tls::ServerEndPoint;
use crate::package::AcceptRequirements;

/// What protects credentials from being relayed: whoever has them sent over another channel, or meant for another
/// service, cannot use them here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExtendedProtection {
    /// The channel.
    pub channel: ChannelPolicy,
    /// The names of this service.
    pub services: ServiceNames,
}

/// What a response must say of its channel.
///
/// The three policies of `acceptsecuritycontext--digest`. ASC_REQ_ALLOW_MISSING_BINDINGS is the bit of ASC_REQ_HTTP, so
/// what is not said to be required may be missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChannelPolicy {
    /// It may say nothing. What it says of a channel that ends here must be right.
    AllowMissing(Option<ServerEndPoint>),
    /// It must name the channel that ends here (ASC_REQ_PROXY_BINDINGS with bindings).
    Required(ServerEndPoint),
    /// It must name a channel, which ended at a proxy and cannot be compared (ASC_REQ_PROXY_BINDINGS without bindings);
    /// what remains is the name of the service.
    Proxied,
}

impl Default for ChannelPolicy {
    /// Nothing is known and nothing required.
    fn default() -> Self {
        Self::AllowMissing(None)
    }
}

impl ChannelPolicy {
    pub(super) fn requirements(&self) -> AcceptRequirements {
        match self {
            Self::AllowMissing(_) => AcceptRequirements::empty(),
            Self::Required(_) | Self::Proxied => AcceptRequirements::PROXY_BINDINGS,
        }
    }

    /// The SEC_CHANNEL_BINDINGS of every call.
    pub(super) fn bindings(&self) -> Option<Vec<u8>> {
        match self {
            Self::AllowMissing(end_point) => end_point.as_ref().map(ServerEndPoint::channel_bindings),
            Self::Required(end_point) => Some(end_point.channel_bindings()),
            Self::Proxied => None,
        }
    }
}

/// Service principal names, such as `HTTP/www.example.com`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceNames(Vec<String>);

impl ServiceNames {
    /// Exactly these, ignoring ASCII case; none of them: any.
    pub fn new(names: impl IntoIterator<Item = String>) -> Self {
        Self(names.into_iter().collect())
    }

    /// Whether any name will do.
    pub(super) fn is_any(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|known| known.eq_ignore_ascii_case(name))
    }
}

#[cfg(test)]
mod tests {
    use super::ServiceNames;

    #[test]
    fn names_ignore_case_and_nothing_else() {
        let names = ServiceNames::new(["HTTP/www.example.com".to_owned(), "HTTP/www".to_owned()]);
        assert!(!names.is_any());
        for (name, known) in [
            ("http/WWW.example.com", true),
            ("HTTP/www", true),
            ("HTTP/www.example", false),
            ("HTTP/www.example.com:80", false),
            ("HTTP/", false),
            ("", false),
        ] {
            assert_eq!(names.contains(name), known, "{name}");
        }
        assert!(ServiceNames::default().is_any());
    }
}
