//! The one-time link and the session it opens, with no state but which link is the live one.
//!
//! Links and sessions are statements of this process (a number and times) under its key, so there
//! is no table of sessions to fill up, to lock or to leak.

use std::{
    fmt,
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use call::Time;
use ring::hmac;

/// How long a link can be used.
pub(crate) const LINK_LIFETIME: Duration = Duration::from_secs(10 * 60);
/// How long a session lasts at most.
pub(crate) const SESSION_LIFETIME: Duration = Duration::from_secs(12 * 60 * 60);
/// How long a session lasts without a request.
pub(crate) const SESSION_IDLE: Duration = Duration::from_secs(30 * 60);
/// How old the last request in a cookie may be before the cookie is renewed.
const RENEW_AFTER: Duration = Duration::from_secs(60);

const MAC_LENGTH: usize = 32;

/// Which link a session was opened with; it names no person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SessionId(u64);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A link that opens the page once, within ten minutes. Printing it is giving away the key, so
/// only [`OneTimeLink::url`] shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct OneTimeLink(String);

impl OneTimeLink {
    /// The link for a portal that listens on this address.
    #[must_use]
    pub fn url(&self, address: SocketAddr) -> String {
        format!("http://{address}/?enter={}", self.0)
    }
}

impl fmt::Debug for OneTimeLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneTimeLink([private])")
    }
}

/// Why a link opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeadLink {
    /// This process never made it.
    Unknown,
    /// It was used, or a newer link took its place.
    Used,
    /// It is older than [`LINK_LIFETIME`].
    TooOld,
}

/// Why a request has no session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoSession {
    /// It brings none, or one that this process never opened.
    Absent,
    /// It was open too long, or idle too long.
    Over,
}

/// An open session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    link: u64,
    started: Time,
    seen: Time,
}

impl Session {
    pub(crate) const fn id(self) -> SessionId {
        SessionId(self.link)
    }
}

/// Makes links, opens sessions with them, and knows its own again.
pub(crate) struct Door {
    key: hmac::Key,
    cookie_name: String,
    /// Twice the number of the newest link, plus one when it is used. A link is used by moving
    /// this number on, so two requests with the same link cannot both win.
    newest: AtomicU64,
}

impl Door {
    /// A door with no link yet. The key is drawn at random for this process and used nowhere else.
    pub(crate) fn new(key: [u8; 32]) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        // Cookies are shared by all ports of a host; a name of its own keeps two daemons apart.
        let tag = hmac::sign(&key, b"jawoord/v1/portal/cookie");
        let tag: Vec<u8> = tag.as_ref().iter().take(4).copied().collect();
        let cookie_name = format!("jawoord-{}", hex(&tag));
        Self { key, cookie_name, newest: AtomicU64::new(0) }
    }

    /// A new link; the one before it is dead from now on.
    pub(crate) fn new_link(&self, now: Time) -> OneTimeLink {
        let before = self
            .newest
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |newest| Some((newest | 1) + 1));
        // The closure never declines, and both arms carry the number it replaced.
        let (Ok(before) | Err(before)) = before;
        let number = (before | 1).div_ceil(2);
        OneTimeLink(self.state(LINK, &[number, now.as_micros()]))
    }

    /// Uses up a link and opens a session.
    pub(crate) fn enter(&self, link: &str, now: Time) -> Result<Session, DeadLink> {
        let [number, made] = self.known(LINK, link).ok_or(DeadLink::Unknown)?;
        if now.since(Time::from_micros(made)) > LINK_LIFETIME {
            return Err(DeadLink::TooOld);
        }
        let live = number * 2;
        self.newest
            .compare_exchange(live, live | 1, Ordering::AcqRel, Ordering::Acquire)
            .map_err(|_| DeadLink::Used)?;
        Ok(Session { link: number, started: now, seen: now })
    }

    /// The session of a request with these `Cookie` header values, and the cookie that renews it
    /// when it is due.
    pub(crate) fn check<'a>(
        &self,
        cookies: impl Iterator<Item = &'a str>,
        now: Time,
    ) -> Result<(Session, Option<String>), NoSession> {
        let value = cookies
            .flat_map(|header| header.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(name, _)| *name == self.cookie_name)
            .map(|(_, value)| value)
            .ok_or(NoSession::Absent)?;
        let [link, started, seen] = self.known(SESSION, value).ok_or(NoSession::Absent)?;
        let (started, seen) = (Time::from_micros(started), Time::from_micros(seen));
        if now.since(started) > SESSION_LIFETIME || now.since(seen) > SESSION_IDLE {
            return Err(NoSession::Over);
        }
        let session = Session { link, started, seen: seen.max(now) };
        let renewal = (now.since(seen) > RENEW_AFTER).then(|| self.cookie(session));
        Ok((session, renewal))
    }

    /// The `Set-Cookie` value of a session. It lasts as long as the browser does: the server
    /// decides when it is over.
    pub(crate) fn cookie(&self, session: Session) -> String {
        let fields = [session.link, session.started.as_micros(), session.seen.as_micros()];
        let value = self.state(SESSION, &fields);
        format!("{}={value}; Path=/; HttpOnly; SameSite=Strict", self.cookie_name)
    }

    /// Fields and their MAC in hexadecimal.
    fn state(&self, domain: &[u8], fields: &[u64]) -> String {
        let mut bytes: Vec<u8> = fields.iter().flat_map(|field| field.to_be_bytes()).collect();
        let mac = hmac::sign(&self.key, &[domain, &bytes].concat());
        bytes.extend(mac.as_ref());
        hex(&bytes)
    }

    /// The fields of a statement of ours, compared in constant time.
    fn known<const N: usize>(&self, domain: &[u8], text: &str) -> Option<[u64; N]> {
        let bytes = unhex(text, N * 8 + MAC_LENGTH)?;
        let (body, mac) = bytes.split_at_checked(N * 8)?;
        hmac::verify(&self.key, &[domain, body].concat(), mac).ok()?;
        let mut fields = [0; N];
        for (field, word) in fields.iter_mut().zip(body.chunks_exact(8)) {
            *field = u64::from_be_bytes(word.try_into().ok()?);
        }
        Some(fields)
    }
}

// What the MAC is over differs in its first bytes, so that a link is never a session.
const LINK: &[u8] = b"jawoord/v1/portal/link\0";
const SESSION: &[u8] = b"jawoord/v1/portal/session\0";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str, length: usize) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() == length * 2)?;
    digits
        .chunks_exact(2)
        .map(|pair| u8::try_from(pair.iter().fold(0, |n, d| n * 16 + d)).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Time = Time::from_micros(1_795_000_000_000_000);

    fn token(link: &OneTimeLink) -> &str {
        &link.0
    }

    /// The value of a `Cookie` header that answers this `Set-Cookie` value.
    fn returned(set_cookie: &str) -> &str {
        set_cookie.split_once(';').unwrap().0
    }

    fn check(door: &Door, cookie: &str, now: Time) -> Result<Option<String>, NoSession> {
        door.check([cookie].into_iter(), now).map(|(_, renewal)| renewal)
    }

    #[test]
    fn a_link_opens_one_session_and_is_dead_afterwards() {
        let door = Door::new([7; 32]);
        let link = door.new_link(START);
        assert!(door.enter(token(&link), START).is_ok());
        assert_eq!(door.enter(token(&link), START), Err(DeadLink::Used));
    }

    #[test]
    fn a_new_link_takes_the_place_of_the_one_before_used_or_not() {
        let door = Door::new([7; 32]);
        let (first, second) = (door.new_link(START), door.new_link(START));
        assert_eq!(door.enter(token(&first), START), Err(DeadLink::Used));
        assert!(door.enter(token(&second), START).is_ok());
        let third = door.new_link(START);
        assert_eq!(door.enter(token(&second), START), Err(DeadLink::Used));
        assert_eq!(door.enter(token(&third), START).map(|session| session.id().0), Ok(3));
    }

    #[test]
    fn a_link_lives_ten_minutes() {
        let door = Door::new([7; 32]);
        let link = door.new_link(START);
        let late = START + LINK_LIFETIME + Duration::from_micros(1);
        assert_eq!(door.enter(token(&link), late), Err(DeadLink::TooOld));
        assert!(door.enter(token(&link), START + LINK_LIFETIME).is_ok());
    }

    #[test]
    fn a_link_of_another_process_or_with_one_digit_changed_is_unknown() {
        let door = Door::new([7; 32]);
        let link = door.new_link(START);
        let foreign = Door::new([8; 32]).new_link(START);
        assert_eq!(door.enter(token(&foreign), START), Err(DeadLink::Unknown));
        for place in 0..token(&link).len() {
            let mut forged = token(&link).as_bytes().to_vec();
            forged[place] = if forged[place] == b'0' { b'1' } else { b'0' };
            let forged = String::from_utf8(forged).unwrap();
            assert_eq!(door.enter(&forged, START), Err(DeadLink::Unknown), "place {place}");
        }
        for text in ["", "00", "é", &"é".repeat(48), &token(&link)[1..]] {
            assert_eq!(door.enter(text, START), Err(DeadLink::Unknown), "{text}");
        }
        assert!(door.enter(token(&link), START).is_ok());
    }

    #[test]
    fn a_session_ends_after_half_an_hour_without_a_request() {
        let door = Door::new([7; 32]);
        let session = door.enter(token(&door.new_link(START)), START).unwrap();
        let cookie = door.cookie(session);
        let idle = START + SESSION_IDLE;
        assert!(check(&door, returned(&cookie), idle).is_ok());
        let late = idle + Duration::from_micros(1);
        assert_eq!(check(&door, returned(&cookie), late), Err(NoSession::Over));
    }

    #[test]
    fn a_session_that_is_used_all_day_ends_after_twelve_hours() {
        let door = Door::new([7; 32]);
        let session = door.enter(token(&door.new_link(START)), START).unwrap();
        let mut cookie = door.cookie(session);
        let mut now = START;
        let lived = loop {
            now = now + Duration::from_secs(20 * 60);
            match check(&door, returned(&cookie), now) {
                Ok(renewal) => cookie = renewal.expect("a cookie 20 minutes old is renewed"),
                Err(ended) => {
                    assert_eq!(ended, NoSession::Over);
                    break now.since(START);
                }
            }
        };
        assert_eq!(lived, SESSION_LIFETIME + Duration::from_secs(20 * 60));
    }

    #[test]
    fn a_fresh_cookie_is_not_renewed() {
        let door = Door::new([7; 32]);
        let cookie = door.cookie(door.enter(token(&door.new_link(START)), START).unwrap());
        assert_eq!(check(&door, returned(&cookie), START + RENEW_AFTER), Ok(None));
    }

    #[test]
    fn a_forged_or_foreign_cookie_is_no_session() {
        let door = Door::new([7; 32]);
        let link = door.new_link(START);
        let name = door.cookie_name.clone();
        let as_cookie = format!("{name}={}", token(&link));
        assert_eq!(check(&door, &as_cookie, START), Err(NoSession::Absent));
        let cookie = door.cookie(door.enter(token(&link), START).unwrap());
        let other = Door::new([8; 32]);
        assert_eq!(check(&other, returned(&cookie), START), Err(NoSession::Absent));
        let renamed = returned(&cookie).replace(&name, &other.cookie_name);
        assert_eq!(check(&other, &renamed, START), Err(NoSession::Absent));
        let among = format!("a=b; {}; c", returned(&cookie));
        assert!(check(&door, &among, START).is_ok());
    }

    #[test]
    fn a_link_never_prints_itself() {
        let link = Door::new([7; 32]).new_link(START);
        assert!(!format!("{link:?}").contains(token(&link)));
        assert!(link.url(([127, 0, 0, 1], 80).into()).ends_with(token(&link)));
    }
}
