//! The form of the manager's messages: blocks of `Name: value` lines, each block ended by an empty line.

/// A line longer than this, or a block of more lines, is nothing that Asterisk says.
const LINE_LIMIT: usize = 16 * 1024;
const LINES_LIMIT: usize = 512;

/// One message: a response, or an event.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Block(Vec<(Box<str>, Box<str>)>);

impl Block {
    /// The value of this name, whose case means nothing; the first one of several. What is empty, or
    /// `<unknown>`, is nothing.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(&**value).filter(|value| !value.is_empty() && *value != "<unknown>")
    }
}

/// Somebody who speaks otherwise than Asterisk's manager does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotAManager;

/// Makes blocks of what comes.
#[derive(Default)]
pub(super) struct Reader {
    rest: Vec<u8>,
    block: Block,
}

impl Reader {
    /// Takes octets, and gives the blocks that they complete, in order.
    ///
    /// # Errors
    /// [`NotAManager`] when a line or a block has no end.
    pub(super) fn take(&mut self, octets: &[u8]) -> Result<Vec<Block>, NotAManager> {
        let mut blocks = Vec::new();
        self.rest.extend_from_slice(octets);
        while let Some(end) = self.rest.iter().position(|octet| *octet == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end();
            if line.is_empty() {
                blocks.push(std::mem::take(&mut self.block));
            } else if let Some((name, value)) = line.split_once(':') {
                // The greeting has no colon, and is no part of the first block.
                self.block.0.push((name.trim().into(), value.trim().into()));
            }
            if self.block.0.len() > LINES_LIMIT {
                return Err(NotAManager);
            }
        }
        if self.rest.len() > LINE_LIMIT { Err(NotAManager) } else { Ok(blocks) }
    }
}

/// A message of ours. A line end within a value would begin another line, so it ends the value.
pub(super) fn action(fields: &[(&str, &str)]) -> String {
    let value = |text: &str| text.lines().next().unwrap_or_default().to_owned();
    let lines = fields.iter().map(|(name, text)| format!("{name}: {}\r\n", value(text)));
    lines.collect::<String>() + "\r\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_come_whole_however_their_octets_do() {
        let said = b"Asterisk Call Manager/11.0.0\r\nResponse: Success\r\nActionID: 1\r\n\r\n\
            Event: Hangup\r\nChannel: PJSIP/box-00000001\r\nCallerIDNum: <unknown>\r\nContext: \r\n\r\n";
        for size in [1, 7, said.len()] {
            let mut reader = Reader::default();
            let blocks: Vec<_> =
                said.chunks(size).flat_map(|part| reader.take(part).expect("blocks")).collect();
            let [response, event] = &blocks[..] else { panic!("{blocks:?}") };
            assert_eq!(
                (response.get("response"), response.get("ActionID")),
                (Some("Success"), Some("1"))
            );
            assert_eq!(
                (event.get("Event"), event.get("Channel")),
                (Some("Hangup"), Some("PJSIP/box-00000001"))
            );
            assert_eq!(
                (event.get("CallerIDNum"), event.get("Context"), event.get("Exten")),
                (None, None, None)
            );
        }
    }

    #[test]
    fn who_never_ends_a_line_or_a_block_is_no_manager() {
        assert_eq!(Reader::default().take(&[b'a'; LINE_LIMIT + 1]), Err(NotAManager));
        assert_eq!(Reader::default().take(&b"a: b\n".repeat(LINES_LIMIT + 1)), Err(NotAManager));
    }

    #[test]
    fn a_value_of_ours_begins_no_line_of_its_own() {
        assert_eq!(
            action(&[("Action", "Ping\r\nAction: Originate"), ("A", "")]),
            "Action: Ping\r\nA: \r\n\r\n"
        );
    }
}
