// How a list is shown: what it is sorted by and which columns it has, as the person left it. The core
// keeps it by the list's name; what a list does not know any more is left out.

import { useMemo } from "react";
import type { ListPreferences } from "../../../shared/bindings/ui/ListPreferences";
import { setPreferences, usePreferences } from "./preferences";

/** A list that can be shown in more than one way. */
export interface ListKind<Column extends string, Sort extends string> {
  /** Under which the core keeps it. */
  name: string;
  /** In the order in which they stand. */
  columns: readonly Column[];
  sorts: readonly Sort[];
  /** How it begins. */
  usual: ListView<Column, Sort>;
}

/** How it is shown. */
export interface ListView<Column extends string, Sort extends string> {
  columns: readonly Column[];
  sort: Sort;
  /** The other way round than a column is usually read. */
  reversed: boolean;
}

function viewOf<Column extends string, Sort extends string>(
  kind: ListKind<Column, Sort>,
  kept: ListPreferences | undefined,
): ListView<Column, Sort> {
  if (kept === undefined) return kind.usual;
  const shown = new Set(kept.columns.map(({ name }) => name));
  const sort = kind.sorts.find((one) => one === kept.sort?.column);
  return {
    columns:
      kept.chosen || shown.size > 0
        ? kind.columns.filter((one) => shown.has(one))
        : kind.usual.columns,
    sort: sort ?? kind.usual.sort,
    reversed: sort !== undefined && (kept.sort?.descending ?? false),
  };
}

/** The list's view, live. */
export function useListView<Column extends string, Sort extends string>(
  kind: ListKind<Column, Sort>,
): ListView<Column, Sort> {
  const kept = usePreferences(({ preferences }) => preferences.lists[kind.name]);
  return useMemo(() => viewOf(kind, kept), [kind, kept]);
}

/** Shows it in another way from now on. */
export function setListView<Column extends string, Sort extends string>(
  kind: ListKind<Column, Sort>,
  change: Partial<ListView<Column, Sort>>,
): void {
  const { lists } = usePreferences.getState().preferences;
  const { columns, sort, reversed } = { ...viewOf(kind, lists[kind.name]), ...change };
  const kept: ListPreferences = {
    columns: columns.map((name) => ({ name, width: null })),
    chosen: true,
    sort: { column: sort, descending: reversed },
  };
  setPreferences({ lists: { ...lists, [kind.name]: kept } });
}

/** Shows a column, or no longer. */
export function toggleColumn<Column extends string, Sort extends string>(
  kind: ListKind<Column, Sort>,
  column: Column,
): void {
  const { columns } = viewOf(kind, usePreferences.getState().preferences.lists[kind.name]);
  const shown = columns.includes(column);
  setListView(kind, {
    columns: kind.columns.filter((one) => (one === column ? !shown : columns.includes(one))),
  });
}
