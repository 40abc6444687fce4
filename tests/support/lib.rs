//! What the tests share: real nodes on free ports, SIPp with sounds of our own, and ears.

pub mod arrival;
pub mod asterisk;
pub mod baresip;
pub mod dns;
pub mod exchange;
pub mod kamailio;
pub mod node;
pub mod page;
pub mod pcap;
pub mod peer;
pub mod port;
pub mod scene;
pub mod sipp;
pub mod sound;
pub mod stage;
pub mod stamp;
pub mod wave;
pub mod wiretap;
