// Only what is different is sent.

import { beforeEach, describe, expect, it } from "vitest";
import type { ColleagueCard } from "../../../shared/bindings/ColleagueCard";
import type { SiteSettings } from "../../../shared/bindings/SiteSettings";
import { ScriptedHost } from "../../testing/scriptedHost";
import { HostError, installHost } from "../host";
import { addAgent, agentChange, agentFormOf, NEW, siteChange, useForms, writeAgent } from "./forms";

const ben: ColleagueCard = {
  card: { id: "agent-2000", nickname: "Ben" },
  role: "agent",
  availability: "online",
  capacity: 8,
  departments: ["sales", "service"],
  skills: [],
  disabled: false,
};
const shop: SiteSettings = {
  id: "site-1",
  name: "云洁商城",
  enabled: true,
  domains: ["https://shop.example"],
  welcome: "",
  preview: true,
  return_tickets: true,
};

describe("an account's form", () => {
  const form = agentFormOf(ben, "sales");
  it("changes nothing as it is begun, nor by the order of departments", () => {
    expect(agentChange(ben, form)).toBeNull();
    expect(agentChange(ben, { ...form, departments: ["service", "sales"] })).toBeNull();
  });
  it("changes what is different", () => {
    expect(agentChange(ben, { ...form, nickname: " Benny ", skills: ["vip"] })).toEqual({
      nickname: "Benny",
      skills: ["vip"],
    });
  });
  it("begins in the default department with the usual capacity", () => {
    expect(agentFormOf(undefined, "sales")).toMatchObject({
      role: "agent",
      capacity: 8,
      departments: ["sales"],
    });
  });
});

describe("a site's form", () => {
  it("changes what is different", () => {
    const { id: _, ...form } = shop;
    expect(siteChange(shop, form)).toBeNull();
    expect(siteChange(shop, { ...form, domains: [], preview: false })).toEqual({
      domains: [],
      preview: false,
    });
  });
});

describe("adding an account", () => {
  let host: ScriptedHost;
  beforeEach(() => {
    host = new ScriptedHost();
    installHost(host);
    useForms.setState({ agents: {}, sites: {}, saving: false, problem: null });
  });

  it("keeps what was typed when the name is taken", async () => {
    host.on("call", () => {
      throw new HostError({ kind: "refused", code: "already_exists", retry_after_ms: null });
    });
    const form = { ...agentFormOf(undefined, "sales"), account: "ben", nickname: "Ben" };
    writeAgent(NEW, form);
    expect(await addAgent(form)).toBeNull();
    expect(useForms.getState().agents[NEW]).toEqual(form);
    expect(useForms.getState().problem?.code).toBe("already_exists");
    expect(useForms.getState().saving).toBe(false);
  });
});
