// Everybody on the staff by id, oneself included: names and places for lists that mix the two.

import { useCallback, useMemo } from "react";
import type { ColleagueCard } from "../../../shared/bindings/ColleagueCard";
import type { OwnCard } from "../../../shared/bindings/OwnCard";
import { useT } from "../i18n";
import { useColleagues } from "./colleagues";
import { useOwn } from "./session";

/** Everybody by id. */
export type People = Readonly<Record<string, ColleagueCard>>;

/** The own card as colleagues see it. */
export function asColleague(own: OwnCard): ColleagueCard {
  const { id, nickname, role, availability, capacity, departments, skills } = own;
  const card = { id, nickname };
  return { card, role, availability, capacity, departments, skills, disabled: false };
}

/** Everybody, live. */
export function usePeople(): People {
  const own = useOwn();
  const colleagues = useColleagues((state) => state.byId);
  return useMemo(
    () => (own === null ? colleagues : { ...colleagues, [own.id]: asColleague(own) }),
    [own, colleagues],
  );
}

/** Finds the name of anybody on the staff; somebody nobody knows is "a colleague". */
export function useAgentName(): (agentId: string) => string {
  const t = useT();
  const people = usePeople();
  return useCallback(
    (agentId) => people[agentId]?.card.nickname ?? t("workbench.colleague"),
    [people, t],
  );
}
