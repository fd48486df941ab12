// A page of settings as an admin meets it: it says what is not saved and what stops it, it saves by
// the keyboard, and somebody else's change neither takes what was typed nor is overwritten unseen.

import { act, fireEvent, render, screen, within } from "@testing-library/react";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { ScriptedHost } from "../../../testing/scriptedHost";
import { SettingsRelay } from "../../../testing/settingsRelay";
import { installHost } from "../../host";
import { loadSettings, showPage, useManage } from "../../stores/manage";
import { DepartmentsPage } from "./DepartmentsPage";
import { RulesPage } from "./RulesPage";
import { SkillsPage } from "./SkillsPage";

let host: ScriptedHost;
let relay: SettingsRelay;

const saves = () =>
  host.bodies("call").flatMap(({ call }) => (call.type === "save_settings" ? [call.body] : []));
const type = (id: string, value: string) =>
  fireEvent.change(screen.getByTestId(id), { target: { value } });
const press = (id: string) => act(async () => fireEvent.click(screen.getByTestId(id)));
const state = () => screen.getByTestId("save-state").textContent;

beforeEach(async () => {
  relay = new SettingsRelay();
  host = new ScriptedHost().on("call", relay.answer);
  installHost(host);
  useManage.setState({ settings: null, agents: [], drafts: {}, saved: null, problem: null });
  showPage("departments");
  await loadSettings();
});

describe("a page of settings", () => {
  it("says what is not saved, saves it, and says that it is live", async () => {
    render(<SkillsPage />);
    expect(screen.queryByTestId("save")).toBeNull();
    type("skill-name-0", "英语");
    expect(state()).toContain("未保存");
    await press("save");
    expect(saves()).toMatchObject([
      { base: 1, section: { name: "skills", value: [{ id: "skill-1", name: "英语" }] } },
    ]);
    expect(state()).toContain("立即生效");
  });

  it("does not send what is wrong, and takes it back on demand", async () => {
    render(<SkillsPage />);
    type("skill-name-0", " ");
    expect(state()).toContain("1 处");
    expect(screen.getByTestId("save").hasAttribute("disabled")).toBe(true);
    fireEvent.keyDown(screen.getByTestId("page-skills"), { key: "s", ctrlKey: true });
    expect(saves()).toEqual([]);
    await press("discard");
    expect((screen.getByTestId("skill-name-0") as HTMLInputElement).value).toBe("VIP 专席");
  });

  it("saves by Ctrl+S", async () => {
    render(<SkillsPage />);
    type("skill-name-0", "英语");
    fireEvent.keyDown(screen.getByTestId("page-skills"), { key: "s", ctrlKey: true });
    await vi.waitFor(() => expect(saves()).toHaveLength(1));
  });

  it("shows somebody else's change beside one's own, and brings the two together", async () => {
    render(<SkillsPage />);
    type("skill-name-0", "英语");
    relay.put("skills", [...relay.held.skills.value, { id: "skill-2", name: "日语" }]);
    await press("save");
    const conflict = within(screen.getByTestId("conflict"));
    expect(conflict.getByText("新增 日语")).toBeTruthy();
    expect(conflict.getByText(/^修改/)).toBeTruthy();
    await press("conflict-merge");
    expect(screen.queryByTestId("conflict")).toBeNull();
    await press("save");
    expect(relay.held.skills.value.map(({ name }) => name)).toEqual(["英语", "日语"]);
  });

  it("says in plain words that something still uses what is deleted", async () => {
    render(<SkillsPage />);
    type("skill-name-0", "英语");
    host.refuse("call", { code: "in_use" });
    await press("save");
    expect(screen.getByTestId("not-saved").textContent).toContain("在用");
    expect((screen.getByTestId("skill-name-0") as HTMLInputElement).value).toBe("英语");
  });
});

describe("departments", () => {
  it("open, change and save one among all", async () => {
    render(<DepartmentsPage />);
    await press("department-row-service");
    type("department-name", "售后");
    await press("save");
    expect(relay.held.departments.value.map(({ name }) => name)).toEqual(["", "售后"]);
    expect(relay.held.departments.value[1]?.hours?.week[0]).toHaveLength(2);
  });

  it("save what stands in a field that was not left yet", async () => {
    showPage("departments", "service");
    render(<DepartmentsPage />);
    const field = screen.getByTestId("day-0-0-from");
    field.focus();
    type("day-0-0-from", "8:30");
    fireEvent.keyDown(field, { key: "s", ctrlKey: true });
    await vi.waitFor(() =>
      expect(relay.held.departments.value[1]?.hours?.week[0]?.[0]?.from).toBe(510),
    );
  });

  it("cannot be deleted while a rule names them", () => {
    showPage("departments", "service");
    render(<DepartmentsPage />);
    expect(screen.getByTestId("department-remove").hasAttribute("disabled")).toBe(true);
    expect(screen.getByTestId("uses").textContent).toContain("老客户售后");
  });
});

describe("rules", () => {
  it("move by buttons, and are saved in their new order", async () => {
    render(<RulesPage />);
    await press("move-down-0");
    await vi.waitFor(() => expect(document.activeElement?.getAttribute("data-move")).toBe("up-1"));
    await press("save");
    expect(relay.held.rules.value.map(({ id }) => id)).toEqual(["rule-2", "rule-1"]);
  });

  it("are switched off, added and given conditions", async () => {
    render(<RulesPage />);
    await press("rule-enabled-0");
    await press("rule-add");
    await press("condition-add");
    expect(state()).toContain("1 处");
    await press("remove-condition-0");
    await press("save");
    const [first, , third] = relay.held.rules.value;
    expect(first?.enabled).toBe(false);
    expect(third).toMatchObject({ name: "新规则", when: [] });
  });
});
