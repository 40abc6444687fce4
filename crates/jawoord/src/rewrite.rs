//! Numbers as each side writes them: rules per peer that turn one form into another (row R-22).

use std::fmt;

use phonenumber::country::Id;
use regex::{Regex, RegexBuilder};
use sip::{Header, Invite, NameAddr, SipUri, Uri};

use crate::number::{self, Form};

/// The most memory that a compiled pattern may take, in octets; matching is linear in the number.
const PATTERN_LIMIT: usize = 256 * 1024;

/// Where a number stands in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The Request-URI: what is dialled.
    RequestUri,
    /// To.
    To,
    /// From.
    From,
    /// P-Asserted-Identity, P-Preferred-Identity and Remote-Party-ID.
    Asserted,
}

impl Field {
    /// Every field, with its name in the configuration.
    pub const ALL: [(Self, &str); 4] = [
        (Self::RequestUri, "request-uri"),
        (Self::To, "to"),
        (Self::From, "from"),
        (Self::Asserted, "p-asserted-identity"),
    ];
}

/// What a number becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Becomes {
    /// This text, in which `$1` stands for the first group of the pattern.
    Text(Box<str>),
    /// The same number in another form, national numbers read as those of a country.
    Form(Form, Id),
}

/// Why a rule cannot be meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleError {
    /// The pattern is no regular expression, or one too large.
    Pattern,
    /// The replacement holds a character that no number has.
    Replacement,
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pattern => "this is no pattern; write a regular expression for the whole number",
            Self::Replacement => "this is no number; use digits, +, *, # and groups such as ${1}",
        })
    }
}

impl std::error::Error for RuleError {}

/// One rule.
#[derive(Clone, Debug)]
pub struct Rule {
    fields: Vec<Field>,
    pattern: Regex,
    becomes: Becomes,
}

impl Rule {
    /// A rule for the numbers that `pattern` matches from their first to their last character.
    ///
    /// # Errors
    /// [`RuleError`] says which part cannot be meant.
    pub fn new(fields: Vec<Field>, pattern: &str, becomes: Becomes) -> Result<Self, RuleError> {
        let whole = format!("^(?:{pattern})$");
        let built = RegexBuilder::new(&whole).size_limit(PATTERN_LIMIT).build();
        if let Becomes::Text(text) = &becomes
            && !text.chars().all(|c| c.is_ascii_alphanumeric() || "+*#._-${}".contains(c))
        {
            return Err(RuleError::Replacement);
        }
        Ok(Self { fields, pattern: built.map_err(|_| RuleError::Pattern)?, becomes })
    }

    /// What a number becomes; `None` when the rule is not about it.
    fn apply(&self, field: Field, number: &str) -> Option<String> {
        if !self.fields.contains(&field) || !self.pattern.is_match(number) {
            return None;
        }
        match &self.becomes {
            Becomes::Text(text) => Some(self.pattern.replace(number, &**text).into_owned()),
            // A number of which nothing is known has no other form.
            Becomes::Form(form, country) => number::written(number, *country, *form),
        }
        .filter(|number| !number.is_empty())
    }
}

/// The rules of one peer.
#[derive(Clone, Debug, Default)]
pub struct Rewrites {
    /// For calls that come from it, in their order.
    pub inward: Vec<Rule>,
    /// For calls that go to it, in their order.
    pub outward: Vec<Rule>,
}

/// Of these rules the first that is about the number; without one it stays as it is.
#[must_use]
pub fn applied(rules: &[Rule], field: Field, number: &str) -> String {
    let found = rules.iter().find_map(|rule| rule.apply(field, number));
    found.unwrap_or_else(|| number.to_owned())
}

/// The way of a number through the box: the rules of the side that called, then those of the side
/// that is called.
#[derive(Clone, Copy)]
pub struct Way<'a> {
    /// Rules of the side that called.
    pub inward: &'a [Rule],
    /// Rules of the side that is called.
    pub outward: &'a [Rule],
    /// Whether a number must stay one that is never delayed: an emergency number that a rule would
    /// turn into another one stays as it is.
    pub emergency: Option<&'a call::EmergencyList>,
}

impl Way<'_> {
    /// What a number is written as on the other side. Parameters behind it stay (row R-12).
    #[must_use]
    pub fn number(&self, field: Field, user: &str) -> String {
        let (number, params) = user.split_at(user.find(';').unwrap_or(user.len()));
        let inside = applied(self.inward, field, number);
        let outside = applied(self.outward, field, &inside);
        let is_urgent = |list: &call::EmergencyList, number: &str| {
            list.matches(&call::Private::new(number.to_owned()))
        };
        let lost = self.emergency.is_some_and(|list| !is_urgent(list, &outside));
        let dialled = matches!(field, Field::RequestUri | Field::To);
        let number = match self.emergency {
            Some(list) if dialled && lost && is_urgent(list, &inside) => inside,
            Some(_) if dialled && lost => number.to_owned(),
            Some(_) | None => outside,
        };
        number.replace('#', "%23") + params
    }

    fn uri(&self, field: Field, uri: &mut SipUri) {
        if let Some(user) = &mut uri.user {
            *user = self.number(field, user);
        }
    }

    /// Rewrites Request-URI, To and From of a request of ours.
    pub fn parties(&self, target: &mut Uri, to: &mut NameAddr, from: &mut NameAddr) {
        let parties =
            [(Field::RequestUri, target), (Field::To, &mut to.uri), (Field::From, &mut from.uri)];
        for (field, uri) in parties {
            if let Uri::Sip(uri) = uri {
                self.uri(field, uri);
            }
        }
    }

    /// Rewrites the asserted identities of a request of ours. A signature over what they were goes
    /// away with them (row R-10).
    pub fn asserted(&self, invite: &mut Invite) {
        let mut changed = false;
        for header in &mut invite.headers {
            if let Some(new) = self.asserted_value(header) {
                changed = true;
                *header = new;
            }
        }
        if changed {
            invite.headers.retain(|header| !is(header, "Identity"));
        }
    }

    fn asserted_value(&self, header: &Header) -> Option<Header> {
        let names = ["P-Asserted-Identity", "P-Preferred-Identity", "Remote-Party-ID"];
        let name = names.into_iter().find(|name| is(header, name))?;
        let old = values(header.value());
        let new: Vec<Vec<u8>> = old.iter().map(|value| self.one_asserted(value)).collect();
        if old.iter().eq(&new) {
            return None;
        }
        Header::new(name, new.join(&b", "[..])).ok()
    }

    /// One identity; what cannot be read or is no number stays octet for octet.
    fn one_asserted(&self, value: &[u8]) -> Vec<u8> {
        let Some(mut parsed) = NameAddr::parse(value) else { return value.to_vec() };
        let old = parsed.uri.to_wire();
        match &mut parsed.uri {
            Uri::Sip(uri) => self.uri(Field::Asserted, uri),
            Uri::Tel(tel) => tel.number = self.number(Field::Asserted, &tel.number),
            Uri::Other(_) => {}
        }
        if parsed.uri.to_wire() == old { value.to_vec() } else { parsed.to_wire() }
    }
}

/// The values of a header line, without the blanks around them: commas in quotes and in angle
/// brackets part nothing.
fn values(line: &[u8]) -> Vec<&[u8]> {
    let (mut quoted, mut escaped, mut inside) = (false, false, false);
    line.split(|octet| {
        let parts = *octet == b',' && !quoted && !inside;
        match octet {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' if !inside => quoted = !quoted,
            b'<' if !quoted => inside = true,
            b'>' if !quoted => inside = false,
            _ => {}
        }
        parts
    })
    .map(<[u8]>::trim_ascii)
    .collect()
}

fn is(header: &Header, name: &str) -> bool {
    header.name().eq_ignore_ascii_case(name.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use call::{DialledPattern, EmergencyList};

    const DIALLED: [Field; 2] = [Field::RequestUri, Field::To];
    const CALLING: [Field; 2] = [Field::From, Field::Asserted];

    fn text(fields: &[Field], pattern: &str, replace: &str) -> Rule {
        Rule::new(fields.to_vec(), pattern, Becomes::Text(replace.into())).unwrap()
    }

    fn form(form: Form) -> Rule {
        Rule::new(DIALLED.to_vec(), ".*", Becomes::Form(form, Id::NL)).unwrap()
    }

    fn emergency() -> EmergencyList {
        EmergencyList::new(vec![DialledPattern::new("112").unwrap()]).unwrap()
    }

    fn way<'a>(inward: &'a [Rule], outward: &'a [Rule]) -> Way<'a> {
        Way { inward, outward, emergency: None }
    }

    #[test]
    fn r_22_the_first_rule_that_is_about_the_whole_number_counts() {
        let rules = [
            text(&DIALLED, "00([1-9][0-9]+)", "+$1"),
            text(&DIALLED, "0([1-9][0-9]+)", "+31$1"),
            text(&DIALLED, "[0-9]{4}", "+3120555${0}"),
        ];
        for (number, becomes) in [
            ("0031201234567", "+31201234567"),
            ("0201234567", "+31201234567"),
            ("4711", "+31205554711"),
            ("47110", "47110"),
            ("+31201234567", "+31201234567"),
            ("reception", "reception"),
        ] {
            assert_eq!(applied(&rules, Field::To, number), becomes, "{number}");
            assert_eq!(applied(&rules, Field::From, number), number, "{number} is a caller's");
        }
    }

    #[test]
    fn r_22_a_number_takes_the_form_that_a_side_wants() {
        for (wanted, becomes) in [
            (Form::E164, "+31201234567"),
            (Form::Digits, "31201234567"),
            (Form::International, "0031201234567"),
            (Form::National, "0201234567"),
        ] {
            for number in ["0201234567", "+31201234567", "0031201234567"] {
                assert_eq!(applied(&[form(wanted)], Field::To, number), becomes, "{wanted:?}");
            }
            for odd in ["112", "anonymous", "4711"] {
                assert_eq!(applied(&[form(wanted)], Field::To, odd), odd, "{wanted:?}");
            }
        }
        // A number of another country has no national form here.
        assert_eq!(applied(&[form(Form::National)], Field::To, "+4930123456"), "+4930123456");
    }

    #[test]
    fn r_22_the_rules_of_both_sides_follow_each_other_and_parameters_stay() {
        let inward = [form(Form::E164)];
        let outward = [text(&DIALLED, r"\+31([0-9]+)", "0$1"), text(&CALLING, ".*", "#")];
        let way = way(&inward, &outward);
        assert_eq!(way.number(Field::To, "0031201234567;npdi;rn=1"), "0201234567;npdi;rn=1");
        assert_eq!(way.number(Field::From, "7"), "%23");
    }

    #[test]
    fn e_01_no_rule_turns_an_emergency_number_into_another_one() {
        let list = emergency();
        let (prefix, strip) = ([text(&DIALLED, "[0-9]+", "9$0")], [text(&DIALLED, "0(112)", "$1")]);
        let urgent = |inward, outward| Way { inward, outward, emergency: Some(&list) };
        assert_eq!(urgent(&[], &prefix).number(Field::RequestUri, "112"), "112");
        assert_eq!(urgent(&strip, &prefix).number(Field::RequestUri, "0112"), "112");
        assert_eq!(urgent(&prefix, &[]).number(Field::To, "112"), "112");
        // An ordinary call is not held back by that.
        assert_eq!(way(&[], &prefix).number(Field::To, "201"), "9201");
    }

    #[test]
    fn r_22_parties_and_identities_are_rewritten_and_nothing_else() {
        let rules =
            [text(&CALLING, r"\+31([0-9]+)", "0$1"), text(&DIALLED, r"\+31([0-9]+)", "0$1")];
        let way = way(&[], &rules);
        let sip = |text: &str| Uri::parse(text.as_bytes()).unwrap();
        let mut target = sip("sip:+31201234567@192.0.2.1;user=phone");
        let mut to = NameAddr::parse(b"<sip:+31201234567@192.0.2.1>").unwrap();
        let mut from = NameAddr::parse(b"\"A, B\" <sip:+31612345678@192.0.2.2>").unwrap();
        way.parties(&mut target, &mut to, &mut from);
        assert_eq!(target.to_wire(), "sip:0201234567@192.0.2.1;user=phone");
        assert_eq!(to.to_wire(), b"<sip:0201234567@192.0.2.1>");
        assert_eq!(from.to_wire(), b"\"A, B\" <sip:0612345678@192.0.2.2>");
        let header = |name: &str, value: &str| Header::new(name, value).unwrap();
        let value = |header: Option<Header>| {
            header.map(|header| String::from_utf8_lossy(header.value()).into_owned())
        };
        let asserted = header(
            "P-Asserted-Identity",
            "\"A, <B>\" <sip:+31612345678@x.example>, <tel:+31612345678>",
        );
        assert_eq!(
            value(way.asserted_value(&asserted)).as_deref(),
            Some("\"A, <B>\" <sip:0612345678@x.example>, <tel:0612345678>")
        );
        let other = header("P-Asserted-Identity", "<sip:+4930123456@x.example> , <urn:x:y>");
        assert_eq!(value(way.asserted_value(&other)), None);
        assert_eq!(value(way.asserted_value(&header("Diversion", "<tel:+31612345678>"))), None);
    }

    #[test]
    fn a_rule_that_cannot_be_meant_is_refused() {
        let rule = |pattern: &str, replace: &str| {
            Rule::new(DIALLED.to_vec(), pattern, Becomes::Text(replace.into())).err()
        };
        assert_eq!(rule("(", "1"), Some(RuleError::Pattern));
        assert_eq!(rule("a{1000}{1000}{1000}", "1"), Some(RuleError::Pattern));
        for replace in ["1@evil.example", "1\r\nX: y", "a b", "1;rn=2"] {
            assert_eq!(rule("1", replace), Some(RuleError::Replacement), "{replace}");
        }
        assert_eq!(rule("(1)", "+${1}*#"), None);
    }
}
