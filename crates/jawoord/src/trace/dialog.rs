//! What is kept of one dialog: its messages, each without what the ones before it have of it.

use std::net::SocketAddr;

use call::{CallId, Time};
use lz4_flex::block::{compress_with_dict, decompress_with_dict};

/// What most first messages have in common: they are packed with it left out.
const COMMON: &[u8] = b"OPTIONS sip:x UPDATE sip:x SIP/2.0 200 OK\r\nINVITE sip:+xxxxxxxxxxx@xxx.xx.xx.xx:\
    5060;user=phone;transport=tcp SIP/2.0\r\nVia: SIP/2.0/TLS Via: SIP/2.0/TCP Via: SIP/2.0/UDP \
    192.168.10.127.0.0.1:5060;rport;branch=z9hG4bK\r\nRecord-Route: <sip:10.;lr>\r\nMax-Forwards: 70\
    \r\nFrom: \"xxxxxxxx\" <sip:+xxxxxxxxxxx@;tag=\r\nTo: <sip:+xxxxxxxxxxx@>\r\nCall-ID: \r\nCSeq: 1 \
    INVITE\r\nContact: <sip:>\r\nP-Asserted-Identity: <sip:+xxxxxxxxxxx@>\r\nUser-Agent: xxxxxxxx\r\n\
    Session-Expires: 1800;refresher=uac\r\nMin-SE: 90\r\nAllow: INVITE, ACK, CANCEL, BYE, OPTIONS, \
    INFO, UPDATE, PRACK, NOTIFY, REFER\r\nSupported: 100rel, timer, replaces, norefersub\r\nSession-ID: \
    ;remote=00000000000000000000000000000000\r\nX-Jawoord-Call: \r\nContent-Type: application/sdp\r\n\
    Content-Length: 2\r\n\r\nv=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
    m=audio 20000 RTP/AVP 8 0 9 101\r\na=rtpmap:9 G722/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 \
    PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n";

/// A dialog that goes on and on keeps its beginning.
pub(super) const LIMIT: usize = 256 * 1024;

/// One message: where it is among what was packed is where the one before it ends.
#[derive(Debug)]
struct Kept {
    at: Time,
    /// How many octets it has, and how many of them are kept.
    length: u32,
    packed: u32,
    /// Which of the dialog's ways it took.
    way: u16,
}

/// The messages of a dialog. There are thousands of dialogs, so nothing has room to spare.
#[derive(Debug, Default)]
pub(super) struct Dialog {
    /// Who sent to whom.
    ways: Vec<[SocketAddr; 2]>,
    kept: Vec<Kept>,
    packed: Vec<u8>,
    pub(super) call: Option<CallId>,
}

impl Dialog {
    /// How many octets it holds.
    pub(super) fn size(&self) -> usize {
        let ways = self.ways.len() * size_of::<[SocketAddr; 2]>();
        ways + self.kept.len() * size_of::<Kept>() + self.packed.len()
    }

    /// Keeps a message, if there is room.
    pub(super) fn add(&mut self, at: Time, way: [SocketAddr; 2], octets: &[u8]) {
        let packed = compress_with_dict(octets, &self.common());
        let (Ok(length), Ok(short), Some(way)) =
            (octets.len().try_into(), packed.len().try_into(), self.way(way))
        else {
            return;
        };
        if self.size() + size_of::<Kept>() + packed.len() <= LIMIT {
            make_room(&mut self.packed, packed.len());
            self.packed.extend_from_slice(&packed);
            make_room(&mut self.kept, 1);
            self.kept.push(Kept { at, length, packed: short, way });
        }
    }

    fn way(&mut self, way: [SocketAddr; 2]) -> Option<u16> {
        let known = self.ways.iter().position(|known| *known == way);
        let place = known.unwrap_or_else(|| {
            self.ways.reserve_exact(1);
            self.ways.push(way);
            self.ways.len() - 1
        });
        u16::try_from(place).ok()
    }

    /// What the next message may have in common with what is known: its dialog's first message.
    fn common(&self) -> Vec<u8> {
        let first = self.kept.first().and_then(|first| self.unpacked(first, 0, COMMON));
        first.unwrap_or_else(|| COMMON.to_vec())
    }

    fn unpacked(&self, kept: &Kept, from: usize, common: &[u8]) -> Option<Vec<u8>> {
        let (length, packed) = (kept.length.try_into().ok()?, usize::try_from(kept.packed).ok()?);
        let packed = self.packed.get(from..from.checked_add(packed)?)?;
        decompress_with_dict(packed, length, common).ok()
    }

    /// All messages in their order, with when they were sent, and from whom to whom; of what cannot be read
    /// nothing, rather than half of it.
    pub(super) fn messages(&self) -> Vec<(Time, [SocketAddr; 2], Vec<u8>)> {
        let (mut from, mut messages) = (0, Vec::new());
        let common = self.common();
        for (place, kept) in self.kept.iter().enumerate() {
            let common = if place == 0 { COMMON } else { &common };
            if let Some(octets) = self.unpacked(kept, from, common)
                && let Some(way) = self.ways.get(usize::from(kept.way))
            {
                messages.push((kept.at, *way, octets));
            }
            from += usize::try_from(kept.packed).unwrap_or(usize::MAX);
        }
        messages
    }
}

/// Makes room for so many more, and in a long list for some that may follow: one that doubles wastes what
/// thousands of dialogs do not have, and one that grows by one is copied too often.
fn make_room<T>(list: &mut Vec<T>, more: usize) {
    if list.capacity() - list.len() < more {
        list.reserve_exact(more + list.len() / 16);
    }
}
