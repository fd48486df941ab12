// A small dialog in front of everything: the platform's own, which keeps the focus inside, makes the
// rest inert, closes by Esc and gives the keyboard back to where it was. (antd's locks scrolling by an inline style, which the content
// security policy forbids.)

import { X } from "lucide-react";
import { type ReactNode, useId, useLayoutEffect, useRef } from "react";
import styles from "./Dialog.module.css";
import { IconButton } from "./IconButton";
import { guardInputMethod } from "./inputMethod";
import { join } from "./join";

interface DialogProps {
  title: string;
  closeLabel: string;
  /** More than a few fields stand in it. */
  wide?: boolean;
  onClose: () => void;
  children: ReactNode;
}

/** The buttons at its end. */
export function DialogActions({ children }: { children: ReactNode }) {
  return <div className={styles.actions}>{children}</div>;
}

export function Dialog({ title, closeLabel, wide = false, onClose, children }: DialogProps) {
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  // Before it is drawn and before it is taken away: a dialog that is gone gives no focus back.
  useLayoutEffect(() => {
    const element = dialog.current;
    if (element === null) return;
    element.showModal();
    // The platform would take the first button; people come to choose or to type.
    const first =
      element.querySelector<HTMLInputElement>("input:checked") ??
      element.querySelector<HTMLElement>(
        'input:not([hidden], [type="range"]), textarea, [role="switch"]',
      );
    first?.focus();
    const letGo = guardInputMethod(element);
    return () => {
      letGo();
      element.close();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      className={join(styles.dialog, wide && styles.wide)}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <div className={styles.head}>
        <h2 id={id}>{title}</h2>
        <IconButton label={closeLabel} onClick={onClose}>
          <X size={18} aria-hidden="true" />
        </IconButton>
      </div>
      {children}
    </dialog>
  );
}
