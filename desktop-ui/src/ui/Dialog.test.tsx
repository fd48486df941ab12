// A dialog gives the keyboard back, and an input method's keys neither send nor close it.

import { fireEvent, render, screen } from "@testing-library/react";
import { expect, it, vi } from "vitest";
import { Dialog } from "./Dialog";

function shows() {
  const onClose = vi.fn();
  const onSubmit = vi.fn((event: Event) => event.preventDefault());
  const drawn = render(
    <Dialog title="Invite" closeLabel="Close" onClose={onClose}>
      <form onSubmit={(event) => onSubmit(event.nativeEvent)}>
        <input aria-label="Search" />
      </form>
    </Dialog>,
  );
  return { ...drawn, onClose, onSubmit, field: screen.getByLabelText("Search") };
}

/** A key press as the platform carries it out: Enter submits, Esc cancels, unless it is prevented. */
function press(field: HTMLElement, key: "Enter" | "Escape", init: KeyboardEventInit = {}) {
  if (!fireEvent.keyDown(field, { key, ...init })) return;
  if (key === "Enter") fireEvent.submit(field);
  else fireEvent(field.closest("dialog") ?? field, new Event("cancel", { cancelable: true }));
}

it("closes while it still stands there: only then is the focus given back", () => {
  const connected: boolean[] = [];
  vi.spyOn(HTMLDialogElement.prototype, "close").mockImplementation(function close(
    this: HTMLDialogElement,
  ) {
    connected.push(this.isConnected);
  });
  shows().unmount();
  expect(connected).toEqual([true]);
});

it("begins in its first field", () => {
  const { field } = shows();
  expect(document.activeElement).toBe(field);
});

it("sends by Enter and closes by Esc", () => {
  const { field, onSubmit, onClose } = shows();
  press(field, "Enter");
  expect(onSubmit).toHaveBeenCalledOnce();
  press(field, "Escape");
  expect(onClose).toHaveBeenCalledOnce();
});

it("does neither by the key that ends a composition", () => {
  const { field, onSubmit, onClose } = shows();
  for (const key of ["Enter", "Escape"] as const) {
    fireEvent.compositionStart(field);
    fireEvent.compositionEnd(field);
    press(field, key);
  }
  expect(onSubmit).not.toHaveBeenCalled();
  expect(onClose).not.toHaveBeenCalled();
});
