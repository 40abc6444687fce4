//! Judges what proves who somebody is: our accounts at others, and what others must prove to us.

use std::{env, fs, os::unix::fs::PermissionsExt, path::PathBuf, sync::Arc};

use serde::Deserialize;
use sip::{Algorithm, Credentials, Demand, Secret, Uri};

use zeroize::Zeroizing;

use super::problem::Problem;

/// Where a password is kept; it never stands in the configuration itself.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Kept {
    /// A file with the password in it, readable by the node's user alone.
    pub secret_file: Option<PathBuf>,
    /// The name of an environment variable that holds it.
    pub secret_env: Option<String>,
}

/// `[trunk.digest]` or `[pbx.digest]`: our account there (row B-22).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Digest {
    /// The name of the account.
    pub user: String,
    /// See [`Kept`].
    pub secret_file: Option<PathBuf>,
    /// See [`Kept`].
    pub secret_env: Option<String>,
    /// The only realm that gets an answer; without it that of the first challenge (row B-24).
    pub realm: Option<String>,
    /// Whether a challenge with MD5 gets an answer.
    #[serde(default = "yes")]
    pub md5: bool,
}

/// `[trunk.challenge]` or `[pbx.challenge]`: what its calls must prove (row B-23).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Challenge {
    /// The realm that the password is for.
    pub realm: String,
    /// The name of its account.
    pub user: String,
    /// See [`Kept`].
    pub secret_file: Option<PathBuf>,
    /// See [`Kept`].
    pub secret_env: Option<String>,
    /// Whether a proof with MD5 is enough.
    #[serde(default)]
    pub md5: bool,
}

/// `[trunk.register]`: the carrier wants to be registered with.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Register {
    /// The carrier's domain.
    pub domain: String,
    /// The name of the account; by default that of `[trunk.digest]`.
    pub user: Option<String>,
    /// The user part of our Contact, which the carrier calls us by; by default `user`.
    pub contact: Option<String>,
    /// Seconds to be registered for; the carrier may grant less.
    #[serde(default = "ten_minutes")]
    pub expires_s: u32,
}

const fn yes() -> bool {
    true
}

const fn ten_minutes() -> u32 {
    600
}

/// What the calls of a peer must prove, judged.
#[derive(Debug)]
pub struct Proof {
    /// How it is asked.
    pub demand: Demand,
    /// The account that is let in.
    pub user: Box<str>,
    /// Its password.
    pub secret: Secret,
}

/// A registration, judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrolment {
    /// The domain: `sip:carrier.example`.
    pub registrar: Uri,
    /// The account: `sip:user@carrier.example`.
    pub account: Uri,
    /// The user part of our Contact.
    pub contact: Box<str>,
    /// Seconds to be registered for.
    pub expires_s: u32,
}

/// The password, if it can be had.
fn secret(kept: &Kept, place: &str, problems: &mut Vec<Problem>) -> Option<Secret> {
    octets(kept, place, problems).map(|octets| Secret::new(octets.to_vec()))
}

/// Its octets; what is wrong is added to `problems` and never shows a word of it.
pub(super) fn octets(
    kept: &Kept,
    place: &str,
    problems: &mut Vec<Problem>,
) -> Option<Zeroizing<Vec<u8>>> {
    let octets = match (&kept.secret_file, &kept.secret_env) {
        (Some(path), None) => {
            let mend = "name a file with the password in it that the node's user can read";
            let mode = fs::metadata(path).map(|found| found.permissions().mode());
            if mode.is_ok_and(|mode| mode & 0o007 != 0) {
                let mend = "others can read it; take that away with chmod 640 or 600";
                problems.push(Problem::value(place, "secret_file", path.display(), mend));
                return None;
            }
            let Ok(octets) = fs::read(path) else {
                problems.push(Problem::value(place, "secret_file", path.display(), mend));
                return None;
            };
            (octets, "secret_file")
        }
        (None, Some(name)) => {
            let Ok(text) = env::var(name) else {
                let mend = "set this environment variable to the password, or use secret_file";
                problems.push(Problem::value(place, "secret_env", name, mend));
                return None;
            };
            (text.into_bytes(), "secret_env")
        }
        (Some(path), Some(_)) => {
            let mend = "there is secret_env too; keep the password in one place";
            problems.push(Problem::value(place, "secret_file", path.display(), mend));
            return None;
        }
        (None, None) => {
            let mend = "name the file that holds the password, or a variable with secret_env";
            problems.push(Problem::missing(place, "secret_file", mend));
            return None;
        }
    };
    let (octets, key) = octets;
    let mut octets = Zeroizing::new(octets);
    // An editor ends the file with a line break, which is no part of the password.
    while octets.pop_if(|last| matches!(last, b'\n' | b'\r')).is_some() {}
    if octets.is_empty() {
        problems.push(Problem::missing(place, key, "it holds nothing; write the password there"));
        return None;
    }
    Some(octets)
}

/// Our account at a peer.
pub(super) fn digest(
    written: Option<&Digest>,
    peer: &str,
    problems: &mut Vec<Problem>,
) -> Option<Arc<Credentials>> {
    let written = written?;
    let place = format!("{peer}: digest");
    if written.user.is_empty() {
        problems.push(Problem::missing(&place, "user", "write the name of the account"));
    }
    let kept =
        Kept { secret_file: written.secret_file.clone(), secret_env: written.secret_env.clone() };
    Some(Arc::new(Credentials {
        user: written.user.clone(),
        secret: secret(&kept, &place, problems)?,
        realm: written.realm.clone(),
        weakest: if written.md5 { Algorithm::Md5 } else { Algorithm::Sha256 },
    }))
}

/// What a peer must prove.
pub(super) fn challenge(
    written: Option<&Challenge>,
    peer: &str,
    problems: &mut Vec<Problem>,
) -> Option<Arc<Proof>> {
    let written = written?;
    let place = format!("{peer}: challenge");
    for (key, value) in [("realm", &written.realm), ("user", &written.user)] {
        if value.is_empty() || value.chars().any(char::is_control) {
            problems.push(Problem::value(&place, key, value, "use a name without line breaks"));
        }
    }
    let kept =
        Kept { secret_file: written.secret_file.clone(), secret_env: written.secret_env.clone() };
    Some(Arc::new(Proof {
        demand: Demand { realm: written.realm.clone(), md5: written.md5 },
        user: written.user.as_str().into(),
        secret: secret(&kept, &place, problems)?,
    }))
}

/// The registration of a trunk.
pub(super) fn register(
    written: Option<&Register>,
    digest: Option<&Digest>,
    has_target: bool,
    peer: &str,
    problems: &mut Vec<Problem>,
) -> Option<Enrolment> {
    let written = written?;
    let place = format!("{peer}: register");
    if !has_target {
        let mend = "a trunk that is registered with needs a target: the REGISTER goes there";
        problems.push(Problem::missing(peer, "target", mend));
    }
    let Some(user) = written.user.as_ref().or(digest.map(|digest| &digest.user)) else {
        let mend = "write the name of the account, or give the trunk a [trunk.digest]";
        problems.push(Problem::missing(place, "user", mend));
        return None;
    };
    if !(60..=86_400).contains(&written.expires_s) {
        let mend = "use 60 to 86400 seconds";
        problems.push(Problem::value(&place, "expires_s", written.expires_s, mend));
    }
    let uri = |text: String| match Uri::parse(text.as_bytes()) {
        Ok(uri @ Uri::Sip(_)) => Some(uri),
        Ok(Uri::Tel(_) | Uri::Other(_)) | Err(_) => None,
    };
    let Some(registrar) = uri(format!("sip:{}", written.domain)) else {
        let mend = "use the carrier's domain, such as \"sip.example.net\"";
        problems.push(Problem::value(place, "domain", &written.domain, mend));
        return None;
    };
    let contact = written.contact.as_ref().unwrap_or(user);
    let account = uri(format!("sip:{user}@{}", written.domain));
    let Some(account) = account.filter(|_| uri(format!("sip:{contact}@a")).is_some()) else {
        let mend = "use what may stand before the @ of a SIP address";
        problems.push(Problem::value(place, "user", user, mend));
        return None;
    };
    let expires_s = written.expires_s;
    Some(Enrolment { registrar, account, contact: contact.as_str().into(), expires_s })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(secret_file: Option<PathBuf>) -> Digest {
        Digest { user: "box".into(), secret_file, secret_env: None, realm: None, md5: true }
    }

    fn faults(problems: &[Problem]) -> String {
        problems.iter().map(|problem| format!("{problem}\n")).collect()
    }

    #[test]
    fn a_password_comes_from_a_file_of_its_own_without_its_line_break_and_is_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("carrier.secret");
        fs::write(&path, "swordfish\n").unwrap();
        let chmod = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        chmod(0o644);
        let mut problems = Vec::new();
        assert!(digest(Some(&written(Some(path.clone()))), "trunk \"a\"", &mut problems).is_none());
        assert!(faults(&problems).contains("chmod"), "{problems:?}");
        chmod(0o600);
        let mut problems = Vec::new();
        let found = digest(Some(&written(Some(path.clone()))), "trunk \"a\"", &mut problems);
        let found = found.unwrap();
        assert!(problems.is_empty() && found.secret == Secret::new("swordfish"));
        assert!(!format!("{found:?}").contains("swordfish"));
        fs::write(&path, "\n").unwrap();
        let mut problems = Vec::new();
        assert!(digest(Some(&written(Some(path))), "trunk \"a\"", &mut problems).is_none());
        assert!(faults(&problems).contains("holds nothing"), "{problems:?}");
    }

    #[test]
    fn a_password_that_cannot_be_had_is_named_by_where_it_was_looked_for() {
        let mut problems = Vec::new();
        digest(Some(&written(None)), "trunk \"a\"", &mut problems);
        digest(Some(&written(Some("/nowhere/at/all".into()))), "trunk \"a\"", &mut problems);
        let text = faults(&problems);
        assert!(text.contains("trunk \"a\": digest: `secret_file` is missing"), "{text}");
        assert!(text.contains("/nowhere/at/all"), "{text}");
    }

    #[test]
    fn a_registration_takes_its_account_from_the_digest_and_needs_a_target() {
        let register = |domain: &str, user: Option<&str>| Register {
            domain: domain.to_owned(),
            user: user.map(str::to_owned),
            contact: None,
            expires_s: 600,
        };
        let mut problems = Vec::new();
        let ours = written(None);
        let found = super::register(
            Some(&register("carrier.example", None)),
            Some(&ours),
            true,
            "trunk \"a\"",
            &mut problems,
        );
        let found = found.unwrap();
        assert_eq!(found.account.to_wire(), "sip:box@carrier.example");
        assert_eq!((&*found.contact, problems.len()), ("box", 0));
        for (order, has_target, word) in [
            (register("carrier.example", None), true, "`user` is missing"),
            (register("carrier.example", Some("a")), false, "`target` is missing"),
            (register("what ever", Some("a")), true, "`domain` is \"what ever\""),
            (register("carrier.example", Some("a b")), true, "`user` is \"a b\""),
        ] {
            let mut problems = Vec::new();
            super::register(Some(&order), None, has_target, "trunk \"a\"", &mut problems);
            assert!(faults(&problems).contains(word), "{word}: {problems:?}");
        }
    }
}
