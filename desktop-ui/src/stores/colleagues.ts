// The other members of staff, as far as the workbench shows them: names beside their messages.

import { create } from "zustand";
import type { ColleagueCard } from "../../../shared/bindings/ColleagueCard";

interface ColleaguesStore {
  byId: Readonly<Record<string, ColleagueCard>>;
}

/** All colleagues by id. */
export const useColleagues = create<ColleaguesStore>(() => ({ byId: {} }));

/** Everyone anew. */
export function replaceColleagues(cards: readonly ColleagueCard[]): void {
  useColleagues.setState({ byId: Object.fromEntries(cards.map((one) => [one.card.id, one])) });
}

/** One changed or is new. */
export function applyColleague(card: ColleagueCard): void {
  useColleagues.setState(({ byId }) => ({ byId: { ...byId, [card.card.id]: card } }));
}
