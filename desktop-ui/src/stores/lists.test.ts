// A list stands as the person left it, whatever it was called with.

import { act, renderHook } from "@testing-library/react";
import { beforeEach, expect, it } from "vitest";
import { preferences } from "../../testing/examples";
import { ScriptedHost } from "../../testing/scriptedHost";
import { installHost } from "../host";
import { type ListKind, setListView, toggleColumn, useListView } from "./lists";
import { usePreferences } from "./preferences";

const LINE: ListKind<"place" | "text", "wait" | "place"> = {
  name: "line",
  columns: ["place", "text"],
  sorts: ["wait", "place"],
  usual: { columns: ["text"], sort: "wait", reversed: false },
};

const view = () => renderHook(() => useListView(LINE)).result.current;
const keeps = (columns: string[], column: string | null) =>
  usePreferences.setState({
    preferences: {
      ...preferences,
      lists: {
        line: {
          columns: columns.map((name) => ({ name, width: null })),
          chosen: false,
          sort: column === null ? null : { column, descending: true },
        },
      },
    },
  });

beforeEach(() => {
  installHost(new ScriptedHost());
  usePreferences.setState({ preferences });
});

it("begins as usual", () => expect(view()).toEqual(LINE.usual));

it("is as it was left, columns in the list's own order", () => {
  act(() => setListView(LINE, { sort: "place", reversed: true }));
  act(() => toggleColumn(LINE, "place"));
  expect(view()).toEqual({ columns: ["place", "text"], sort: "place", reversed: true });
});

it("may have no column at all", () => {
  act(() => toggleColumn(LINE, "text"));
  expect(view().columns).toEqual([]);
  act(() => toggleColumn(LINE, "text"));
  expect(view().columns).toEqual(["text"]);
});

it("leaves out what it does not know any more", () => {
  keeps(["text", "colour"], "colour");
  expect(view()).toEqual({ columns: ["text"], sort: "wait", reversed: false });
  keeps([], null);
  expect(view()).toEqual(LINE.usual);
});
