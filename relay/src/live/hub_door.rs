//! Which sockets are let in, and how often those of one address may begin. Part of `hub.rs`, behind the
//! same lock and under the same rule: nothing waits or reads a database here.

use std::collections::BTreeMap;
use std::net::IpAddr;

use yingke_shared::error_code::ErrorCode;

use super::Hub;
use crate::kept::Kept;
use crate::limits::{ADDRESSES_KEPT_MAX, Rate};
use crate::live::rate::Bucket;

/// See the module.
pub(super) struct Door {
    /// Sockets of each address, for the limit.
    sockets: BTreeMap<IpAddr, u32>,
    hellos: Kept<IpAddr, Bucket>,
    /// Sockets ever let in.
    admitted: u64,
}

impl Default for Door {
    fn default() -> Self {
        let hellos = Kept::new(ADDRESSES_KEPT_MAX);
        Self { sockets: BTreeMap::new(), hellos, admitted: 0 }
    }
}

impl Hub {
    /// Lets one more socket of this address in, unless there are too many or the relay stops.
    pub(crate) fn admit(&self, address: IpAddr, sockets_max: u32) -> Result<Admission, ErrorCode> {
        let mut state = self.inner.state.lock();
        if state.stopped {
            return Err(ErrorCode::Unavailable);
        }
        let count = state.door.sockets.entry(address).or_default();
        if *count >= sockets_max {
            return Err(ErrorCode::TooFast);
        }
        *count += 1;
        state.door.admitted += 1;
        Ok(Admission { hub: self.clone(), address, number: state.door.admitted })
    }
}

/// One admitted socket; gives its place back when dropped.
pub(crate) struct Admission {
    hub: Hub,
    address: IpAddr,
    number: u64,
}

impl Admission {
    /// Grows from socket to socket.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Counts a hello of the socket's address, or says after how many milliseconds there is room.
    pub(crate) fn take_hello(&self, rate: Rate) -> Result<(), u32> {
        let now_ms = self.hub.now_ms();
        let hellos = &mut self.hub.inner.state.lock().door.hellos;
        let mut bucket = hellos.get(&self.address).copied().unwrap_or_default();
        bucket.take(now_ms, rate)?;
        hellos.put(self.address, bucket.empty_at_ms(), bucket, now_ms, u64::MAX);
        Ok(())
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        let sockets = &mut self.hub.inner.state.lock().door.sockets;
        if let Some(count) = sockets.get_mut(&self.address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                sockets.remove(&self.address);
            }
        }
    }
}
