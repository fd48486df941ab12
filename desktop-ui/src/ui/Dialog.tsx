// A small dialog in front of everything: the platform's own, which keeps the focus inside, makes the
// rest inert and closes by Esc. (antd's locks scrolling by an inline style, which the content
// security policy forbids.)

import { X } from "lucide-react";
import { type ReactNode, useEffect, useId, useRef } from "react";
import styles from "./Dialog.module.css";
import { IconButton } from "./IconButton";
import { join } from "./join";

interface DialogProps {
  title: string;
  closeLabel: string;
  /** More than a few fields stand in it. */
  wide?: boolean;
  onClose: () => void;
  children: ReactNode;
}

export function Dialog({ title, closeLabel, wide = false, onClose, children }: DialogProps) {
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    // The platform would take the first button; people come to choose or to type.
    const first =
      element?.querySelector<HTMLInputElement>("input:checked") ??
      element?.querySelector<HTMLElement>("input:not([hidden]), textarea");
    first?.focus();
    return () => element?.close();
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
