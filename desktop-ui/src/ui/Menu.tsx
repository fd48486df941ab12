// A menu behind a button. What is chosen, and Esc, give the keyboard back to the button. It appears
// where it stands, at its full size: antd's own motion begins at no size, and a quick second click
// would go through the menu to whatever lies behind it.

import { Dropdown, type MenuProps as Items } from "antd";
import { type ReactElement, useRef } from "react";
import styles from "./Menu.module.css";

interface MenuProps {
  items: Items["items"];
  /** The item that stands now; none if the menu is not a choice. */
  selected?: string;
  onChoose?: (key: string) => void;
  placement?: "bottomLeft" | "bottomRight" | "topRight";
  /** The button. */
  children: ReactElement;
}

export function Menu({ items, selected, onChoose, placement, children }: MenuProps) {
  const button = useRef<HTMLElement>(null);
  return (
    <Dropdown
      ref={button}
      trigger={["click"]}
      autoFocus
      placement={placement ?? "bottomLeft"}
      transitionName=""
      classNames={{ root: styles.menu ?? "" }}
      menu={{
        items: items ?? [],
        selectable: selected !== undefined,
        selectedKeys: selected === undefined ? [] : [selected],
        onClick: ({ key }) => onChoose?.(key),
      }}
      onOpenChange={(isOpen, { source }) => {
        if (!isOpen && source === "menu") button.current?.focus();
      }}
    >
      {children}
    </Dropdown>
  );
}
