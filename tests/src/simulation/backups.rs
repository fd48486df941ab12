//! Backups while everything goes on, and one put in place of what is there. What was acknowledged since
//! is gone at the relay: clients learn that from the log's epoch and offer it again.

use yingke_relay::store::MemoryFolder;
use yingke_shared::ids::AgentId;

use super::run::Simulation;

impl Simulation {
    /// A copy of what is committed now.
    pub(super) fn back_up(&mut self) {
        self.place.spare.copy_from(&self.place.memory).unwrap();
        self.has_backup = true;
    }

    /// The relay is stopped; when it starts again the copy is in place.
    pub(super) fn restore(&mut self) {
        if self.has_backup {
            self.restoring = true;
            self.crash_relay();
        }
    }

    /// As `yingke-relay restore` leaves it, or as somebody does who copies an older file back.
    pub(super) fn put_back(&mut self) {
        if !std::mem::take(&mut self.restoring) {
            return;
        }
        let boot = |of: &MemoryFolder| {
            let look =
                of.look(|tx| tx.query_one("SELECT boot FROM log_head", &[], |row| row.int(0)));
            look.unwrap()
        };
        let by_hand = boot(&self.place.spare) < boot(&self.place.memory) && self.fate.once_in(2);
        self.place.memory.copy_from(&self.place.spare).unwrap();
        if !by_hand {
            let epoch = self.fate.id();
            self.place.memory.change(&format!("UPDATE log_head SET epoch = '{epoch}'")).unwrap();
            // The command writes it anew, of the same epoch and boot: as a first start would.
            let _ = std::fs::remove_file(self.place.memory.path().join("boot.json"));
        }
        self.forget_what_is_gone();
    }

    /// What was acknowledged and is in no backup counts no more, until it is acknowledged again.
    fn forget_what_is_gone(&mut self) {
        let rows = self.stored();
        let is_there = |id: &_, told: &(_, _)| {
            rows.iter().any(|((_, client_id), row)| {
                client_id == id && (&row.conversation_id, &row.seq) == (&told.0, &told.1)
            })
        };
        self.staff_acked.retain(|id, told| is_there(id, told));
        let notes = self.look_at(|tx| tx.query("SELECT text FROM notes", &[], |row| row.text(0)));
        for noted in self.noted.values_mut() {
            noted.stored = noted.stored.filter(|stored| !stored || notes.contains(&noted.text));
        }
        let agents = self.look_at(|tx| {
            let sql = "SELECT a.id, a.capacity, count(c.id) FROM agents a
                       LEFT JOIN conversations c ON c.agent_id = a.id AND c.state = 'serving'
                       GROUP BY a.id";
            tx.query(sql, &[], |row| Ok((row.id::<AgentId>(0)?, row.int(1)?, row.int(2)?)))
        });
        for (id, capacity, serves) in agents {
            let capacity = u32::try_from(capacity).unwrap();
            self.loads.insert(id, (serves, capacity.max(4), capacity));
        }
        self.assigned_upto = 0;
    }
}
