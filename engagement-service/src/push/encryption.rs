//! The encryption of a message for a browser (RFC 8291): only the browser reads it, and the push service on the way does not.
//!
//! The two sides agree on a secret by Diffie-Hellman on P-256, with a key of ours that is made for this one message. From it,
//! and from the browser's secret, HKDF derives the key of one record of `aes128gcm` (RFC 8188), whose header brings our public
//! key and a random salt.
use hkdf::Hkdf;
use p256::elliptic_curve::rand_core::OsRng;
use p256::elliptic_curve::sec1::ToEncodedPoint;
use p256::{PublicKey, SecretKey};
use rand::Rng;
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use sha2::Sha256;

/// The size that the record claims, in bytes; the message is its only one, and no push service has to take a larger one (RFC
/// 8030, section 7.2).
const RECORD_SIZE: u32 = 4_096;
/// What ends the last record before its padding (RFC 8188, section 2).
const LAST_RECORD: u8 = 2;
/// Why the encryption is impossible.
const FAILED: &str = "the message cannot be encrypted for this subscription";

/// The body of a request that brings a message to a browser with that public key and secret.
pub fn encrypt(message: &[u8], p256dh: &[u8], auth: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut salt = [0; 16];
    rand::rng().fill_bytes(&mut salt);
    encrypt_with(&SecretKey::random(&mut OsRng), salt, message, p256dh, auth)
}

/// The same with a key and a salt, which must never be used twice.
pub fn encrypt_with(
    ours: &SecretKey,
    salt: [u8; 16],
    message: &[u8],
    p256dh: &[u8],
    auth: &[u8],
) -> anyhow::Result<Vec<u8>> {
    let theirs = PublicKey::from_sec1_bytes(p256dh)?;
    let shared = p256::ecdh::diffie_hellman(ours.to_nonzero_scalar(), theirs.as_affine());
    let our_point = ours.public_key().to_encoded_point(false);
    let (key, nonce) = derive(shared.raw_secret_bytes(), auth, p256dh, our_point.as_bytes(), salt)?;

    let mut record = [message, &[LAST_RECORD]].concat();
    let key = UnboundKey::new(&AES_128_GCM, &key).map_err(|_| anyhow::anyhow!(FAILED))?;
    let nonce = Nonce::assume_unique_for_key(nonce);
    let sealed = LessSafeKey::new(key).seal_in_place_append_tag(nonce, Aad::empty(), &mut record);
    sealed.map_err(|_| anyhow::anyhow!(FAILED))?;

    let id_length = u8::try_from(our_point.len())?;
    Ok([&salt[..], &RECORD_SIZE.to_be_bytes(), &[id_length], our_point.as_bytes(), &record].concat())
}

/// The key and the nonce of the record (RFC 8291, section 3.4).
pub fn derive(
    shared: &[u8],
    auth: &[u8],
    browsers: &[u8],
    ours: &[u8],
    salt: [u8; 16],
) -> anyhow::Result<([u8; 16], [u8; 12])> {
    let (mut input, mut key, mut nonce) = ([0; 32], [0; 16], [0; 12]);
    let expand = |hkdf: Hkdf<Sha256>, info: &[u8], output: &mut [u8]| {
        hkdf.expand(info, output).map_err(|_| anyhow::anyhow!(FAILED))
    };
    expand(Hkdf::new(Some(auth), shared), &[b"WebPush: info\0", browsers, ours].concat(), &mut input)?;
    expand(Hkdf::new(Some(&salt), &input), b"Content-Encoding: aes128gcm\0", &mut key)?;
    expand(Hkdf::new(Some(&salt), &input), b"Content-Encoding: nonce\0", &mut nonce)?;
    Ok((key, nonce))
}
