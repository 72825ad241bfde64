//! Passwords: hashed with Argon2id, off the runtime, and never more at once than the machine bears.
//!
//! A hash takes 19 MiB and some 20 ms of one core, by design. So there are as many places as cores, a queue of limited
//! length before them, and a limit to the wait in it: under a flood of sign-ins the service says 503 to some instead of
//! growing without bound and answering nobody. A place keeps its memory for the next hash: given back to the allocator,
//! 19 MiB would stay with each thread that ever hashed.
//!
//! One password has several forms in bytes: a keyboard sends `ü` as one code point or as two. What is hashed is its
//! [`opaque_string`]. Hashes of before were made from the bytes as they came, so a text whose bytes differ from its opaque
//! string is compared in both forms, always in both: the cost depends on what was typed, and not on the account.
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use argon2::password_hash::PasswordVerifier;
use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use axum::http::StatusCode;
use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::CodePointMapData;
use icu_properties::props::GeneralCategory;
use subtle::ConstantTimeEq;
use tokio::sync::{Semaphore, TryAcquireError};

use crate::core::api::errors::Error;

/// Memory of one hash, in KiB: 19 MiB (OWASP Password Storage Cheat Sheet, Argon2id).
const MEMORY: u32 = 19 * 1024;
/// Passes over the memory, from the same source.
const PASSES: u32 = 2;
/// Lanes of one hash, from the same source.
const LANES: u32 = 1;
/// Length of a salt and of a hash, in bytes, from RFC 9106.
const SALT: usize = 16;
const OUTPUT: usize = 32;
/// How many may wait for a place.
const QUEUE: usize = 64;
/// How long a request waits for a place.
const WAIT: Duration = Duration::from_secs(2);

/// The form of a password that is hashed: `OpaqueString` of RFC 8265 (section 4.2.2), every kind of blank as the ASCII one
/// and the rest in NFC; case and width stay. The code points that its base class excludes are accepted, because NIST SP
/// 800-63B (section 3.1.1.2) wants what people choose accepted, and some chose theirs before there was this rule.
pub fn opaque_string(password: &str) -> String {
    let categories = CodePointMapData::<GeneralCategory>::new();
    let blank = |c| if categories.get(c) == GeneralCategory::SpaceSeparator { ' ' } else { c };
    ComposingNormalizerBorrowed::new_nfc().normalize_iter(password.chars().map(blank)).collect()
}

/// Whether two texts are one password.
pub fn is_same_password(one: &str, other: &str) -> bool {
    opaque_string(one) == opaque_string(other)
}

/// What came of the comparison of a password with a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordCheck {
    Wrong,
    Right,
    /// It is the password, and its hash is to be made anew: of its opaque string, with today's parameters.
    RightButStale,
}

impl PasswordCheck {
    /// Whether it is the password.
    pub fn is_right(self) -> bool {
        self != Self::Wrong
    }
}

/// Makes hashes with today's parameters, in memory that is used again.
#[derive(Clone)]
struct Hasher {
    argon2: Argon2<'static>,
    /// Memory of places where no hash is being made; at most as many as there are places.
    memory: Arc<Mutex<Vec<Vec<Block>>>>,
    #[cfg(test)]
    made: Arc<std::sync::atomic::AtomicU32>,
}

impl Hasher {
    fn output(&self, password: &[u8], salt: &[u8]) -> anyhow::Result<[u8; OUTPUT]> {
        let free = || self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = free().pop();
        let mut blocks = kept.unwrap_or_else(|| vec![Block::default(); self.argon2.params().block_count()]);
        let mut output = [0; OUTPUT];
        let made = self.argon2.hash_password_into_with_memory(password, salt, &mut output, &mut blocks);
        free().push(blocks);
        #[cfg(test)]
        self.made.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        made.map(|()| output).map_err(|cause| anyhow::anyhow!("argon2: {cause}"))
    }

    fn hash(&self, password: &[u8]) -> anyhow::Result<String> {
        let salt = rand::random::<[u8; SALT]>();
        let output = self.output(password, &salt)?;
        let refused = |cause| anyhow::anyhow!("argon2: {cause}");
        let hash = PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(self.argon2.params()).map_err(|cause| anyhow::anyhow!("argon2: {cause}"))?,
            salt: Some(Salt::new(&salt).map_err(refused)?),
            hash: Some(Output::new(&output).map_err(refused)?),
        };
        Ok(hash.to_string())
    }

    fn verify(&self, password: &[u8], hash: &PasswordHash) -> anyhow::Result<bool> {
        match (&hash.salt, &hash.hash) {
            (Some(salt), Some(output)) if self.is_todays(hash) && output.len() == OUTPUT => {
                let made = self.output(password, salt)?;
                Ok(bool::from(made.ct_eq(output.as_ref())))
            }
            // Other parameters need memory of another size; at sign-in the hash is replaced.
            _ => Ok(self.argon2.verify_password(password, hash).is_ok()),
        }
    }

    fn is_todays(&self, hash: &PasswordHash) -> bool {
        let cost = |params: &Params| (params.m_cost(), params.t_cost(), params.p_cost());
        let params = Params::try_from(hash).ok().filter(|_| hash.algorithm == Algorithm::Argon2id.ident());
        params.is_some_and(|params| cost(&params) == cost(self.argon2.params()))
    }
}

/// Hashes passwords and compares them.
pub struct Passwords {
    hasher: Hasher,
    /// One per core; held while a hash is made.
    pub places: Arc<Semaphore>,
    /// Places and queue together; held from the beginning of the wait.
    admitted: Arc<Semaphore>,
    /// The hash of a random password, compared with where there is no account.
    dummy: String,
}

impl Passwords {
    /// A hasher with as many places as the machine has cores.
    pub fn new() -> anyhow::Result<Self> {
        let params = Params::new(MEMORY, PASSES, LANES, None).map_err(|cause| anyhow::anyhow!("argon2: {cause}"))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let cores = std::thread::available_parallelism()?.get();
        let hasher = Hasher {
            argon2,
            memory: Arc::default(),
            #[cfg(test)]
            made: Arc::default(),
        };
        let dummy = hasher.hash(&rand::random::<[u8; 32]>())?;
        Ok(Self {
            hasher,
            places: Arc::new(Semaphore::new(cores)),
            admitted: Arc::new(Semaphore::new(cores + QUEUE)),
            dummy,
        })
    }

    /// The hash of a password, as a PHC string with a salt of its own.
    pub async fn hash(&self, password: &str) -> Result<String, Error> {
        let (hasher, password) = (self.hasher.clone(), opaque_string(password));
        self.work(move || hasher.hash(password.as_bytes())).await
    }

    /// Whether it is the password behind a hash. Without a hash, for an account that does not exist, and for a hash of
    /// another kind the answer is no and costs as much.
    pub async fn verify(&self, password: &str, hash: Option<&str>) -> Result<PasswordCheck, Error> {
        let hasher = self.hasher.clone();
        let opaque = opaque_string(password);
        let given = (opaque != password).then(|| password.to_owned());
        let known = hash.filter(|hash| PasswordHash::new(hash).is_ok());
        let (is_known, hash) = (known.is_some(), known.unwrap_or(&self.dummy).to_owned());
        self.work(move || {
            let hash = PasswordHash::new(&hash).map_err(|cause| anyhow::anyhow!("a stored hash: {cause}"))?;
            let is_opaque = hasher.verify(opaque.as_bytes(), &hash)?;
            let is_given = given.map_or(Ok(false), |given| hasher.verify(given.as_bytes(), &hash))?;
            Ok(match (is_opaque, is_given) {
                _ if !is_known => PasswordCheck::Wrong,
                (true, _) if hasher.is_todays(&hash) => PasswordCheck::Right,
                (false, false) => PasswordCheck::Wrong,
                _ => PasswordCheck::RightButStale,
            })
        })
        .await
    }

    /// How many hashes were made, whether to store or to compare them.
    #[cfg(test)]
    pub fn hashes(&self) -> u32 {
        self.hasher.made.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// How many pieces of memory for hashes there are.
    #[cfg(test)]
    pub fn memory(&self) -> usize {
        self.hasher.memory.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    async fn work<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        let busy = || Error::Refused(StatusCode::SERVICE_UNAVAILABLE, "Too many passwords to check at the moment");
        let admitted = match Arc::clone(&self.admitted).try_acquire_owned() {
            Ok(admitted) => admitted,
            Err(TryAcquireError::NoPermits | TryAcquireError::Closed) => return Err(busy()),
        };
        let place = tokio::time::timeout(WAIT, Arc::clone(&self.places).acquire_owned());
        let Ok(Ok(place)) = place.await else { return Err(busy()) };
        // The place belongs to the work, not to the request: a client that leaves does not end a hash that has begun.
        let done = tokio::task::spawn_blocking(move || {
            let _held = (admitted, place);
            job()
        });
        Ok(done.await.map_err(anyhow::Error::from)??)
    }
}

#[cfg(test)]
mod tests {
    use argon2::password_hash::PasswordHasher;

    use super::*;

    fn status(error: &Error) -> u16 {
        let Error::Refused(status, _) = error else { panic!("{error:?}") };
        status.as_u16()
    }

    #[tokio::test]
    async fn a_password_is_known_by_its_hash_and_no_other_is() {
        let passwords = Passwords::new().unwrap();
        let hash = passwords.hash("correct horse").await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(hash, passwords.hash("correct horse").await.unwrap(), "each hash has its own salt");
        assert_eq!(passwords.verify("correct horse", Some(&hash)).await.unwrap(), PasswordCheck::Right);
        let parsed = PasswordHash::new(&hash).unwrap();
        Argon2::default().verify_password(b"correct horse", &parsed).expect("the library reads what is made here");
        assert_eq!(passwords.hasher.memory.lock().unwrap().len(), 1, "one after the other uses the same memory");
        assert_eq!(passwords.verify("Correct horse", Some(&hash)).await.unwrap(), PasswordCheck::Wrong);
        let bcrypt = "$2b$12$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW";
        for nobodys in [None, Some(bcrypt), Some("")] {
            assert_eq!(passwords.verify("secret", nobodys).await.unwrap(), PasswordCheck::Wrong);
        }
    }

    #[tokio::test]
    async fn hashes_of_other_parameters_are_stale() {
        let passwords = Passwords::new().unwrap();
        for (algorithm, memory) in [(Algorithm::Argon2id, 1024), (Algorithm::Argon2i, MEMORY)] {
            let params = Params::new(memory, PASSES, LANES, None).unwrap();
            let other = Argon2::new(algorithm, Version::V0x13, params);
            let hash: PasswordHash = other.hash_password(b"correct horse").unwrap();
            let hash = hash.to_string();
            let check = async |password| passwords.verify(password, Some(&hash)).await.unwrap();
            assert_eq!(check("correct horse").await, PasswordCheck::RightButStale, "and yet it is the password");
            assert_eq!(check("wrong horse").await, PasswordCheck::Wrong);
        }
    }

    /// One machine sends an umlaut as one code point, another one as two.
    #[tokio::test]
    async fn a_password_is_the_same_in_each_form_of_its_letters() {
        let (composed, decomposed) = ("gr\u{fc}ne \u{c4}pfel", "gru\u{308}ne A\u{308}pfel");
        let blank = "gr\u{fc}ne\u{a0}\u{c4}pfel";
        let passwords = Passwords::new().unwrap();
        for chosen in [composed, decomposed, blank] {
            let hash = passwords.hash(chosen).await.unwrap();
            for typed in [composed, decomposed, blank] {
                let check = passwords.verify(typed, Some(&hash)).await.unwrap();
                assert_eq!(check, PasswordCheck::Right, "{chosen:?}, {typed:?}");
            }
            for other in ["GR\u{dc}NE \u{c4}PFEL", "grune Apfel", "gr\u{fc}ne \u{c4}pfel "] {
                assert_eq!(passwords.verify(other, Some(&hash)).await.unwrap(), PasswordCheck::Wrong, "{other:?}");
            }
        }
        assert_eq!(opaque_string("\u{ff21}\u{3000}\tz"), "\u{ff21} \tz", "width, tabs and case stay");
        assert!(is_same_password(composed, decomposed) && !is_same_password(composed, "x"));
    }

    #[tokio::test]
    async fn a_hash_of_bytes_that_were_not_normalised_is_right_but_stale_and_costs_the_same_as_none() {
        let passwords = Passwords::new().unwrap();
        let (composed, decomposed) = ("gr\u{fc}n wie Gras", "gru\u{308}n wie Gras");
        let old = passwords.hasher.hash(decomposed.as_bytes()).unwrap();
        let fresh = passwords.hash(composed).await.unwrap();
        let check = async |password, hash| {
            let before = passwords.hashes();
            let check = passwords.verify(password, hash).await.unwrap();
            (check, passwords.hashes() - before)
        };
        assert_eq!(check(decomposed, Some(old.as_str())).await, (PasswordCheck::RightButStale, 2));
        assert_eq!(check(decomposed, Some(fresh.as_str())).await, (PasswordCheck::Right, 2));
        assert_eq!(check(decomposed, None).await, (PasswordCheck::Wrong, 2), "an account that does not exist");
        assert_eq!(check(composed, Some(fresh.as_str())).await, (PasswordCheck::Right, 1));
        assert_eq!(check(composed, None).await, (PasswordCheck::Wrong, 1));
    }

    #[tokio::test]
    async fn the_queue_has_an_end_and_so_has_the_wait_in_it() {
        let passwords = Passwords::new().unwrap();
        let cores = passwords.places.available_permits();
        let taken = Arc::clone(&passwords.places).acquire_many_owned(u32::try_from(cores).unwrap()).await.unwrap();
        let mut waiting = passwords.admitted.available_permits();
        assert_eq!(waiting, cores + QUEUE);
        let queue: Vec<_> = std::iter::from_fn(|| {
            waiting = waiting.checked_sub(1)?;
            Arc::clone(&passwords.admitted).try_acquire_owned().ok()
        })
        .collect();
        assert_eq!(queue.len(), cores + QUEUE);
        assert_eq!(status(&passwords.hash("correct horse").await.unwrap_err()), 503, "the queue is full");
        drop(queue);
        assert_eq!(status(&passwords.hash("correct horse").await.unwrap_err()), 503, "nobody left in time");
        drop(taken);
        assert!(passwords.hash("correct horse").await.is_ok());
    }
}
