//! One cipher with the session keys of one direction and one use, drawn from a master key.

use aes::{Aes128Enc, Aes256Enc};
use aes_gcm::{
    AesGcm,
    aead::{AeadInOut, array::Array, consts::U12, inout::InOutBuf},
};
use ctr::{
    CtrCore,
    cipher::{
        BlockCipherEncrypt, BlockSizeUser, InnerIvInit, Key, StreamCipher, StreamCipherCoreWrapper,
        consts::U16,
    },
    flavors::Ctr128BE,
};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use zeroize::{Zeroize, Zeroizing};

use super::key::{MasterKey, Suite};

/// Octets of the longest tag.
pub(crate) const LONGEST_TAG: usize = 16;
/// Octets of the key of HMAC-SHA1 (RFC 3711 §5.2).
const AUTH_KEY: usize = 20;
/// Octets of a block of AES.
const BLOCK: usize = 16;
/// Octets that are authenticated of a report beside its ciphertext: its head and its index.
const REPORT_HEAD: usize = 12;

/// What session keys are for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Use {
    /// RTP.
    Sound,
    /// RTCP.
    Reports,
}

impl Use {
    /// The labels of the keys of encryption, of authentication, and of the salt (RFC 3711 §4.3.2).
    const fn labels(self) -> (u8, u8, u8) {
        match self {
            Self::Sound => (0, 1, 2),
            Self::Reports => (3, 4, 5),
        }
    }
}

/// Which packet of which source: synchronisation source and index.
pub(crate) type Which = (u32, u64);

/// What is authenticated beside head and body of a packet.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Beside {
    /// How often the sequence number of an RTP packet has gone round; the packet does not say it.
    Round(u32),
    /// The word behind a report with its index.
    Index(u32),
}

impl Beside {
    const fn octets(self) -> [u8; 4] {
        match self {
            Self::Round(word) | Self::Index(word) => word.to_be_bytes(),
        }
    }
}

/// A packet in a cipher's hands: its head is authenticated and stays readable, its body is encrypted in
/// place.
pub(crate) struct Covered<'a> {
    pub(crate) which: Which,
    pub(crate) head: &'a [u8],
    pub(crate) body: &'a mut [u8],
    pub(crate) beside: Beside,
}

/// A cipher with its session keys.
pub(crate) trait Cipher: Send {
    /// Encrypts the body and makes the tag, of which a suite may use the beginning only.
    fn seal(&self, packet: Covered<'_>) -> Option<[u8; LONGEST_TAG]>;

    /// Decrypts the body if the tag is right; else it stays as it is.
    fn open(&self, packet: Covered<'_>, tag: &[u8]) -> bool;
}

/// The cipher of a master key for one use.
pub(crate) fn cipher(key: &MasterKey, is_for: Use) -> Box<dyn Cipher> {
    match key.suite() {
        Suite::AesCm128Sha1_80 | Suite::AesCm128Sha1_32 => {
            Box::new(Counter::<Aes128Enc>::new(&Derivation::of(key), is_for))
        }
        Suite::AesCm256Sha1_80 | Suite::AesCm256Sha1_32 => {
            Box::new(Counter::<Aes256Enc>::new(&Derivation::of(key), is_for))
        }
        Suite::AesGcm128 => Box::new(Galois::<Aes128Enc>::new(&Derivation::of(key), is_for)),
        Suite::AesGcm256 => Box::new(Galois::<Aes256Enc>::new(&Derivation::of(key), is_for)),
    }
}

/// AES with a key of either length.
trait Aes: BlockSizeUser<BlockSize = U16> + BlockCipherEncrypt + KeyInit + Send {
    /// From the beginning of some octets, of which there are enough.
    fn keyed(octets: &[u8]) -> Self {
        let mut key = Key::<Self>::default();
        key.iter_mut().zip(octets).for_each(|(to, from)| *to = *from);
        let aes = Self::new(&key);
        key.as_mut_slice().zeroize();
        aes
    }
}

impl Aes for Aes128Enc {}
impl Aes for Aes256Enc {}

/// Adds the key stream that begins with this block.
fn add_key_stream<C: Aes>(aes: &C, first: [u8; BLOCK], octets: &mut [u8]) {
    let core = CtrCore::<&C, Ctr128BE>::inner_iv_init(aes, &first.into());
    StreamCipherCoreWrapper::from_core(core).apply_keystream(octets);
}

/// The key derivation of RFC 3711 §4.3, with the rate 0: AES in counter mode under the master key, which
/// begins at the master salt and a label. A salt of 96 bits is followed by zeros (RFC 7714 §11).
struct Derivation<C> {
    aes: C,
    salt: Zeroizing<[u8; BLOCK]>,
}

impl<C: Aes> Derivation<C> {
    fn of(key: &MasterKey) -> Self {
        let (octets, from) = key.parts();
        let mut salt = Zeroizing::new([0; BLOCK]);
        salt.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
        Self { aes: C::keyed(octets), salt }
    }

    fn draw<const N: usize>(&self, label: u8) -> Zeroizing<[u8; N]> {
        let mut first = *self.salt;
        first[7] ^= label;
        let mut drawn = Zeroizing::new([0; N]);
        add_key_stream(&self.aes, first, &mut *drawn);
        drawn
    }
}

/// Lays source and index over a salt, six octets from its end or, in counter mode, from the end of what
/// counts packets (RFC 3711 §4.1.1, RFC 7714 §8.1 and §9.1: the two are the same but for the length).
fn lay_over<const N: usize>(salt: &[u8], (ssrc, index): Which, end: usize) -> [u8; N] {
    let mut laid = [0; N];
    laid.iter_mut().zip(salt).for_each(|(to, from)| *to = *from);
    let [_, _, index @ ..] = index.to_be_bytes();
    let octets = ssrc.to_be_bytes().into_iter().chain(index);
    laid.iter_mut().skip(end - 10).zip(octets).for_each(|(to, octet)| *to ^= octet);
    laid
}

/// AES in counter mode with HMAC-SHA1 (RFC 3711 §4.1.1, §4.2.1).
struct Counter<C> {
    aes: C,
    mac: Hmac<Sha1>,
    salt: Zeroizing<[u8; 14]>,
}

impl<C: Aes> Counter<C> {
    fn new(derivation: &Derivation<C>, is_for: Use) -> Self {
        let (encryption, authentication, salt) = is_for.labels();
        let aes = C::keyed(&*derivation.draw::<32>(encryption));
        // HMAC fills a short key up with zeros.
        let mut key = Key::<Hmac<Sha1>>::default();
        let drawn = derivation.draw::<AUTH_KEY>(authentication);
        key.iter_mut().zip(drawn.iter()).for_each(|(to, from)| *to = *from);
        let mac = Hmac::new(&key);
        key.as_mut_slice().zeroize();
        Self { aes, mac, salt: derivation.draw(salt) }
    }

    fn authenticated(&self, packet: &Covered<'_>) -> Hmac<Sha1> {
        let mut mac = self.mac.clone();
        mac.update(packet.head);
        mac.update(packet.body);
        mac.update(&packet.beside.octets());
        mac
    }

    fn turn(&self, packet: &mut Covered<'_>) {
        add_key_stream(&self.aes, lay_over(&*self.salt, packet.which, 14), packet.body);
    }
}

impl<C: Aes> Cipher for Counter<C> {
    fn seal(&self, mut packet: Covered<'_>) -> Option<[u8; LONGEST_TAG]> {
        self.turn(&mut packet);
        let made = self.authenticated(&packet).finalize().into_bytes();
        made.first_chunk().copied()
    }

    fn open(&self, mut packet: Covered<'_>, tag: &[u8]) -> bool {
        let right = self.authenticated(&packet).verify_truncated_left(tag).is_ok();
        if right {
            self.turn(&mut packet);
        }
        right
    }
}

/// AES in Galois/counter mode (RFC 7714).
struct Galois<C> {
    gcm: AesGcm<C, U12>,
    salt: Zeroizing<[u8; 12]>,
}

impl<C: Aes> Galois<C> {
    fn new(derivation: &Derivation<C>, is_for: Use) -> Self {
        let (encryption, _, salt) = is_for.labels();
        let aes = C::keyed(&*derivation.draw::<32>(encryption));
        Self { gcm: AesGcm::from(aes), salt: derivation.draw(salt) }
    }

    fn nonce(&self, which: Which) -> Array<u8, U12> {
        lay_over::<12>(&*self.salt, which, 12).into()
    }
}

impl<C: Aes> Cipher for Galois<C> {
    fn seal(&self, packet: Covered<'_>) -> Option<[u8; LONGEST_TAG]> {
        let Covered { which, head, body, beside } = packet;
        let mut room = [0; REPORT_HEAD];
        let data = joined(head, beside, &mut room);
        let sealed = self.gcm.encrypt_inout_detached(&self.nonce(which), data, body.into());
        sealed.ok().map(Into::into)
    }

    fn open(&self, packet: Covered<'_>, tag: &[u8]) -> bool {
        let Covered { which, head, body, beside } = packet;
        let mut room = [0; REPORT_HEAD];
        let data = joined(head, beside, &mut room);
        <&Array<u8, U16>>::try_from(tag).is_ok_and(|tag| {
            let body = InOutBuf::from(body);
            self.gcm.decrypt_inout_detached(&self.nonce(which), data, body, tag).is_ok()
        })
    }
}

/// The associated data: of a report its head and its index in one (RFC 7714 §9.2), of an RTP packet the
/// head alone, because its round is in the nonce (§8.2).
fn joined<'a>(head: &'a [u8], beside: Beside, room: &'a mut [u8; REPORT_HEAD]) -> &'a [u8] {
    match beside {
        Beside::Round(_) => head,
        Beside::Index(word) => {
            let both = head.iter().copied().chain(word.to_be_bytes());
            room.iter_mut().zip(both).for_each(|(to, from)| *to = from);
            room
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex<const N: usize>(text: &str) -> [u8; N] {
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
        let octet = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16);
        let octets: Vec<u8> = digits.chunks(2).map(|pair| octet(pair).unwrap()).collect();
        octets.try_into().unwrap()
    }

    #[test]
    fn session_keys_are_drawn_as_rfc_3711_b_3_says() {
        let octets: [u8; 30] = hex("E1F97A0D3E018BE0D64FA32C06DE4139 0EC675AD498AFEEBB6960B3AABE6");
        let key = MasterKey::new(Suite::AesCm128Sha1_80, &octets, &[]).unwrap();
        let derivation = Derivation::<Aes128Enc>::of(&key);
        assert_eq!(*derivation.draw(0), hex::<16>("C61E7A93744F39EE10734AFE3FF7A087"));
        assert_eq!(*derivation.draw(2), hex::<14>("30CBBC08863D8C85D49DB34A9AE1"));
        let authentication = "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4";
        assert_eq!(*derivation.draw(1), hex::<20>(authentication));
    }

    #[test]
    fn session_keys_of_256_bits_are_drawn_as_rfc_6188_7_2_says() {
        let octets: [u8; 46] =
            hex("F0F04914B513F2763A1B1FA130F10E2998F6F6E43E4309D1E622A0E332B9F1B6
             3B04803DE51EE7C96423AB5B78D2");
        let key = MasterKey::new(Suite::AesCm256Sha1_80, &octets, &[]).unwrap();
        let derivation = Derivation::<Aes256Enc>::of(&key);
        let encryption = "5BA1064E30EC51613CAD926C5A28EF731EC7FB397F70A960653CAF06554CD8C4";
        assert_eq!(*derivation.draw(0), hex::<32>(encryption));
        assert_eq!(*derivation.draw(2), hex::<14>("FA31791685CA444A9E07C6C64E93"));
        let authentication = "FD9C32D39ED5FBB5A9DC96B30818454D1313DC05";
        assert_eq!(*derivation.draw(1), hex::<20>(authentication));
    }

    #[test]
    fn the_key_stream_is_the_one_of_rfc_3711_b_2() {
        let aes = Aes128Enc::keyed(&hex::<16>("2B7E151628AED2A6ABF7158809CF4F3C"));
        let salt: [u8; 14] = hex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD");
        let mut stream = [0; 48];
        add_key_stream(&aes, lay_over(&salt, (0, 0), 14), &mut stream);
        let right = "E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB
                     41E95B3BB0A2E8DD477901E4FCA894C0";
        assert_eq!(stream, hex(right));
    }

    const HEAD: &str = "8040f17b 8041f8d3 5501a0b2";
    const TEXT: &[u8; 38] = b"Gallia est omnis divisa in partes tres";
    const WHICH: Which = (0x5501_a0b2, 0xf17b);

    fn galois<C: Aes>(key: &[u8], sealed: [u8; 54]) {
        let salt = Zeroizing::new(hex("517569642070726f2071756f"));
        let cipher = Galois { gcm: AesGcm::from(C::keyed(key)), salt };
        let (head, mut body): ([u8; 12], _) = (hex(HEAD), *TEXT);
        let beside = Beside::Round(0);
        let tag = cipher.seal(Covered { which: WHICH, head: &head, body: &mut body, beside });
        let tag = tag.unwrap();
        assert_eq!([&body[..], &tag].concat(), sealed);
        let other = Covered { which: (1, 0xf17b), head: &head, body: &mut body, beside };
        assert!(!cipher.open(other, &tag));
        assert_eq!(body, sealed[..38], "what is not authentic stays as it is");
        assert!(cipher.open(Covered { which: WHICH, head: &head, body: &mut body, beside }, &tag));
        assert_eq!(&body, TEXT);
    }

    #[test]
    fn packets_are_sealed_as_rfc_7714_16_says() {
        let key: Vec<u8> = (0..32).collect();
        galois::<Aes128Enc>(
            &key[..16],
            hex("f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a
                 51c7d19b 36de3adf 8833899d 7f27beb1 6a9152cf 765ee439 0cce"),
        );
        galois::<Aes256Enc>(
            &key,
            hex("32b1de78 a822fe12 ef9f78fa 332e33aa b1801238 9a58e2f3 b50b2a02
                 76ffae0f 1ba63799 b87b7aa3 db36dfff d6b0f9bb 7878d7a7 6c13"),
        );
    }
}
