// A section as its page sees it: the draft if there is one, else what the relay has.

import { draftOf, edit, useManage } from "../../stores/manage";
import type { SectionName, ValueOf } from "../../stores/sections";

/** The section's value now, and how to change it; `null` before the settings were read. */
export function useSection<S extends SectionName>(
  section: S,
): { value: ValueOf<S>; change: (value: ValueOf<S>) => void } | null {
  const value = useManage(({ settings, drafts }) =>
    settings === null
      ? null
      : (draftOf(drafts, section)?.value ?? (settings[section].value as ValueOf<S>)),
  );
  return value === null ? null : { value, change: (to) => edit(section, to) };
}
