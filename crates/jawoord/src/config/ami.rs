//! The manager of an Asterisk, which says who talks to callers: `[pbx.ami]`.

use std::{fmt, net::SocketAddr, path::PathBuf, sync::Arc};

use serde::Deserialize;
use zeroize::Zeroizing;

use super::{
    account::{self, Kept},
    problem::Problem,
};

/// `[pbx.ami]`: the manager of an Asterisk.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    /// Where it listens, such as `127.0.0.1:5038`.
    pub address: String,
    /// Our account in manager.conf.
    pub user: String,
    /// See [`Kept`].
    pub secret_file: Option<PathBuf>,
    /// See [`Kept`].
    pub secret_env: Option<String>,
    /// Endpoints of others than agents, such as a trunk that goes past us.
    #[serde(default)]
    pub not_agents: Vec<String>,
}

/// A manager, judged.
#[derive(Clone, PartialEq, Eq)]
pub struct Manager {
    /// Which PBX.
    pub pbx: Arc<str>,
    /// Where it listens.
    pub address: SocketAddr,
    /// Our account there.
    pub user: Box<str>,
    /// Its password.
    pub secret: Arc<Zeroizing<Vec<u8>>>,
    /// Endpoints that are no agents.
    pub outside: Box<[Box<str>]>,
}

impl fmt::Debug for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Manager({})", self.pbx)
    }
}

/// The manager of a PBX.
pub(super) fn manager(
    written: Option<&Written>,
    pbx: &str,
    place: &str,
    problems: &mut Vec<Problem>,
) -> Option<Manager> {
    let written = written?;
    let place = format!("{place}: ami");
    let address: Option<SocketAddr> = written.address.parse().ok();
    if address.is_none() {
        let mend = "write its address and port, such as \"127.0.0.1:5038\"";
        problems.push(Problem::value(&place, "address", &written.address, mend));
    }
    if written.user.is_empty() || written.user.chars().any(char::is_control) {
        let mend = "write the name of the section in manager.conf";
        problems.push(Problem::value(&place, "user", &written.user, mend));
    }
    let kept =
        Kept { secret_file: written.secret_file.clone(), secret_env: written.secret_env.clone() };
    Some(Manager {
        pbx: pbx.into(),
        secret: Arc::new(account::octets(&kept, &place, problems)?),
        address: address?,
        user: written.user.as_str().into(),
        outside: written.not_agents.iter().map(|name| name.as_str().into()).collect(),
    })
}
