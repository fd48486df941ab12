// A row of the list: what wins on its second line, how it looks when new or open, what a screen
// reader hears, and when the clock warns.

import { render, screen } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import {
  agentSays,
  company,
  connection,
  inboxRow,
  joined,
  visitorSays,
} from "../../../testing/examples";
import { setLocale } from "../../i18n";
import { applyConnection } from "../../stores/connection";
import { Row } from "./Row";
import { waitingLevel } from "./waiting";

function show(change: Parameters<typeof inboxRow>[1], current = false) {
  render(
    <Row
      id="row"
      row={inboxRow("c1", change)}
      current={current}
      cursor={false}
      onOpen={() => {}}
    />,
  );
  return screen.getAllByTestId("inbox-row").at(-1) as HTMLElement;
}

beforeEach(() => {
  setLocale("en");
  applyConnection(connection());
});

describe("a row", () => {
  const said = { said: visitorSays(1, "do you\nhave it") };

  it("shows what was said last, in one line", () => {
    expect(show(said).textContent).toContain("do you have it");
  });

  it("says when it was said by us", () => {
    expect(show({ said: agentSays(2, "yes") }).textContent).toContain("You: yes");
  });

  it("shows a notice where nobody said anything", () => {
    expect(show({ said: joined(2) }).textContent).toContain("Ana joined");
  });

  it("says that it cannot show what a later version says", () => {
    const later = visitorSays(3, "", { content: { kind: "unknown" } });
    expect(show({ said: later }).textContent).toContain("Update this program");
  });

  it("shows the draft instead, unless it is open", () => {
    expect(show({ ...said, draft: "well" }).textContent).toContain("[Draft]well");
    expect(show({ ...said, draft: "well" }, true).textContent).not.toContain("[Draft]");
  });

  it("shows what is being typed above all", () => {
    const row = show({ ...said, draft: "well", preview: "in sto" });
    expect(row.textContent).toContain("in sto");
    expect(row.textContent).not.toContain("[Draft]");
  });

  it("is fresh while something is not viewed and it is not open", () => {
    expect(show({ unread: 2 }).dataset.fresh).toBe("true");
    expect(show({ unread: 2 }, true).dataset.fresh).toBe("false");
    expect(show({ unread: 0 }).dataset.fresh).toBe("false");
  });

  it("counts, up to many", () => {
    expect(show({ unread: 7 }).textContent).toContain("7");
    expect(show({ unread: 250 }).textContent).toContain("99+");
  });

  it("has a name that says all of it", () => {
    const row = show({
      ...said,
      unread: 2,
      unanswered_since: 1,
      visitor_online: false,
      send_failed: true,
    });
    for (const words of [
      "Visitor 3F2A",
      "云洁商城",
      "Waiting for an answer",
      "do you have it",
      "A message was not sent",
      "2 unread",
      "Left the page",
    ]) {
      expect(row.textContent).toContain(words);
    }
  });

  it("counts from the first unanswered message, by the relay's clock", () => {
    applyConnection(connection({ clock_offset_ms: 3_600_000 }));
    const row = show({ unanswered_since: Date.now() + 3_600_000 - 200_000 });
    expect(row.querySelector("[data-level]")?.getAttribute("data-level")).toBe("alarm");
    expect(row.textContent).toMatch(/03:2\d/);
  });
});

describe("a wait", () => {
  it.each([
    [0, "calm"],
    [59_999, "calm"],
    [60_000, "warn"],
    [179_999, "warn"],
    [180_000, "alarm"],
  ])("of %d ms is %s", (waited, level) =>
    expect(waitingLevel(waited, company.attention)).toBe(level),
  );
});
