// A menu as it is used with the keyboard and in a hurry.

import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { Menu } from "./Menu";

const chosen: string[] = [];

function show() {
  chosen.length = 0;
  const items = [
    { key: "a", label: "first" },
    { key: "b", label: "second" },
  ];
  render(
    <Menu items={items} selected="a" onChoose={(key) => chosen.push(key)}>
      <button type="button">open</button>
    </Menu>,
  );
  const button = screen.getByText("open");
  button.focus();
  fireEvent.click(button);
  return button;
}

describe("a menu", () => {
  it("gives the keyboard back to its button when something was chosen", async () => {
    const button = show();
    const second = screen.getByText("second").closest("li");
    second?.focus();
    expect(document.activeElement).toBe(second);
    if (second !== null) fireEvent.keyDown(second, { key: "Enter", keyCode: 13, which: 13 });
    expect(chosen).toEqual(["b"]);
    await waitFor(() => expect(document.activeElement).toBe(button));
  });

  it("stands at its full size at once, so that no click goes through it", () => {
    show();
    const popup = screen.getByText("second").closest(".ant-dropdown");
    // antd's motion shrinks it to nothing between two frames, by classes named after it.
    expect(popup?.className).not.toMatch(/ant-slide/);
  });
});
