//! What a side says of itself while a call goes on, and what of it the other side is still to be told
//! (RFC 5876; rows R-09, T-01).

use sip::{Header, wire::header::same_name};

use crate::wires::Side;

/// What each side has said, as far as it crosses, and what the other one has not heard of it.
#[derive(Clone, Default)]
pub struct News {
    said: [Vec<Header>; 2],
    untold: [Vec<Header>; 2],
}

const fn of(pair: &mut [Vec<Header>; 2], side: Side) -> &mut Vec<Header> {
    let [near, far] = pair;
    match side {
        Side::Near => near,
        Side::Far => far,
    }
}

/// What a header said before, it says no longer when it is in a later message.
fn renew(known: &mut Vec<Header>, news: &[Header]) {
    known.retain(|old| !news.iter().any(|new| same_name(new.name(), old.name())));
    known.extend_from_slice(news);
}

/// Whether a message says what was known. What it says under one name is the list of all values in their
/// order (RFC 3261 §7.3.1): one fewer, or another order, is another list. Under a name that it does not
/// have it says nothing, for nobody need repeat what still holds.
fn is_known(known: &[Header], said: &[Header]) -> bool {
    said.iter().all(|header| values(known, header.name()).eq(values(said, header.name())))
}

fn values<'a>(headers: &'a [Header], name: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    headers.iter().filter(move |header| same_name(header.name(), name)).map(Header::value)
}

impl News {
    /// A side began with this: whatever of it crosses, the other one knows.
    pub fn opens(&mut self, from: Side, headers: &[Header]) {
        renew(of(&mut self.said, from), headers);
    }

    /// A side says this in the call. What it has said before is no news.
    pub fn hears(&mut self, from: Side, headers: &[Header]) {
        let said = of(&mut self.said, from);
        if is_known(said, headers) {
            return;
        }
        renew(said, headers);
        renew(of(&mut self.untold, from.other()), headers);
    }

    /// What a side is to be told.
    #[must_use]
    pub fn untold(&self, to: Side) -> &[Header] {
        let [near, far] = &self.untold;
        match to {
            Side::Near => near,
            Side::Far => far,
        }
    }

    /// It has been told.
    pub fn told(&mut self, to: Side) {
        of(&mut self.untold, to).clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&str, &str)]) -> Vec<Header> {
        lines.iter().map(|(name, value)| Header::new(name, value).unwrap()).collect()
    }

    #[test]
    fn t_01_who_is_there_is_news_once_and_again_when_somebody_else_is() {
        let mut news = News::default();
        let [ann, bob] =
            ["<sip:101@a>", "<sip:102@a>"].map(|value| headers(&[("P-Asserted-Identity", value)]));
        news.opens(Side::Far, &ann);
        news.hears(Side::Far, &ann);
        assert!(news.untold(Side::Near).is_empty(), "the answer has said so");
        for who in [&bob, &ann] {
            news.hears(Side::Far, who);
            assert_eq!(news.untold(Side::Near), who.as_slice());
            assert!(news.untold(Side::Far).is_empty(), "nobody is told of themselves");
            news.told(Side::Near);
            news.hears(Side::Far, who);
            assert!(news.untold(Side::Near).is_empty());
        }
    }

    #[test]
    fn r_09_t_01_a_value_fewer_or_another_order_is_news_and_a_header_that_is_absent_says_nothing() {
        let mut news = News::default();
        let who = |values: &[&str]| {
            let lines = values.iter().map(|value| ("P-Asserted-Identity", *value));
            headers(&lines.collect::<Vec<_>>())
        };
        let (sip, tel) = ("<sip:101@a>", "<tel:+31201111101>");
        let mut both = who(&[sip, tel]);
        both.extend(headers(&[("X-Case", "7")]));
        news.opens(Side::Far, &both);
        news.hears(Side::Far, &headers(&[("x-case", "7")]));
        news.hears(Side::Far, &who(&[sip, tel]));
        assert!(news.untold(Side::Near).is_empty(), "what it leaves out still holds");
        for said in [&[sip][..], &[tel, sip], &[sip, tel], &[tel]] {
            news.hears(Side::Far, &who(said));
            assert_eq!(news.untold(Side::Near), who(said), "no number of before stays beside it");
            news.told(Side::Near);
            news.hears(Side::Far, &who(said));
            assert!(news.untold(Side::Near).is_empty());
        }
    }

    #[test]
    fn r_09_of_two_news_before_one_was_told_the_later_value_of_each_header_counts() {
        let mut news = News::default();
        news.hears(Side::Near, &headers(&[("X-Step", "1"), ("X-Case", "a")]));
        news.hears(Side::Near, &headers(&[("x-step", "2")]));
        let mut both = headers(&[("X-Case", "a")]);
        both.extend(headers(&[("x-step", "2")]));
        assert_eq!(news.untold(Side::Far), both);
        news.hears(Side::Near, &[]);
        assert_eq!(news.untold(Side::Far).len(), 2);
    }
}
