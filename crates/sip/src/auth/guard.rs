//! The server's side: nonces that need no memory, and the little memory that stops a replay.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use ring::hmac;

use super::algorithm::{Algorithm, Proof, hex};
use super::secret::Secret;
use super::text::{Scheme, escaped, unescaped};
use crate::uri::Uri;
use crate::wire::header::Header;
use crate::wire::request::Request;

/// How long a nonce may be used.
const LIFE: Duration = Duration::from_secs(300);
/// Most nonces whose counts are remembered; the oldest go first and are stale from then on.
const MAX_NONCES: usize = 10_000;

/// What a peer must prove before its call is taken.
#[derive(Clone, PartialEq, Eq)]
pub struct Demand {
    /// The realm that its password is for.
    pub realm: String,
    /// Is MD5 enough, for peers that know nothing better (RFC 8760 §2.5)?
    pub md5: bool,
}

impl fmt::Debug for Demand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Demand(…, md5: {})", self.md5)
    }
}

/// What a request has proved.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Whose password it knows.
    Known(String),
    /// Nothing. `stale`: it knows the password and used a nonce that has run out.
    Unknown { stale: bool },
}

/// Milliseconds after the first look at the clock, and a number: what a nonce is known by.
type Stamp = (u64, u32);

/// Which counts of a nonce have been used: the highest, and a bit for each of the 64 up to it, so
/// that datagrams may overtake each other (RFC 7616 §3.4, `nc`).
#[derive(Debug, Clone, Copy)]
struct Used {
    highest: u32,
    before: u64,
}

impl Used {
    /// Notes a count; `false` when it was used or is too old to tell.
    fn note(&mut self, count: u32) -> bool {
        if count > self.highest {
            let step = count - self.highest;
            self.before = self.before.checked_shl(step).unwrap_or(0) | 1;
            self.highest = count;
            return true;
        }
        let back = self.highest - count;
        let Some(bit) = 1_u64.checked_shl(back) else { return false };
        let fresh = self.before & bit == 0;
        self.before |= bit;
        fresh
    }
}

/// Makes challenges and judges what comes back. A challenge costs no memory; the table below holds
/// only nonces that were answered with a right password.
pub(crate) struct Guard {
    key: hmac::Key,
    start: Option<Instant>,
    counter: u32,
    used: BTreeMap<Stamp, Used>,
    /// Nonces up to this one are stale: their counts are forgotten.
    forgotten: Option<Stamp>,
}

impl Guard {
    pub(crate) fn new(seed: &[u8]) -> Guard {
        let derived = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, seed), b"nonces");
        let key = hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref());
        Guard { key, start: None, counter: 0, used: BTreeMap::new(), forgotten: None }
    }

    fn millis(&mut self, now: Instant) -> u64 {
        let start = *self.start.get_or_insert(now);
        u64::try_from(now.saturating_duration_since(start).as_millis()).unwrap_or(u64::MAX)
    }

    /// The seal of a nonce: nobody else can make one, and it is good for one source and realm only.
    fn seal(&self, (millis, number): Stamp, source: IpAddr, realm: &str) -> String {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(&millis.to_be_bytes());
        context.update(&number.to_be_bytes());
        match source.to_canonical() {
            IpAddr::V4(address) => context.update(&address.octets()),
            IpAddr::V6(address) => context.update(&address.octets()),
        }
        context.update(realm.as_bytes());
        let tag = context.sign();
        hex(tag.as_ref().get(..16).unwrap_or_default())
    }

    /// The challenges of a 401, the strongest first (RFC 8760 §2.3).
    pub(crate) fn challenge(
        &mut self,
        now: Instant,
        source: IpAddr,
        demand: &Demand,
        stale: bool,
    ) -> Vec<Header> {
        let stamp = (self.millis(now), self.counter);
        self.counter = self.counter.wrapping_add(1);
        let (millis, number) = stamp;
        let seal = self.seal(stamp, source, &demand.realm);
        let stale = if stale { ", stale=true" } else { "" };
        let offered = [Algorithm::Sha256, Algorithm::Md5].into_iter();
        let offered = offered.filter(|algorithm| demand.md5 || *algorithm != Algorithm::Md5);
        let header = |algorithm: Algorithm| {
            let value = format!(
                "Digest realm=\"{}\", nonce=\"{millis:016x}{number:08x}{seal}\", algorithm={}, \
                 qop=\"auth\"{stale}",
                escaped(&demand.realm),
                algorithm.name()
            );
            Header::new("WWW-Authenticate", value).ok()
        };
        offered.filter_map(header).collect()
    }

    /// Judges the credentials of a request. `lookup` gives the password of an account; nothing it
    /// says shows in the answer, and whether an account exists does not either.
    pub(crate) fn judge<'s>(
        &mut self,
        now: Instant,
        source: IpAddr,
        request: &Request,
        demand: &Demand,
        lookup: impl FnOnce(&str) -> Option<&'s Secret>,
    ) -> Verdict {
        let realm = escaped(&demand.realm);
        let lines = request.message().all("Authorization");
        let ours =
            |given: &Scheme<'_>| given.is_digest() && given.get("realm") == Some(realm.as_bytes());
        let Some(given) = lines.flat_map(Scheme::read).find(ours) else {
            return Verdict::Unknown { stale: false };
        };
        let Some((user, count, nonce)) = self.prove(request, &given, demand, lookup) else {
            return Verdict::Unknown { stale: false };
        };
        match self.is_fresh(now, source, nonce, &demand.realm, count) {
            true => Verdict::Known(user),
            false => Verdict::Unknown { stale: true },
        }
    }

    /// The account, the count and the nonce, when the digest is right.
    fn prove<'a, 's>(
        &self,
        request: &Request,
        given: &Scheme<'a>,
        demand: &Demand,
        lookup: impl FnOnce(&str) -> Option<&'s Secret>,
    ) -> Option<(String, u32, &'a [u8])> {
        let name = given.get("username")?;
        let user = String::from_utf8(unescaped(name)).ok()?;
        let (algorithm, session) = match given.has("algorithm") {
            true => Algorithm::parse(given.get("algorithm")?)?,
            false => (Algorithm::Md5, false),
        };
        if session || (algorithm == Algorithm::Md5 && !demand.md5) {
            return None;
        }
        let (uri, nonce) = (given.get("uri")?, given.get("nonce")?);
        if !is_same_number(uri, request.message().request_uri()) {
            return None;
        }
        // We ask for `qop=auth`, so that every answer is counted.
        if !given.get("qop")?.eq_ignore_ascii_case(b"auth") {
            return None;
        }
        let (cnonce, written) = (given.get("cnonce")?, given.get("nc")?);
        let count = std::str::from_utf8(written).ok().filter(|text| text.len() == 8)?;
        let count = u32::from_str_radix(count, 16).ok().filter(|count| *count > 0)?;
        let nobody = Secret::new("");
        let found = lookup(&user);
        let proof = Proof {
            algorithm,
            session,
            user: user.as_bytes(),
            realm: given.get("realm")?,
            nonce,
            counted: Some((cnonce, written)),
            method: request.method().name(),
            uri,
        };
        let expected = proof.response(found.unwrap_or(&nobody));
        let response = given.get("response")?.to_ascii_lowercase();
        let right = self.is_equal(expected.as_bytes(), &response);
        (right && found.is_some()).then_some((user, count, nonce))
    }

    /// Equal, in a time that does not tell where they differ: two seals under our own key are
    /// compared instead.
    fn is_equal(&self, one: &[u8], other: &[u8]) -> bool {
        let seal = hmac::sign(&self.key, one);
        hmac::verify(&self.key, other, seal.as_ref()).is_ok()
    }

    /// Is this a nonce of ours for this source, young enough, with a count that is new?
    fn is_fresh(
        &mut self,
        now: Instant,
        source: IpAddr,
        nonce: &[u8],
        realm: &str,
        count: u32,
    ) -> bool {
        let number = |from: usize, to: usize| {
            let digits = std::str::from_utf8(nonce.get(from..to)?).ok()?;
            u64::from_str_radix(digits, 16).ok()
        };
        let stamp = number(0, 16).zip(number(16, 24).and_then(|part| u32::try_from(part).ok()));
        let Some((stamp, seal)) = stamp.zip(nonce.get(24..)) else { return false };
        let now = self.millis(now);
        let life = u64::try_from(LIFE.as_millis()).unwrap_or(u64::MAX);
        let sealed = self.is_equal(self.seal(stamp, source, realm).as_bytes(), seal);
        let young = now.saturating_sub(stamp.0) <= life;
        if !sealed || !young || self.forgotten.is_some_and(|last| stamp <= last) {
            return false;
        }
        let oldest = now.saturating_sub(life);
        while self
            .used
            .first_key_value()
            .is_some_and(|(first, _)| first.0 < oldest || self.used.len() >= MAX_NONCES)
            && !self.used.contains_key(&stamp)
        {
            self.forgotten = self.used.pop_first().map(|(first, _)| first).max(self.forgotten);
        }
        self.used.entry(stamp).or_insert(Used { highest: 0, before: 0 }).note(count)
    }
}

/// Is the digest for the number that is called? A proxy on the way may have put another host into
/// the Request-URI (RFC 3261 §16.6 step 2); the number that the password was given for may not change.
fn is_same_number(signed: &[u8], called: &[u8]) -> bool {
    if signed == called {
        return true;
    }
    let user = |uri: &[u8]| Uri::parse(uri).ok().and_then(|uri| uri.user());
    user(signed).is_some_and(|signed| user(called) == Some(signed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::credentials::Credentials;
    use crate::auth::wallet::Wallet;
    use crate::wire::message::Message;
    use crate::wire::parse::parse;
    use std::sync::Arc;

    const CALLED: &str = "sip:+31201234567@192.0.2.1";

    struct Scene {
        guard: Guard,
        wallet: Wallet,
        secret: Secret,
        demand: Demand,
        now: Instant,
        source: IpAddr,
    }

    impl Scene {
        fn new() -> Scene {
            let credentials = Credentials {
                user: "trunk".to_owned(),
                secret: Secret::new("swordfish"),
                realm: None,
                weakest: Algorithm::Md5,
            };
            Scene {
                guard: Guard::new(&[5; 32]),
                wallet: Wallet::new(Arc::new(credentials)),
                secret: Secret::new("swordfish"),
                demand: Demand { realm: "the \"box\"".to_owned(), md5: true },
                now: Instant::now(),
                source: "192.0.2.9".parse().unwrap(),
            }
        }

        fn ask(&mut self, stale: bool) -> Message {
            let lines = self.guard.challenge(self.now, self.source, &self.demand, stale);
            let lines: Vec<Vec<u8>> = lines
                .iter()
                .map(|line| [line.name(), b": ", line.value(), b"\r\n"].concat())
                .collect();
            parse(&[b"SIP/2.0 401 No\r\n", &lines.concat()[..], b"\r\n"].concat()).unwrap()
        }

        fn answered(&mut self, uri: &str) -> Request {
            let headers = self.wallet.answers(b"INVITE", uri.as_bytes());
            let lines: Vec<String> = headers
                .iter()
                .map(|line| {
                    let name = String::from_utf8_lossy(line.name()).into_owned();
                    format!("{name}: {}\r\n", String::from_utf8_lossy(line.value()))
                })
                .collect();
            request(&lines.concat())
        }

        fn judge(&mut self, request: &Request) -> Verdict {
            let secret = &self.secret;
            let lookup = |user: &str| (user == "trunk").then_some(secret);
            self.guard.judge(self.now, self.source, request, &self.demand, lookup)
        }
    }

    fn request(headers: &str) -> Request {
        let text = format!(
            "INVITE {CALLED} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKa\r\n\
             From: <sip:a@b>;tag=1\r\nTo: <sip:b@c>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n{headers}\r\n"
        );
        Request::read(parse(text.as_bytes()).unwrap()).unwrap()
    }

    const STRANGER: Verdict = Verdict::Unknown { stale: false };
    const STALE: Verdict = Verdict::Unknown { stale: true };

    impl fmt::Debug for Verdict {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(match self {
                Verdict::Known(_) => "Known",
                Verdict::Unknown { stale: true } => "Stale",
                Verdict::Unknown { stale: false } => "Unknown",
            })
        }
    }

    #[test]
    fn b_23_who_knows_the_password_is_known_and_nobody_else() {
        let mut scene = Scene::new();
        assert_eq!(scene.judge(&request("")), STRANGER);
        assert_eq!(scene.judge(&request("Authorization: Basic abc\r\n")), STRANGER);
        let challenge = scene.ask(false);
        assert_eq!(challenge.all("WWW-Authenticate").count(), 2);
        assert!(scene.wallet.take_up(&challenge, challenge_request().message(), false, "c"));
        let right = scene.answered(CALLED);
        let text = String::from_utf8(right.message().raw().to_vec()).unwrap();
        assert!(text.contains("algorithm=SHA-256"), "{text}");
        for (from, to) in [("username=\"trunk\"", "username=\"other\""), ("nc=0", "nc=1")] {
            let wrong = request_of(&text.replace(from, to));
            assert_eq!(scene.judge(&wrong), STRANGER, "{from}");
        }
        assert_eq!(scene.judge(&right), Verdict::Known("trunk".to_owned()));
        scene.secret = Secret::new("other");
        let again = scene.answered(CALLED);
        assert_eq!(scene.judge(&again), STRANGER);
    }

    fn challenge_request() -> Request {
        request("")
    }

    fn request_of(text: &str) -> Request {
        Request::read(parse(text.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn b_23_a_proof_is_good_once_for_one_source_and_one_number() {
        let mut scene = Scene::new();
        let challenge = scene.ask(false);
        assert!(scene.wallet.take_up(&challenge, request("").message(), false, "c"));
        let first = scene.answered(CALLED);
        assert_eq!(scene.judge(&first), Verdict::Known("trunk".to_owned()));
        assert_eq!(scene.judge(&first), STALE, "the same again is a replay");
        let second = scene.answered(CALLED);
        let home = std::mem::replace(&mut scene.source, "192.0.2.10".parse().unwrap());
        assert_eq!(scene.judge(&second), STALE, "from elsewhere");
        scene.source = home;
        let other = scene.answered("sip:+31900123456@192.0.2.1");
        assert_eq!(scene.judge(&other), STRANGER, "for another number");
        let moved = scene.answered("sip:+31201234567@proxy.example");
        assert_eq!(scene.judge(&moved), Verdict::Known("trunk".to_owned()), "{moved:?}");
    }

    #[test]
    fn b_23_a_nonce_runs_out_and_says_so() {
        let mut scene = Scene::new();
        let challenge = scene.ask(false);
        assert!(scene.wallet.take_up(&challenge, request("").message(), false, "c"));
        scene.now += LIFE;
        let sent = scene.answered(CALLED);
        assert_eq!(scene.judge(&sent), Verdict::Known("trunk".to_owned()));
        scene.now += Duration::from_millis(1);
        let late = scene.answered(CALLED);
        assert_eq!(scene.judge(&late), STALE);
        let anew = scene.ask(true);
        assert!(scene.wallet.take_up(&anew, late.message(), true, "d"), "stale is no refusal");
        let sent = scene.answered(CALLED);
        assert_eq!(scene.judge(&sent), Verdict::Known("trunk".to_owned()));
    }

    #[test]
    fn b_23_md5_is_refused_where_it_is_not_enough() {
        let mut scene = Scene::new();
        let challenge = scene.ask(false);
        let text = String::from_utf8(challenge.raw().to_vec()).unwrap();
        let weak = text.split("\r\n").filter(|line| !line.contains("SHA")).collect::<Vec<_>>();
        let weak = parse(weak.join("\r\n").as_bytes()).unwrap();
        assert!(scene.wallet.take_up(&weak, request("").message(), false, "c"));
        scene.demand.md5 = false;
        let sent = scene.answered(CALLED);
        assert_eq!(scene.judge(&sent), STRANGER);
        scene.demand.md5 = true;
        let sent = scene.answered(CALLED);
        assert_eq!(scene.judge(&sent), Verdict::Known("trunk".to_owned()));
        scene.demand.md5 = false;
        assert_eq!(scene.ask(false).all("WWW-Authenticate").count(), 1);
    }

    #[test]
    fn counts_may_overtake_each_other_within_a_window_and_none_counts_twice() {
        let mut used = Used { highest: 0, before: 0 };
        for (count, fresh) in [
            (1, true),
            (3, true),
            (2, true),
            (2, false),
            (300, true),
            (3, false),
            (237, true),
            (236, false),
            (300, false),
        ] {
            assert_eq!(used.note(count), fresh, "{count}");
        }
    }

    #[test]
    fn the_memory_of_counts_is_bounded_and_what_is_forgotten_is_stale() {
        let mut guard = Guard::new(&[5; 32]);
        let (now, source) = (Instant::now(), "192.0.2.9".parse().unwrap());
        let demand = Demand { realm: "r".to_owned(), md5: false };
        let mut nonces = Vec::new();
        for _ in 0..=MAX_NONCES {
            let line = guard.challenge(now, source, &demand, false).remove(0);
            let nonce = Scheme::read(line.value())[0].get("nonce").unwrap().to_vec();
            assert!(guard.is_fresh(now, source, &nonce, "r", 1));
            nonces.push(nonce);
        }
        assert_eq!(guard.used.len(), MAX_NONCES);
        assert!(
            !guard.is_fresh(now, source, &nonces[0], "r", 1),
            "forgotten, so not to be replayed"
        );
        assert!(guard.is_fresh(now, source, &nonces[MAX_NONCES], "r", 2));
    }
}
