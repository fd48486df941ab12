//! Password hashes: argon2id, a few at a time, off the async threads.
//!
//! Work is bounded twice: two hashes at once (each takes 19 MiB and tens of milliseconds of a core),
//! and a short line before them; beyond it the answer is `busy`, so a flood of sign-ins cannot take
//! the machine from those who chat.

use argon2::password_hash::{Output, PasswordHash, Salt, SaltString};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use tokio::sync::Semaphore;
use yingke_shared::error_code::ErrorCode;

use crate::error::RelayError;
use crate::limits::{HASHES_AT_ONCE, HASHES_WAITING_MAX};

/// OWASP's first choice for argon2id: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;

/// Room that is asked for to hash in, of which only as much is touched as a hash needs. Allocators keep
/// what was freed up to a size, in each of their arenas, and give back at once what is larger: of the
/// system's that is 32 MiB.
const MEMORY_ASKED_KIB: usize = 40 * 1024;

/// A made hash to compare with when the account is unknown, so that both cases cost the same. Its
/// password is not known to anyone.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$\
    bm9ib2R5LWhhcy10aGlz$Wq0Zk0aQX0mJH8mQ1Jq1bYp5y1D2v3sJ9x1mJmJ9x1k";

/// Hashes and checks passwords.
pub struct PasswordHasher {
    running: std::sync::Arc<Semaphore>,
    /// Running and waiting together.
    admitted: std::sync::Arc<Semaphore>,
    /// On threads of their own, or on the caller's.
    threads: bool,
}

impl PasswordHasher {
    /// One that works on the caller's thread. For simulation, where nothing runs beside.
    #[must_use]
    pub fn inline() -> Self {
        Self { threads: false, ..Self::default() }
    }
}

impl Default for PasswordHasher {
    fn default() -> Self {
        Self {
            running: std::sync::Arc::new(Semaphore::new(HASHES_AT_ONCE)),
            admitted: std::sync::Arc::new(Semaphore::new(HASHES_AT_ONCE + HASHES_WAITING_MAX)),
            threads: true,
        }
    }
}

impl PasswordHasher {
    /// A PHC string of a new salt and the password.
    pub async fn hash(&self, password: String) -> Result<String, RelayError> {
        self.work(move || hash_now(&password))
            .await?
            .ok_or(RelayError::refused(ErrorCode::Internal))
    }

    /// Whether the password fits `hash`. `None` costs the same and fits nothing.
    pub async fn verify(&self, password: String, hash: Option<String>) -> Result<bool, RelayError> {
        self.work(move || {
            let fits = verify_now(&password, hash.as_deref().unwrap_or(NOBODY));
            fits && hash.is_some()
        })
        .await
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, RelayError> {
        let busy = || RelayError::later(ErrorCode::Busy, 2_000);
        let admitted = self.admitted.clone().try_acquire_owned().map_err(|_| busy())?;
        let running = self.running.clone().acquire_owned().await.map_err(|_| busy())?;
        if !self.threads {
            return Ok(work());
        }
        tokio::task::spawn_blocking(move || {
            let done = work();
            // Given back by the work itself: a caller who went away does not let others in early.
            drop((admitted, running));
            done
        })
        .await
        .map_err(|error| {
            tracing::error!(%error, "hashing a password failed");
            RelayError::refused(ErrorCode::Internal)
        })
    }
}

fn hash_now(password: &str) -> Option<String> {
    let mut salt = [0_u8; 16];
    getrandom::fill(&mut salt).ok()?;
    let salt = SaltString::encode_b64(&salt).ok()?;
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).ok()?;
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: (&params).try_into().ok()?,
        salt: Some(salt.as_salt()),
        hash: Some(output(password, salt.as_salt(), params)?),
    };
    Some(hash.to_string())
}

fn verify_now(password: &str, hash: &str) -> bool {
    let Ok(hash) = PasswordHash::new(hash) else { return false };
    let is_ours = hash.algorithm == Algorithm::Argon2id.ident()
        && hash.version == Some(Version::V0x13.into());
    let (true, Some(salt), Some(expected), Ok(params)) =
        (is_ours, hash.salt, hash.hash, Params::try_from(&hash))
    else {
        return false;
    };
    // Outputs are compared in constant time.
    output(password, salt, params).is_some_and(|output| output == expected)
}

fn output(password: &str, salt: Salt<'_>, params: Params) -> Option<Output> {
    let mut bytes = [0; Salt::MAX_LENGTH];
    let salt = salt.decode_b64(&mut bytes).ok()?;
    let blocks = params.block_count();
    let mut memory = Vec::with_capacity(blocks.max(MEMORY_ASKED_KIB));
    memory.resize(blocks, Block::default());
    let length = params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let filled = Output::init_with(length, |out| {
        Ok(argon2.hash_password_into_with_memory(password.as_bytes(), salt, out, &mut memory)?)
    });
    filled.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_hash_fits_its_password_only() {
        let hasher = PasswordHasher::default();
        let hash = hasher.hash("correct horse".into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(hasher.verify("correct horse".into(), Some(hash.clone())).await.unwrap());
        assert!(!hasher.verify("Correct horse".into(), Some(hash)).await.unwrap());
        assert!(!hasher.verify("correct horse".into(), None).await.unwrap());
    }

    /// What is stored is read by anything else that knows the format, and the other way round.
    #[test]
    fn hashes_are_those_of_the_library() {
        use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};

        let ours = hash_now("correct horse").unwrap();
        let hash = PasswordHash::new(&ours).unwrap();
        assert!(Argon2::default().verify_password(b"correct horse", &hash).is_ok());
        let salt = SaltString::encode_b64(b"salt of a library").unwrap();
        let other = Params::new(64, 1, 1, Some(24)).unwrap();
        for params in [Params::new(MEMORY_KIB, PASSES, 1, None).unwrap(), other] {
            let library = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
            let theirs = library.hash_password(b"correct horse", &salt).unwrap().to_string();
            assert!(verify_now("correct horse", &theirs), "{theirs}");
            assert!(!verify_now("another horse", &theirs), "{theirs}");
        }
    }

    /// The hash compared with for unknown accounts must really be worked on.
    #[test]
    fn nobodys_hash_is_well_formed() {
        let hash = PasswordHash::new(NOBODY).unwrap();
        assert_eq!(hash.params.get_decimal("m"), Some(MEMORY_KIB));
        assert_eq!(hash.hash.map(|output| output.len()), Some(32));
        assert!(!verify_now("", NOBODY));
    }
}
