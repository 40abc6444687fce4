//! Lines: which policy a dialled number has, and which numbers are never delayed.

use std::{fmt, sync::Arc};

use crate::{Direction, LineId, Policy, Private, RecordFrom, TenantId};

/// Why a text is not a pattern of dialled numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatternError {
    /// Nothing is left to match.
    Empty,
    /// A character that a number cannot hold, at this place (counted from 0).
    Character(usize),
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the pattern is empty; write a number such as +31201234567"),
            Self::Character(place) => write!(
                f,
                "character {place} cannot stand in a number pattern; use digits, one leading '+' \
                 and at most one '*' at the end for any further digits"
            ),
        }
    }
}

impl std::error::Error for PatternError {}

/// A dialled number, or the beginning of one followed by `*`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DialledPattern {
    digits: Box<str>,
    open: bool,
}

impl DialledPattern {
    /// Reads `+31201234567`, `112` or `+3120123*`.
    ///
    /// # Errors
    /// [`PatternError`] for an empty pattern or the first character that does not fit.
    pub fn new(text: &str) -> Result<Self, PatternError> {
        let (digits, open) = match text.strip_suffix('*') {
            Some(start) => (start, true),
            None => (text, false),
        };
        let wrong = |(place, c): (usize, char)| !(c.is_ascii_digit() || (c == '+' && place == 0));
        match digits.char_indices().find(|found| wrong(*found)) {
            Some((place, _)) => Err(PatternError::Character(place)),
            None if digits.trim_start_matches('+').is_empty() && !open => Err(PatternError::Empty),
            None => Ok(Self { digits: digits.into(), open }),
        }
    }

    /// Whether `number` is meant.
    #[must_use]
    pub fn matches(&self, number: &str) -> bool {
        if self.open { number.starts_with(&*self.digits) } else { number == &*self.digits }
    }

    /// How narrow the pattern is: an exact number beats a beginning, a longer beginning a shorter.
    const fn rank(&self) -> (bool, usize) {
        (!self.open, self.digits.len())
    }
}

impl fmt::Display for DialledPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.digits, if self.open { "*" } else { "" })
    }
}

/// One line: numbers of the house, whose they are, and their policy.
#[derive(Clone, Debug)]
pub struct Line {
    /// The line's name.
    pub id: LineId,
    /// Whose recordings its calls would leave.
    pub tenant: TenantId,
    /// The numbers: dialled inbound, and calling outbound.
    pub pattern: DialledPattern,
    /// Which calls it is for; `None` is both directions.
    pub direction: Option<Direction>,
    /// From when on they are recorded, where they may be.
    pub record_from: RecordFrom,
    /// What happens to their calls. Running calls keep the policy they began with (row O-07).
    pub policy: Arc<Policy>,
}

/// All lines, found by number in a time that grows with the number's length alone.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    /// Most specific first.
    lines: Vec<Arc<Line>>,
    /// The characters of all patterns as a tree; the first node is the root.
    nodes: Vec<Node>,
}

/// A beginning of some patterns.
#[derive(Clone, Debug, Default)]
struct Node {
    /// Where each further character leads: `0` to `9`, then `+`. The root is nobody's child, so 0
    /// is nowhere.
    next: [u32; 11],
    inbound: Ends,
    outbound: Ends,
}

/// The lines of one direction whose pattern ends here.
#[derive(Clone, Debug, Default)]
struct Ends {
    /// That of exactly this number.
    exact: Option<u32>,
    /// That of every number that begins so.
    open: Option<u32>,
}

impl Node {
    const fn ends(&self, direction: Direction) -> &Ends {
        match direction {
            Direction::Inbound => &self.inbound,
            Direction::Outbound => &self.outbound,
        }
    }
}

impl Lines {
    /// Orders the lines. Of two equal patterns the first stays in front.
    #[must_use]
    pub fn new(lines: impl IntoIterator<Item = Line>) -> Self {
        let mut lines: Vec<_> = lines.into_iter().map(Arc::new).collect();
        lines.sort_by_key(|line| std::cmp::Reverse(line.pattern.rank()));
        let mut made = Self { lines: Vec::new(), nodes: vec![Node::default()] };
        for (place, line) in (0_u32..).zip(&lines) {
            made.plant(line, place);
        }
        Self { lines, ..made }
    }

    fn plant(&mut self, line: &Line, number: u32) {
        let mut at = 0;
        for slot in line.pattern.digits.bytes().filter_map(slot) {
            let new = u32::try_from(self.nodes.len()).unwrap_or_default();
            let Some(next) = self.nodes.get_mut(at).and_then(|node| node.next.get_mut(slot)) else {
                return;
            };
            if *next == 0 {
                *next = new;
                at = self.nodes.len();
                self.nodes.push(Node::default());
            } else {
                at = *next as usize;
            }
        }
        let Some(Node { inbound, outbound, .. }) = self.nodes.get_mut(at) else { return };
        for (direction, ends) in [(Direction::Inbound, inbound), (Direction::Outbound, outbound)] {
            if line.direction.is_none_or(|only| only == direction) {
                let end = if line.pattern.open { &mut ends.open } else { &mut ends.exact };
                end.get_or_insert(number);
            }
        }
    }

    /// The line of a call, if any line wants it, by the number of the house: the dialled one inbound
    /// and the calling one outbound. It is that of the number itself, else that of its longest
    /// beginning. A number of no line is never recorded (law row L25).
    #[must_use]
    pub fn find(&self, direction: Direction, number: &Private<String>) -> Option<&Arc<Line>> {
        let mut node = self.nodes.first()?;
        let mut found = node.ends(direction).open;
        for byte in number.reveal().bytes() {
            let next = slot(byte).and_then(|slot| node.next.get(slot)).filter(|next| **next != 0);
            let Some(child) = next.and_then(|next| self.nodes.get(*next as usize)) else {
                return self.lines.get(found? as usize);
            };
            node = child;
            found = node.ends(direction).open.or(found);
        }
        self.lines.get(node.ends(direction).exact.or(found)? as usize)
    }

    /// Each line, most specific first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Arc<Line>> {
        self.lines.iter()
    }
}

/// The place of a character in a node; `None` for what no pattern can hold.
const fn slot(byte: u8) -> Option<usize> {
    match byte {
        b'0'..=b'9' => Some((byte - b'0') as usize),
        b'+' => Some(10),
        _ => None,
    }
}

/// The numbers and service names whose calls bypass everything (flows rows E).
#[derive(Clone, Debug)]
pub struct EmergencyList(Vec<DialledPattern>);

impl EmergencyList {
    /// A list of patterns; `None` when it is empty, because an empty list must refuse to start
    /// (row E-07).
    #[must_use]
    pub fn new(patterns: Vec<DialledPattern>) -> Option<Self> {
        (!patterns.is_empty()).then_some(Self(patterns))
    }

    /// Whether a dialled number is an emergency number. Service names
    /// (`urn:service:sos` and its children, RFC 5031) always are.
    #[must_use]
    pub fn matches(&self, dialled: &Private<String>) -> bool {
        let dialled = dialled.reveal();
        let service = dialled.to_ascii_lowercase();
        service == "urn:service:sos"
            || service.starts_with("urn:service:sos.")
            || self.0.iter().any(|pattern| pattern.matches(dialled))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Digest, PolicyId, Recording};
    use std::time::Duration;

    fn pattern(text: &str) -> DialledPattern {
        DialledPattern::new(text).unwrap()
    }

    fn line(id: &str, text: &str) -> Line {
        Line {
            id: LineId::new(id).unwrap(),
            tenant: TenantId::new("acme").unwrap(),
            pattern: pattern(text),
            direction: None,
            record_from: RecordFrom::Answer,
            policy: Arc::new(Policy {
                id: PolicyId::new("never").unwrap(),
                version: 1,
                hash: Digest::from_bytes([0; 32]),
                recording: Recording::Never,
                ring_timeout: Duration::from_secs(30),
            }),
        }
    }

    fn dialled(number: &str) -> Private<String> {
        Private::new(number.to_owned())
    }

    #[test]
    fn a_pattern_is_a_number_or_its_beginning() {
        assert!(pattern("112").matches("112"));
        assert!(!pattern("112").matches("1122") && !pattern("112").matches("0112"));
        assert!(pattern("+3120*").matches("+31201234567") && pattern("+3120*").matches("+3120"));
        assert!(!pattern("+3120*").matches("+3110") && !pattern("+3120*").matches("3120"));
        assert!(pattern("*").matches("") && pattern("*").matches("anything"));
        for text in ["112", "+3120*", "*"] {
            assert_eq!(pattern(text).to_string(), text);
        }
    }

    #[test]
    fn a_pattern_that_cannot_match_a_number_is_refused_where_it_is_wrong() {
        for (text, error) in [
            ("", PatternError::Empty),
            ("+", PatternError::Empty),
            ("1+2", PatternError::Character(1)),
            ("12a", PatternError::Character(2)),
            ("1*2", PatternError::Character(1)),
            ("1**", PatternError::Character(1)),
            ("+31 20", PatternError::Character(3)),
        ] {
            assert_eq!(DialledPattern::new(text), Err(error), "{text}");
            assert!(error.to_string().contains("; "), "what happened and what to do");
        }
    }

    #[test]
    fn the_narrowest_line_answers_and_of_two_equal_ones_the_first() {
        let lines = Lines::new([
            line("all", "*"),
            line("city", "+3120*"),
            line("sales", "+31201234567"),
            line("longer-start", "+312012345678*"),
            line("twin", "+31201234567"),
        ]);
        let found = |number| {
            let found = lines.find(Direction::Inbound, &dialled(number));
            found.map(|line| line.id.to_string())
        };
        assert_eq!(found("+31201234567").as_deref(), Some("sales"));
        assert_eq!(found("+312012345678").as_deref(), Some("longer-start"));
        assert_eq!(found("+31209").as_deref(), Some("city"));
        assert_eq!(found("112").as_deref(), Some("all"));
        assert_eq!(lines.iter().len(), 5);
        assert_eq!(lines.iter().next().map(|line| line.id.as_str()), Some("sales"));
    }

    #[test]
    fn the_index_finds_what_a_walk_through_all_lines_finds() {
        let mut state = 7_u32;
        let mut draw = |below: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) % below
        };
        // Few digits, so that patterns and numbers meet often.
        let mut digits = |most: u32| -> String {
            let plus = if draw(2) == 0 { "+" } else { "" };
            let length = draw(most) + 1;
            (0..length).map(|_| char::from(b'0' + draw(3) as u8)).fold(
                plus.into(),
                |mut text, c| {
                    text.push(c);
                    text
                },
            )
        };
        for round in 0..200 {
            let star = |number: usize| if (number + round).is_multiple_of(3) { "*" } else { "" };
            let all: Vec<Line> = (0..40)
                .map(|number| {
                    line(&format!("l-{number}"), &format!("{}{}", digits(5), star(number)))
                })
                .collect();
            let lines = Lines::new(all);
            for _ in 0..200 {
                let number = dialled(&digits(6));
                let walked = lines.iter().find(|line| line.pattern.matches(number.reveal()));
                let found = lines.find(Direction::Inbound, &number);
                assert_eq!(found.map(|line| &line.id), walked.map(|line| &line.id));
            }
        }
    }

    #[test]
    fn what_is_no_number_finds_only_a_line_for_everything() {
        let lines = Lines::new([line("all", "*"), line("sales", "+31201234567")]);
        for odd in ["", "urn:service:counseling", "reception", "+31201234567x"] {
            let found = lines.find(Direction::Outbound, &dialled(odd));
            assert_eq!(found.map(|line| line.id.as_str()), Some("all"));
        }
        let lines = Lines::new([line("sales", "+31201234567")]);
        for odd in ["reception", ""] {
            assert!(lines.find(Direction::Inbound, &dialled(odd)).is_none());
        }
    }

    #[test]
    fn a_number_is_found_in_as_many_steps_as_it_has_characters_whatever_the_number_of_lines() {
        let all = (0..10_000).map(|n| line(&format!("l-{n}"), &format!("+3120{n:07}")));
        let lines = Lines::new(all);
        // The tree holds each character of each beginning once: 5 + 7 levels at most.
        assert!(lines.nodes.len() < 13_000, "{}", lines.nodes.len());
        let found = lines.find(Direction::Inbound, &dialled("+31200009999"));
        let found = found.map(|line| line.id.to_string());
        assert_eq!(found.as_deref(), Some("l-9999"));
    }

    #[test]
    fn l_25_a_number_of_no_line_has_no_line() {
        assert!(Lines::default().find(Direction::Inbound, &dialled("+31201234567")).is_none());
        let lines = Lines::new([line("sales", "+31201234567")]);
        assert!(lines.find(Direction::Inbound, &dialled("+31201234568")).is_none());
    }

    #[test]
    fn a_line_for_one_direction_leaves_the_other_to_the_next() {
        let only = |id, text, direction| Line { direction: Some(direction), ..line(id, text) };
        let lines = Lines::new([
            only("in", "+31201234567", Direction::Inbound),
            only("out", "+3120*", Direction::Outbound),
            line("all", "*"),
        ]);
        let found = |direction, number| {
            let line: Option<&Arc<Line>> = lines.find(direction, &dialled(number));
            line.map(|line| line.id.to_string())
        };
        assert_eq!(found(Direction::Inbound, "+31201234567").as_deref(), Some("in"));
        assert_eq!(found(Direction::Outbound, "+31201234567").as_deref(), Some("out"));
        assert_eq!(found(Direction::Inbound, "+31200000000").as_deref(), Some("all"));
        assert_eq!(found(Direction::Outbound, "").as_deref(), Some("all"));
    }

    #[test]
    fn e_07_an_empty_emergency_list_is_none() {
        assert!(EmergencyList::new(Vec::new()).is_none());
    }

    #[test]
    fn e_01_emergency_numbers_and_services_are_known() {
        let list = EmergencyList::new(vec![pattern("112"), pattern("0112")]).unwrap();
        for number in
            ["112", "0112", "urn:service:sos", "URN:Service:SOS.police", "urn:service:sos.fire"]
        {
            assert!(list.matches(&dialled(number)), "{number}");
        }
        for number in ["1120", "911", "urn:service:sosx", "urn:service:counseling", ""] {
            assert!(!list.matches(&dialled(number)), "{number}");
        }
    }
}
