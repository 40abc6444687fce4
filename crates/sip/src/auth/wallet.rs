//! The client's side: which challenges are answered, with what, and which never (rows B-22, B-24).

use std::sync::Arc;

use super::algorithm::Proof;
use super::challenge::Challenge;
use super::credentials::Credentials;
use super::text::{Scheme, escaped};
use crate::wire::header::Header;
use crate::wire::message::Message;

/// Who asks: the other end (401), or a proxy on the way (407).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asker {
    End,
    Proxy,
}

impl Asker {
    fn asks_in(self) -> &'static str {
        match self {
            Asker::End => "WWW-Authenticate",
            Asker::Proxy => "Proxy-Authenticate",
        }
    }

    fn answered_in(self) -> &'static str {
        match self {
            Asker::End => "Authorization",
            Asker::Proxy => "Proxy-Authorization",
        }
    }
}

/// A challenge that is being answered, and how often it has been.
struct Held {
    asker: Asker,
    challenge: Challenge,
    cnonce: String,
    count: u32,
}

/// The credentials of one leg or registration and the challenges they were asked by. Later requests
/// carry the answers unasked, until somebody asks anew (RFC 3261 §22.2).
pub(crate) struct Wallet {
    credentials: Arc<Credentials>,
    held: Vec<Held>,
    /// What the last INVITE carried: its ACK carries the same (RFC 3261 §22.1).
    invited: Vec<Header>,
}

impl Wallet {
    pub(crate) fn new(credentials: Arc<Credentials>) -> Wallet {
        Wallet { credentials, held: Vec::new(), invited: Vec::new() }
    }

    /// Takes up the challenges of a 401 or 407 to this request. `false` when an answer would not
    /// help or must not be given: another realm or a weaker hash than agreed, a scheme we do not
    /// have, or a password that has just been turned down. `again`: the request has been sent with
    /// an answer before. A challenge of a proxy and one of the end may come in one response
    /// (RFC 3261 §16.7 step 7).
    pub(crate) fn take_up(
        &mut self,
        response: &Message,
        request: &Message,
        again: bool,
        cnonce: &str,
    ) -> bool {
        let mut taken = Vec::new();
        for asker in [Asker::End, Asker::Proxy] {
            let lines = response.all(asker.asks_in());
            let asked: Vec<Challenge> = lines.flat_map(Challenge::read).collect();
            let Some(challenge) = self.choose(asker, asked) else { continue };
            if is_turned_down(asker, &challenge, request, again) {
                return false;
            }
            taken.push(Held { asker, challenge, cnonce: cnonce.to_owned(), count: 0 });
        }
        for new in &taken {
            self.held.retain(|old| old.asker != new.asker);
        }
        let answers = !taken.is_empty();
        self.held.append(&mut taken);
        answers
    }

    /// The strongest challenge that may be answered (RFC 8760 §2.4).
    fn choose(&self, asker: Asker, asked: Vec<Challenge>) -> Option<Challenge> {
        let held = self.held.iter().find(|held| held.asker == asker);
        let pinned = match (&self.credentials.realm, held) {
            (Some(realm), _) => Some(escaped(realm).into_bytes()),
            (None, Some(held)) => Some(held.challenge.realm.clone()),
            (None, None) => asked.first().map(|first| first.realm.clone()),
        }?;
        let fits =
            |one: &Challenge| one.realm == pinned && one.algorithm >= self.credentials.weakest;
        // `max_by_key` takes the last of equals; the topmost is meant.
        asked.into_iter().rev().filter(fits).max_by_key(|one| (one.algorithm, one.counted))
    }

    /// The headers that answer every challenge held, for one request; each call counts. An ACK has
    /// those of its INVITE.
    pub(crate) fn answers(&mut self, method: &[u8], uri: &[u8]) -> Vec<Header> {
        if method == b"ACK" {
            return self.invited.clone();
        }
        let credentials = &self.credentials;
        let answers = self.held.iter_mut();
        let answers: Vec<Header> =
            answers.filter_map(|held| held.answer(credentials, method, uri)).collect();
        if method == b"INVITE" {
            self.invited.clone_from(&answers);
        }
        answers
    }

    /// Has nobody asked yet?
    pub(crate) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }
}

impl Held {
    fn answer(&mut self, credentials: &Credentials, method: &[u8], uri: &[u8]) -> Option<Header> {
        self.count = self.count.checked_add(1)?;
        let count = format!("{:08x}", self.count);
        let Challenge { realm, nonce, opaque, algorithm, name, session, counted, .. } =
            &self.challenge;
        let proof = Proof {
            algorithm: *algorithm,
            session: *session,
            user: credentials.user.as_bytes(),
            realm,
            nonce,
            counted: counted.then(|| (self.cnonce.as_bytes(), count.as_bytes())),
            method,
            uri,
        };
        let response = proof.response(&credentials.secret);
        let mut out = b"Digest ".to_vec();
        let mut quoted = |name: &str, value: &[u8]| {
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b"=\"");
            out.extend_from_slice(value);
            out.extend_from_slice(b"\", ");
        };
        quoted("username", escaped(&credentials.user).as_bytes());
        quoted("realm", realm);
        quoted("nonce", nonce);
        quoted("uri", uri);
        if let Some(opaque) = opaque {
            quoted("opaque", opaque);
        }
        if *counted {
            quoted("cnonce", self.cnonce.as_bytes());
        }
        quoted("response", response.as_bytes());
        if let Some(name) = name {
            out.extend_from_slice(b"algorithm=");
            out.extend_from_slice(name);
            out.extend_from_slice(b", ");
        }
        if *counted {
            out.extend_from_slice(format!("qop=auth, nc={count}, ").as_bytes());
        }
        let whole = out.strip_suffix(b", ").unwrap_or(&out);
        Header::new(self.asker.answered_in(), whole).ok()
    }
}

/// Has this request proved it already, in vain? An answer to a nonce that only ran out is no proof
/// of a wrong password, and neither is one that was given unasked.
fn is_turned_down(asker: Asker, asked: &Challenge, request: &Message, again: bool) -> bool {
    let tried = request.all(asker.answered_in()).flat_map(Scheme::read).find_map(|given| {
        let same = given.is_digest() && given.get("realm") == Some(&asked.realm[..]);
        same.then(|| given.get("nonce").map(<[u8]>::to_vec))
    });
    match tried {
        None => false,
        Some(_) if asked.stale => false,
        Some(nonce) => again || nonce.as_deref() == Some(&asked.nonce[..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::algorithm::Algorithm;
    use crate::auth::secret::Secret;
    use crate::wire::parse::parse;

    fn wallet(realm: Option<&str>, weakest: Algorithm) -> Wallet {
        let credentials = Credentials {
            user: "box".to_owned(),
            secret: Secret::new("swordfish"),
            realm: realm.map(str::to_owned),
            weakest,
        };
        Wallet::new(Arc::new(credentials))
    }

    fn refused(headers: &str) -> Message {
        parse(format!("SIP/2.0 401 Unauthorized\r\n{headers}\r\n").as_bytes()).unwrap()
    }

    fn request(headers: &str) -> Message {
        parse(format!("INVITE sip:b@c SIP/2.0\r\n{headers}\r\n").as_bytes()).unwrap()
    }

    fn text(headers: &[Header]) -> Vec<String> {
        let line = |header: &Header| {
            let name = String::from_utf8_lossy(header.name()).into_owned();
            format!("{name}: {}", String::from_utf8_lossy(header.value()))
        };
        headers.iter().map(line).collect()
    }

    #[test]
    fn b_22_the_strongest_of_several_challenges_is_answered_and_opaque_comes_back() {
        let mut wallet = wallet(None, Algorithm::Md5);
        let response = refused(
            "WWW-Authenticate: Digest realm=\"r\", nonce=\"m\", qop=\"auth\"\r\n\
             WWW-Authenticate: NewScheme x=y\r\n\
             WWW-Authenticate: Digest realm=\"r\", nonce=\"s\", opaque=\"o\", algorithm=SHA-256, qop=\"auth\"\r\n",
        );
        assert!(wallet.take_up(&response, &request(""), false, "c"));
        let answers = text(&wallet.answers(b"INVITE", b"sip:b@c"));
        assert_eq!(answers.len(), 1);
        let start = "Authorization: Digest username=\"box\", realm=\"r\", nonce=\"s\", \
            uri=\"sip:b@c\", opaque=\"o\", cnonce=\"c\", response=\"";
        assert!(answers[0].starts_with(start), "{answers:?}");
        assert!(
            answers[0].ends_with("\", algorithm=SHA-256, qop=auth, nc=00000001"),
            "{answers:?}"
        );
    }

    #[test]
    fn b_22_the_count_goes_on_beyond_255_and_a_new_nonce_begins_anew() {
        let mut wallet = wallet(None, Algorithm::Md5);
        let first = refused("WWW-Authenticate: Digest realm=r, nonce=1, qop=auth\r\n");
        assert!(wallet.take_up(&first, &request(""), false, "c"));
        let last = (0..300).map(|_| text(&wallet.answers(b"INVITE", b"sip:b@c"))).last().unwrap();
        assert!(last[0].ends_with("nc=0000012c"), "{last:?}");
        let sent = request(&format!("{}\r\n", last[0]));
        let stale = refused("WWW-Authenticate: Digest realm=r, nonce=2, qop=auth, stale=true\r\n");
        assert!(wallet.take_up(&stale, &sent, false, "d"));
        let next = text(&wallet.answers(b"INVITE", b"sip:b@c"));
        assert!(next[0].ends_with("nc=00000001"), "{next:?}");
    }

    #[test]
    fn b_22_a_proxy_and_the_end_are_answered_side_by_side() {
        let mut wallet = wallet(None, Algorithm::Md5);
        let end = refused("WWW-Authenticate: Digest realm=end, nonce=1, qop=auth\r\n");
        let proxy = refused("Proxy-Authenticate: Digest realm=proxy, nonce=2\r\n");
        assert!(wallet.take_up(&proxy, &request(""), false, "c"));
        let sent = request(&format!("{}\r\n", text(&wallet.answers(b"INVITE", b"sip:b"))[0]));
        assert!(wallet.take_up(&end, &sent, true, "d"));
        let both = text(&wallet.answers(b"INVITE", b"sip:b"));
        assert!(
            both[0].starts_with("Proxy-Authorization: Digest username=\"box\", realm=\"proxy\"")
        );
        assert!(!both[0].contains("nc="), "no qop was offered: {both:?}");
        assert!(both[1].starts_with("Authorization: Digest username=\"box\", realm=\"end\""));
    }

    #[test]
    fn b_22_a_password_that_is_turned_down_is_not_offered_again() {
        let mut wallet = wallet(None, Algorithm::Md5);
        let asked = |nonce: &str| {
            refused(&format!("WWW-Authenticate: Digest realm=r, nonce={nonce}, qop=auth\r\n"))
        };
        assert!(wallet.take_up(&asked("1"), &request(""), false, "c"));
        let sent = request(&format!("{}\r\n", text(&wallet.answers(b"INVITE", b"sip:b"))[0]));
        assert!(!wallet.take_up(&asked("1"), &sent, true, "c"), "the same nonce again");
        assert!(!wallet.take_up(&asked("2"), &sent, true, "c"), "a fresh nonce, not stale");
        assert!(wallet.take_up(&asked("2"), &sent, false, "c"), "given unasked, long ago");
    }

    #[test]
    fn b_24_no_other_realm_and_no_weaker_hash_gets_an_answer() {
        let asked = |realm: &str, hash: &str| {
            let digest = format!("Digest realm=\"{realm}\", nonce=n, algorithm={hash}");
            refused(&format!("WWW-Authenticate: {digest}\r\n"))
        };
        let mut pinned = wallet(Some("ours"), Algorithm::Sha256);
        assert!(!pinned.take_up(&asked("theirs", "SHA-256"), &request(""), false, "c"));
        assert!(!pinned.take_up(&asked("ours", "MD5"), &request(""), false, "c"));
        assert_eq!(pinned.answers(b"INVITE", b"sip:b"), []);
        assert!(pinned.take_up(&asked("ours", "SHA-256"), &request(""), false, "c"));
        let mut first = wallet(None, Algorithm::Md5);
        assert!(first.take_up(&asked("one", "MD5"), &request(""), false, "c"));
        assert!(!first.take_up(&asked("two", "MD5"), &request(""), false, "c"));
    }
}
