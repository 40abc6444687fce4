//! One cipher with the session keys of one direction and one use, drawn from a master key.

use std::slice;

use aes::{
    Aes128Enc, Aes256Enc,
    cipher::{
        BlockCipherEncBackend, BlockCipherEncClosure, BlockCipherEncrypt, BlockSizeUser, Key,
        KeyInit, consts::U16,
    },
};
use aes_gcm::{
    AesGcm,
    aead::{AeadInOut, array::Array, consts::U12, inout::InOutBuf},
};
use ctutils::CtEq;
use sha1::block_api::compress;
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

/// A packet in a cipher's hands, without its tag: its head is authenticated and stays readable, what
/// follows is encrypted in place.
pub(crate) struct Covered<'a> {
    pub(crate) which: Which,
    /// Octets of the head.
    pub(crate) head: usize,
    pub(crate) packet: &'a mut [u8],
    pub(crate) beside: Beside,
}

impl Covered<'_> {
    fn body(&mut self) -> Option<&mut [u8]> {
        self.packet.get_mut(self.head..)
    }
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
fn add_key_stream<C: Aes>(aes: &C, first: u128, octets: &mut [u8]) {
    aes.encrypt_with_backend(KeyStream { first, octets });
}

/// What AES does for a packet, inside of what it knows of the processor: that is looked up once, and no
/// room is made for a longer row of blocks than a packet of speech has.
struct KeyStream<'a> {
    first: u128,
    octets: &'a mut [u8],
}

impl BlockSizeUser for KeyStream<'_> {
    type BlockSize = U16;
}

impl BlockCipherEncClosure for KeyStream<'_> {
    // By itself it would be compiled for every processor, and AES be called for each block.
    #[inline(always)]
    fn call<B: BlockCipherEncBackend<BlockSize = U16>>(self, aes: &B) {
        let block = |count: u128| {
            let mut block = Array::from(count.to_be_bytes());
            aes.encrypt_block_inplace(&mut block);
            block.0
        };
        let (whole, rest) = self.octets.as_chunks_mut::<BLOCK>();
        let mut count = self.first;
        for octets in whole {
            let sum = u128::from_ne_bytes(*octets) ^ u128::from_ne_bytes(block(count));
            *octets = sum.to_ne_bytes();
            count = count.wrapping_add(1);
        }
        if !rest.is_empty() {
            rest.iter_mut().zip(block(count)).for_each(|(octet, key)| *octet ^= key);
        }
    }
}

/// Some octets, followed by zeros, as the number that a block of AES is.
fn number(octets: &[u8]) -> Zeroizing<u128> {
    let mut block = Zeroizing::new([0; BLOCK]);
    block.iter_mut().zip(octets).for_each(|(to, from)| *to = *from);
    Zeroizing::new(u128::from_be_bytes(*block))
}

/// The key derivation of RFC 3711 §4.3, with the rate 0: AES in counter mode under the master key, which
/// begins at the master salt and a label. A salt of 96 bits is followed by zeros (RFC 7714 §11).
struct Derivation<C> {
    aes: C,
    salt: Zeroizing<u128>,
}

impl<C: Aes> Derivation<C> {
    fn of(key: &MasterKey) -> Self {
        let (octets, salt) = key.parts();
        Self { aes: C::keyed(octets), salt: number(salt) }
    }

    fn draw<const N: usize>(&self, label: u8) -> Zeroizing<[u8; N]> {
        let mut drawn = Zeroizing::new([0; N]);
        add_key_stream(&self.aes, *self.salt ^ (u128::from(label) << 64), &mut *drawn);
        drawn
    }
}

/// Lays source and index over a salt, in front of so many bits that count blocks (RFC 3711 §4.1.1,
/// RFC 7714 §8.1 and §9.1: the two are the same but for these).
fn lay_over(salt: u128, (ssrc, index): Which, behind: u32) -> u128 {
    salt ^ (((u128::from(ssrc) << 48) | u128::from(index)) << behind)
}

/// HMAC-SHA1 (RFC 2104). What its key makes of SHA-1, inside and outside, is made once: a packet costs no
/// block more than it is long.
struct Authentication {
    inside: Zeroizing<Hash>,
    outside: Zeroizing<Hash>,
}

/// What SHA-1 has made of the blocks so far.
type Hash = [u32; 5];
/// Of none (FIPS 180-4 §5.3.1).
const NONE: Hash = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
/// Octets of its block.
const SHA_BLOCK: usize = 64;
/// Octets of what it makes.
const SHA_OUT: usize = 20;

impl Authentication {
    fn new(key: &[u8; AUTH_KEY]) -> Self {
        let keyed = |pad: u8| {
            let mut block = Zeroizing::new([pad; SHA_BLOCK]);
            block.iter_mut().zip(key).for_each(|(octet, key)| *octet ^= key);
            let mut hash = Zeroizing::new(NONE);
            compress(&mut hash, slice::from_ref(&*block));
            hash
        };
        Self { inside: keyed(0x36), outside: keyed(0x5c) }
    }

    /// The tag of a packet with what stands beside it; a suite uses its beginning.
    fn tag(&self, packet: &[u8], beside: Beside) -> Option<[u8; SHA_OUT]> {
        let (blocks, rest) = packet.as_chunks();
        let (mut hash, beside) = (*self.inside, beside.octets());
        compress(&mut hash, blocks);
        let octets = SHA_BLOCK + packet.len() + beside.len();
        let made = end(hash, (rest, &beside), octets)?;
        end(*self.outside, (&made, &[]), SHA_BLOCK + SHA_OUT)
    }
}

/// SHA-1 of a message of so many octets, of which all is in `hash` but these two parts: less than a block,
/// and a few (FIPS 180-4 §5.1.1).
#[inline]
fn end(mut hash: Hash, (rest, last): (&[u8], &[u8]), octets: usize) -> Option<[u8; SHA_OUT]> {
    let mut blocks = [[0; SHA_BLOCK]; 2];
    let (place, behind) = blocks.as_flattened_mut().split_at_mut_checked(rest.len())?;
    place.copy_from_slice(rest);
    let (place, behind) = behind.split_at_mut_checked(last.len())?;
    place.copy_from_slice(last);
    *behind.first_mut()? = 0x80;
    let fits = rest.len() + last.len() + 1 + size_of::<u64>() <= SHA_BLOCK;
    let blocks = blocks.get_mut(..if fits { 1 } else { 2 })?;
    *blocks.as_flattened_mut().last_chunk_mut()? = (octets as u64 * 8).to_be_bytes();
    compress(&mut hash, blocks);
    let mut made = [0; SHA_OUT];
    let words = made.as_chunks_mut().0.iter_mut().zip(hash);
    words.for_each(|(octets, word)| *octets = word.to_be_bytes());
    Some(made)
}

/// AES in counter mode with HMAC-SHA1 (RFC 3711 §4.1.1, §4.2.1).
struct Counter<C> {
    aes: C,
    authentication: Authentication,
    salt: Zeroizing<u128>,
}

impl<C: Aes> Counter<C> {
    fn new(derivation: &Derivation<C>, is_for: Use) -> Self {
        let (encryption, authentication, salt) = is_for.labels();
        Self {
            aes: C::keyed(&*derivation.draw::<32>(encryption)),
            authentication: Authentication::new(&derivation.draw(authentication)),
            salt: number(&*derivation.draw::<14>(salt)),
        }
    }

    fn turn(&self, packet: &mut Covered<'_>) -> Option<()> {
        let first = lay_over(*self.salt, packet.which, 16);
        add_key_stream(&self.aes, first, packet.body()?);
        Some(())
    }
}

impl<C: Aes> Cipher for Counter<C> {
    fn seal(&self, mut packet: Covered<'_>) -> Option<[u8; LONGEST_TAG]> {
        self.turn(&mut packet)?;
        self.authentication.tag(packet.packet, packet.beside)?.first_chunk().copied()
    }

    fn open(&self, mut packet: Covered<'_>, tag: &[u8]) -> bool {
        let made = self.authentication.tag(packet.packet, packet.beside);
        let made = made.as_ref().and_then(|made| made.get(..tag.len()));
        let right = made.is_some_and(|made| !tag.is_empty() && made.ct_eq(tag).into());
        right && self.turn(&mut packet).is_some()
    }
}

/// AES in Galois/counter mode (RFC 7714).
struct Galois<C> {
    gcm: AesGcm<C, U12>,
    salt: Zeroizing<u128>,
}

impl<C: Aes> Galois<C> {
    fn new(derivation: &Derivation<C>, is_for: Use) -> Self {
        let (encryption, _, salt) = is_for.labels();
        let aes = C::keyed(&*derivation.draw::<32>(encryption));
        Self { gcm: AesGcm::from(aes), salt: number(&*derivation.draw::<12>(salt)) }
    }

    fn nonce(&self, which: Which) -> Array<u8, U12> {
        let [nonce @ .., _, _, _, _] = lay_over(*self.salt, which, 32).to_be_bytes();
        nonce.into()
    }
}

impl<C: Aes> Cipher for Galois<C> {
    fn seal(&self, packet: Covered<'_>) -> Option<[u8; LONGEST_TAG]> {
        let Covered { which, head, packet, beside } = packet;
        let (head, body) = packet.split_at_mut_checked(head)?;
        let mut room = [0; REPORT_HEAD];
        let data = joined(head, beside, &mut room);
        let sealed = self.gcm.encrypt_inout_detached(&self.nonce(which), data, body.into());
        sealed.ok().map(Into::into)
    }

    fn open(&self, packet: Covered<'_>, tag: &[u8]) -> bool {
        let Covered { which, head, packet, beside } = packet;
        let Some((head, body)) = packet.split_at_mut_checked(head) else {
            return false;
        };
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
        let salt = number(&hex::<14>("F0F1F2F3F4F5F6F7F8F9FAFBFCFD"));
        let mut stream = [0; 48];
        add_key_stream(&aes, lay_over(*salt, (0, 0), 16), &mut stream);
        let right = "E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB
                     41E95B3BB0A2E8DD477901E4FCA894C0";
        assert_eq!(stream, hex(right));
    }

    #[test]
    fn tags_are_those_of_rfc_2202_3() {
        let tag = |key: u8, text: &[u8]| {
            let (packet, beside) = text.split_last_chunk().unwrap();
            let beside = Beside::Index(u32::from_be_bytes(*beside));
            Authentication::new(&[key; AUTH_KEY]).tag(packet, beside).unwrap()
        };
        assert_eq!(tag(0x0b, b"Hi There"), hex("b617318655057264e28bc0b6fb378c8ef146be00"));
        assert_eq!(tag(0xaa, &[0xdd; 50]), hex("125d7342b9ac11cd91a39af48aa17b4f63f175d3"));
    }

    const HEAD: &str = "8040f17b 8041f8d3 5501a0b2";
    const TEXT: &[u8; 38] = b"Gallia est omnis divisa in partes tres";
    const WHICH: Which = (0x5501_a0b2, 0xf17b);

    fn galois<C: Aes>(key: &[u8], sealed: [u8; 54]) {
        let salt = number(&hex::<12>("517569642070726f2071756f"));
        let cipher = Galois { gcm: AesGcm::from(C::keyed(key)), salt };
        let mut packet = [&hex::<12>(HEAD)[..], TEXT].concat();
        fn covered(which: Which, packet: &mut [u8]) -> Covered<'_> {
            Covered { which, head: 12, packet, beside: Beside::Round(0) }
        }
        let tag = cipher.seal(covered(WHICH, &mut packet)).unwrap();
        assert_eq!([&packet[12..], &tag].concat(), sealed);
        assert!(!cipher.open(covered((1, 0xf17b), &mut packet), &tag));
        assert_eq!(packet[12..], sealed[..38], "what is not authentic stays as it is");
        assert!(cipher.open(covered(WHICH, &mut packet), &tag));
        assert_eq!(&packet[12..], TEXT);
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
