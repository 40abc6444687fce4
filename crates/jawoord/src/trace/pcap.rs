//! A call's messages as a capture file that Wireshark and sngrep read.

use std::{io, time::Duration};

use call::Time;
use etherparse::PacketBuilder;
use pcap_file::{
    DataLink,
    pcap::{PcapHeader, PcapPacket, PcapWriter},
};

use super::Message;

/// The most octets of SIP that one UDP datagram over IPv4 holds.
const DATAGRAM: usize = 65_507;

/// Writes the messages as datagrams, oldest first. What went over a stream is shown as a datagram
/// between the same addresses and ports: one message a packet, whatever the transport was.
///
/// # Errors
/// The messages do not fit a capture file, which no SIP message does.
pub fn write(messages: &[Message]) -> io::Result<Vec<u8>> {
    let header = PcapHeader { datalink: DataLink::RAW, snaplen: 1 << 18, ..PcapHeader::default() };
    let mut writer = PcapWriter::with_header(Vec::new(), header).map_err(io::Error::other)?;
    for message in messages {
        let packet = packet(message)?;
        let since_epoch: Duration = message.at.since(Time::default());
        let length = u32::try_from(packet.len()).map_err(io::Error::other)?;
        let packet = PcapPacket::new(since_epoch, length, &packet);
        writer.write_packet(&packet).map_err(io::Error::other)?;
    }
    Ok(writer.into_writer())
}

fn packet(message: &Message) -> io::Result<Vec<u8>> {
    let (from, to) = (message.from, message.to);
    let payload = message.octets.get(..DATAGRAM).unwrap_or(&message.octets);
    let builder = match (from.ip().to_canonical(), to.ip().to_canonical()) {
        (std::net::IpAddr::V4(from), std::net::IpAddr::V4(to)) => {
            PacketBuilder::ipv4(from.octets(), to.octets(), 64)
        }
        (from, to) => {
            let six = |ip: std::net::IpAddr| match ip {
                std::net::IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
                std::net::IpAddr::V6(ip) => ip.octets(),
            };
            PacketBuilder::ipv6(six(from), six(to), 64)
        }
    };
    let builder = builder.udp(from.port(), to.port());
    let mut packet = Vec::with_capacity(builder.size(payload.len()));
    builder.write(&mut packet, payload).map_err(io::Error::other)?;
    Ok(packet)
}

#[cfg(test)]
mod tests {
    use etherparse::{NetHeaders, PacketHeaders};
    use pcap_file::pcap::PcapReader;

    use super::*;

    fn message(from: &str, to: &str, octets: &[u8]) -> Message {
        Message {
            at: Time::from_micros(1_700_000_000_123_456),
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
            octets: octets.to_vec(),
        }
    }

    #[test]
    fn a_capture_holds_each_message_with_its_time_and_addresses() {
        let messages = [
            message("10.0.0.1:5060", "10.0.0.2:5080", b"one"),
            message("[2001:db8::1]:5061", "10.0.0.2:5080", &vec![b'a'; 70_000]),
        ];
        let file = write(&messages).unwrap();
        let mut reader = PcapReader::new(&file[..]).unwrap();
        let first = reader.next_packet().unwrap().unwrap();
        assert_eq!(first.timestamp, Duration::from_micros(1_700_000_000_123_456));
        let headers = PacketHeaders::from_ip_slice(&first.data).unwrap();
        assert!(matches!(headers.net, Some(NetHeaders::Ipv4(ip, _)) if ip.source == [10, 0, 0, 1]));
        assert_eq!(headers.transport.unwrap().udp().unwrap().destination_port, 5080);
        assert_eq!(headers.payload.slice(), b"one");
        let second = reader.next_packet().unwrap().unwrap();
        let headers = PacketHeaders::from_ip_slice(&second.data).unwrap();
        assert!(matches!(headers.net, Some(NetHeaders::Ipv6(..))));
        assert_eq!(headers.payload.slice().len(), DATAGRAM);
        assert!(reader.next_packet().is_none());
    }
}
