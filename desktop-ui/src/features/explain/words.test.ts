// The reasons of routing in plain words.

import { describe, expect, it } from "vitest";
import type { AssignedHow } from "../../../../shared/bindings/AssignedHow";
import type { Candidate } from "../../../../shared/bindings/Candidate";
import type { Cause } from "../../../../shared/bindings/Cause";
import { type TextKey, type TextValues, translate } from "../../i18n";
import { causeText, howText, takenReason } from "./words";

const t = (key: TextKey, values?: TextValues) => translate("en", key, values);
const nameOf = (id: string) => id.toUpperCase();

describe("why it needed somebody", () => {
  it.each([
    [{ kind: "waited", for_ms: 300 }, "New; assigned at once"],
    [{ kind: "waited", for_ms: 72_000 }, "New; assigned after 01:12 in line"],
    [
      { kind: "requeued", why: "agent_lost", for_ms: 5_000 },
      "Assigned again after 00:05 at the front of the line · the agent's connection was lost",
    ],
    [
      { kind: "requeued", why: null, for_ms: 5_000 },
      "Assigned again after 00:05 at the front of the line",
    ],
    [{ kind: "invited" }, "Its agent asked the department"],
  ] as [Cause, string][])("%j", (cause, words) => expect(causeText(t, cause)).toBe(words));
});

describe("how it came to an agent", () => {
  it.each([
    [{ kind: "by_hand", by: "mia" }, "MIA assigned it by hand"],
    [{ kind: "accepted", from: "ben" }, "Accepted the transfer from BEN"],
    [{ kind: "took_over" }, "Took it over"],
    [{ kind: "member_stayed" }, "The agent before left; a member who stayed serves it"],
    [{ kind: "started" }, "Wrote to the visitor first"],
  ] as [AssignedHow, string][])("%j", (how, words) => expect(howText(t, how, nameOf)).toBe(words));
});

describe("what decided for the one taken", () => {
  const compared = (...verdicts: Candidate["verdict"][]) =>
    verdicts.map((verdict, at) => ({
      agent_id: `agent-${at}`,
      running: 0,
      capacity: 4,
      idle_since: 0,
      verdict,
    }));

  it.each([
    [compared("taken"), "explain.taken_only"],
    [compared("taken", "full", "away"), "explain.taken_only"],
    [compared("taken", "more_loaded", "full"), "explain.taken_load"],
    [compared("taken", "idle_shorter", "more_loaded"), "explain.taken_idle"],
    [compared("taken", "later_by_id", "idle_shorter"), "explain.taken_first"],
  ])("%j", (candidates, key) => expect(takenReason(candidates)).toBe(key));
});
