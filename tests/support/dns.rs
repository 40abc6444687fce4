//! A name server of a few names, which can be told to fall silent.

use std::{
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    sync::mpsc::{Receiver, Sender, channel},
    thread,
    time::Duration,
};

/// How long its answers count, in seconds.
const TTL: u32 = 1;
const A: u16 = 1;
const SRV: u16 = 33;

/// One record.
#[derive(Clone, Debug)]
pub enum Record {
    /// An address.
    A(&'static str, Ipv4Addr),
    /// A service: its name, priority, weight, port and host.
    Srv(&'static str, u16, u16, u16, &'static str),
}

/// A running name server. It ends with its last order.
pub struct Dns {
    /// Where it answers.
    pub address: SocketAddr,
    orders: Sender<Option<Vec<Record>>>,
}

impl Dns {
    /// Starts it with these records.
    ///
    /// # Panics
    /// There is no free port.
    #[must_use]
    pub fn start(records: Vec<Record>) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        socket.set_read_timeout(Some(Duration::from_millis(20))).expect("a limit");
        let address = socket.local_addr().expect("an address");
        let (orders, inbox) = channel();
        thread::spawn(move || serve(&socket, &inbox, Some(records)));
        Self { address, orders }
    }

    /// Answers with these records from now on.
    pub fn change(&self, records: Vec<Record>) {
        let _gone = self.orders.send(Some(records));
    }

    /// Answers nothing any more.
    pub fn fall_silent(&self) {
        let _gone = self.orders.send(None);
    }
}

fn serve(
    socket: &UdpSocket,
    inbox: &Receiver<Option<Vec<Record>>>,
    mut records: Option<Vec<Record>>,
) {
    let mut buffer = [0; 1_500];
    loop {
        match inbox.try_recv() {
            Ok(new) => records = new,
            Err(std::sync::mpsc::TryRecvError::Empty) => {}
            Err(std::sync::mpsc::TryRecvError::Disconnected) => return,
        }
        let Ok((length, asker)) = socket.recv_from(&mut buffer) else { continue };
        if let Some(reply) = records.as_ref().and_then(|all| answer(&buffer[..length], all)) {
            let _lost = socket.send_to(&reply, asker);
        }
    }
}

/// RFC 1035 §4: the question again, and every record that fits.
fn answer(query: &[u8], records: &[Record]) -> Option<Vec<u8>> {
    let (mut name, mut at) = (String::new(), 12);
    loop {
        let length = usize::from(*query.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        name.push_str(&String::from_utf8_lossy(query.get(at..at + length)?).to_lowercase());
        name.push('.');
        at += length;
    }
    let kind = u16::from_be_bytes([*query.get(at)?, *query.get(at + 1)?]);
    let question = query.get(12..at + 4)?;
    let named: Vec<&Record> = records.iter().filter(|record| record.name() == name).collect();
    let data: Vec<Vec<u8>> = named.iter().filter_map(|record| record.data(kind)).collect();
    let mut reply = query.get(..2)?.to_vec();
    // Authoritative; NXDOMAIN when nothing at all has this name.
    let code: u8 = if named.is_empty() { 3 } else { 0 };
    reply.extend([0x85, 0x80 | code, 0, 1]);
    reply.extend(u16::try_from(data.len()).ok()?.to_be_bytes());
    reply.extend([0; 4]);
    reply.extend(question);
    for data in data {
        reply.extend([0xc0, 12]);
        reply.extend(kind.to_be_bytes());
        reply.extend([0, 1]);
        reply.extend(TTL.to_be_bytes());
        reply.extend(u16::try_from(data.len()).ok()?.to_be_bytes());
        reply.extend(data);
    }
    Some(reply)
}

impl Record {
    fn name(&self) -> String {
        match self {
            Self::A(name, _) | Self::Srv(name, ..) => format!("{name}."),
        }
    }

    fn data(&self, kind: u16) -> Option<Vec<u8>> {
        match self {
            Self::A(_, address) => (kind == A).then(|| address.octets().to_vec()),
            Self::Srv(_, priority, weight, port, host) => (kind == SRV).then(|| {
                let mut data: Vec<u8> =
                    [priority, weight, port].iter().flat_map(|n| n.to_be_bytes()).collect();
                for label in host.split('.') {
                    data.push(label.len() as u8);
                    data.extend(label.as_bytes());
                }
                data.push(0);
                data
            }),
        }
    }
}
