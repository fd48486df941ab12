// The audit as an admin reads it: the newest first, earlier pages on demand, and what could not be read.

import { act, fireEvent, render, screen } from "@testing-library/react";
import { beforeEach, expect, it } from "vitest";
import type { AuditEntry } from "../../../../shared/bindings/AuditEntry";
import { ScriptedHost } from "../../../testing/scriptedHost";
import { called } from "../../../testing/settingsRelay";
import { installHost } from "../../host";
import { useAudit } from "../../stores/audit";
import { AuditPage } from "./AuditPage";

let host: ScriptedHost;
const entry = (number: number): AuditEntry => ({
  number,
  at: number,
  agent_id: "agent-1",
  deed: "watch",
  subject: `conversation-${number}`,
});
const page = (from: number, earlier: boolean) =>
  called({
    type: "audit",
    body: { entries: [entry(from), entry(from - 1)], has_earlier: earlier },
  });
const numbers = () => screen.getAllByTestId(/^audit-\d/).map((row) => row.dataset.testid);
const press = (name: string | RegExp) =>
  act(async () => fireEvent.click(screen.getByRole("button", { name })));
const show = () => act(async () => void render(<AuditPage />));

beforeEach(() => {
  host = new ScriptedHost();
  installHost(host);
  useAudit.setState({ entries: [], hasEarlier: false, phase: "loading", problem: null });
});

it("reads earlier pages on demand, until there is none", async () => {
  host.on("call", ({ call }) =>
    call.type === "audit" && call.body.before === null ? page(9, true) : page(7, false),
  );
  await show();
  expect(numbers()).toEqual(["audit-9", "audit-8"]);
  await press("更早的记录");
  expect(numbers()).toEqual(["audit-9", "audit-8", "audit-7", "audit-6"]);
  expect(screen.queryByTestId("audit-earlier")).toBeNull();
});

it("does not say that there is nothing when nothing could be read", async () => {
  host.refuse("call", { kind: "offline" });
  await show();
  expect(screen.queryByText("还没有记录")).toBeNull();
  expect(screen.getByText("操作记录没有读到")).toBeTruthy();
  host.on("call", () => page(2, false));
  await press(/重\s?试/);
  expect(numbers()).toEqual(["audit-2", "audit-1"]);
});

it("keeps what it has when an earlier page could not be read, and says so", async () => {
  host.on("call", () => page(9, true));
  await show();
  host.refuse("call", { kind: "offline" });
  await press("更早的记录");
  expect(numbers()).toEqual(["audit-9", "audit-8"]);
  expect(screen.getByRole("alert").textContent).not.toBe("");
});
