// A relay that keeps the settings' sections and their versions as the real one does: what the tests of
// the management centre ask.

import type { ColleagueCard } from "../../shared/bindings/ColleagueCard";
import type { Settings } from "../../shared/bindings/Settings";
import type { RelayAnswer } from "../../shared/bindings/ui/RelayAnswer";
import type { RelayCall } from "../../shared/bindings/ui/RelayCall";
import type { UiReply } from "../../shared/bindings/ui/UiReply";
import { HostError } from "../src/host";
import type { SectionName } from "../src/stores/sections";
import { settings } from "./settings";

/** The answer to a call. */
export function called(answer: RelayAnswer): UiReply {
  return { type: "called", body: { answer } };
}

export class SettingsRelay {
  /** What it has. */
  held: Settings = settings();
  agents: ColleagueCard[] = [];

  /** Answers questions of the management centre. */
  readonly answer = ({ call }: { call: RelayCall }): UiReply => {
    if (call.type === "list_agents") {
      return called({ type: "agents", body: { agents: this.agents } });
    }
    if (call.type === "save_settings") {
      const { base, section } = call.body;
      if (this.held[section.name].version !== base) {
        throw new HostError({ kind: "refused", code: "changed", retry_after_ms: null });
      }
      this.put(section.name, section.value as never);
    }
    return called({ type: "settings", body: this.held });
  };

  /** Somebody saves a section. */
  put<S extends SectionName>(name: S, value: Settings[S]["value"]): void {
    const { version } = this.held[name];
    this.held = { ...this.held, [name]: { version: version + 1, value } };
  }
}
