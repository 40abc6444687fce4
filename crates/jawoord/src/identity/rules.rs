//! Which headers cross from one side to the other, by name (rows ).

use sip::wire::header::{is_token, long_form, same_name};

/// Headers that cross unless the configuration says otherwise: who calls and why, in every way
/// that carriers and PBXs say so.
pub const DEFAULT: [&str; 29] = [
    "P-Asserted-Identity",
    "P-Preferred-Identity",
    "Remote-Party-ID",
    "Privacy",
    "Diversion",
    "History-Info",
    "Referred-By",
    "Identity",
    "Date",
    "Subject",
    "Organization",
    "Reply-To",
    "User-to-User",
    "Alert-Info",
    "Call-Info",
    "Error-Info",
    "Accept-Language",
    "Accept-Contact",
    "Reject-Contact",
    "Request-Disposition",
    "Answer-Mode",
    "Priority",
    "Resource-Priority",
    "Geolocation",
    "Geolocation-Routing",
    "Geolocation-Error",
    "Reason",
    "Retry-After",
    "X-*",
];

/// Headers that never cross, whatever is configured: they belong to one dialog, one hop, one
/// password or one body, or tell what stands behind the other side. The headers that
/// [`sip::Header`] does not take are not repeated here.
const NEVER: [&str; 42] = [
    "User-Agent",
    "Server",
    "Warning",
    "Session-ID",
    "X-Jawoord-*",
    "Authorization",
    "Proxy-Authorization",
    "WWW-Authenticate",
    "Proxy-Authenticate",
    "Authentication-Info",
    "Proxy-Authentication-Info",
    "Security-Client",
    "Security-Server",
    "Security-Verify",
    "Path",
    "Service-Route",
    "Session-Expires",
    "Min-SE",
    "Expires",
    "Min-Expires",
    "RAck",
    "Replaces",
    "Join",
    "Target-Dialog",
    "In-Reply-To",
    "Refer-To",
    "Refer-Sub",
    "Event",
    "Subscription-State",
    "Allow-Events",
    "SIP-ETag",
    "SIP-If-Match",
    "Accept",
    "Accept-Encoding",
    "Unsupported",
    "Timestamp",
    "MIME-Version",
    "Content-*",
    "Identity-Info",
    "Recv-Info",
    "Info-Package",
    "Max-Breadth",
];

/// The word that stands for [`DEFAULT`] in a configured list.
const DEFAULT_WORD: &str = "default";

/// A header's name, or its beginning and `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    start: Box<str>,
    open: bool,
}

impl Pattern {
    /// Reads `Subject`, `X-*` or `*`. `None` for what no header can be called.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let (start, open) = text.strip_suffix('*').map_or((text, false), |start| (start, true));
        let named = (open && start.is_empty()) || is_token(start.as_bytes());
        (named && !start.contains('*')).then(|| Self { start: start.into(), open })
    }

    fn matches(&self, name: &[u8]) -> bool {
        matches(&self.start, self.open, name)
    }
}

fn matches(start: &str, open: bool, name: &[u8]) -> bool {
    let name = long_form(name);
    if open {
        let head = name.get(..start.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(start.as_bytes()))
    } else {
        same_name(name, start.as_bytes())
    }
}

fn stands_in(list: &[&str], name: &[u8]) -> bool {
    list.iter().any(|text| match text.strip_suffix('*') {
        Some(start) => matches(start, true, name),
        None => matches(text, false, name),
    })
}

/// What crosses to and from one peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    defaults: bool,
    pass: Box<[Pattern]>,
    block: Box<[Pattern]>,
    /// Whether the peer is inside the trust domain of RFC 3325: what it asserts about a caller is
    /// believed, and it may be told what others assert.
    pub trusted: bool,
    /// Whether whom it asserts in a call that goes on is the agent who talks to the customer.
    pub asserts_agents: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            defaults: true,
            pass: [].into(),
            block: [].into(),
            trusted: true,
            asserts_agents: false,
        }
    }
}

impl Rules {
    /// Rules of configured names; `default` in `pass` stands for [`DEFAULT`], and no `pass` at all
    /// means just that.
    ///
    /// # Errors
    /// The name that no header can have.
    pub fn new(pass: Option<&[String]>, block: &[String], trusted: bool) -> Result<Self, Box<str>> {
        let read = |list: &[String]| -> Result<Box<[Pattern]>, Box<str>> {
            let named = list.iter().filter(|text| *text != DEFAULT_WORD);
            named.map(|text| Pattern::new(text).ok_or_else(|| text.as_str().into())).collect()
        };
        let listed = pass.unwrap_or_default();
        let defaults = pass.is_none() || listed.iter().any(|text| text == DEFAULT_WORD);
        let (pass, block) = (read(listed)?, read(block)?);
        Ok(Self { defaults, pass, block, trusted, asserts_agents: false })
    }

    /// Whether a header crosses to or from this peer. What is blocked stays, whatever passes.
    #[must_use]
    pub fn pass(&self, name: &[u8]) -> bool {
        let any = |list: &[Pattern]| list.iter().any(|pattern| pattern.matches(name));
        let passed = (self.defaults && stands_in(&DEFAULT, name)) || any(&self.pass);
        passed && !any(&self.block) && !stands_in(&NEVER, name)
    }
}

impl Rules {
    /// Whether a header is blocked by name.
    #[must_use]
    pub fn blocks(&self, name: &[u8]) -> bool {
        self.block.iter().any(|pattern| pattern.matches(name))
    }
}

/// How much crosses in one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Octets of one value.
    pub value_octets: usize,
    /// Octets of all names and values together.
    pub total_octets: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { value_octets: 4_096, total_octets: 16_384 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(pass: Option<&[&str]>, block: &[&str]) -> Rules {
        let owned = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        Rules::new(pass.map(owned).as_deref(), &owned(block), true).unwrap()
    }

    #[test]
    fn r_09_what_is_listed_crosses_in_every_spelling_and_nothing_else_does() {
        let rules = Rules::default();
        for name in ["p-asserted-identity", "X-Genesys-CallUUID", "s", "b", "y", "User-to-User"] {
            assert!(rules.pass(name.as_bytes()), "{name}");
        }
        for name in ["P-Charging-Vector", "User-Agent", "Xtra", "Session-ID", "n", "P-"] {
            assert!(!rules.pass(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn r_09_the_block_list_wins_and_a_list_replaces_the_defaults_unless_it_names_them() {
        let own = rules(Some(&["P-*", "Subject"]), &["P-Charging-*", "x-secret"]);
        assert!(own.pass(b"P-Early-Media") && own.pass(b"s"));
        assert!(!own.pass(b"P-Charging-Vector") && !own.pass(b"Privacy") && !own.pass(b"X-A"));
        let more = rules(Some(&["default", "P-Early-Media"]), &["X-Secret"]);
        assert!(more.pass(b"P-Early-Media") && more.pass(b"Privacy") && more.pass(b"X-A"));
        assert!(!more.pass(b"x-SECRET"));
    }

    #[test]
    fn r_08_what_belongs_to_one_side_never_crosses_even_if_everything_is_passed() {
        let all = rules(Some(&["*"]), &[]);
        assert!(all.pass(b"P-Charging-Vector") && all.pass(b"Anything"));
        for name in ["User-Agent", "Server", "Proxy-Authorization", "Content-Disposition", "x"] {
            assert!(!all.pass(name.as_bytes()), "{name}");
        }
        assert!(!all.pass(b"X-Jawoord-Call") && !all.pass(b"x-jawoord-call"));
    }

    #[test]
    fn a_name_that_no_header_can_have_is_named() {
        for text in ["", "X Y", "X-*-Y", "Subject:", "**"] {
            assert_eq!(Pattern::new(text), None, "{text}");
        }
        assert_eq!(Rules::new(Some(&["a b".to_owned()]), &[], true), Err("a b".into()));
    }
}
