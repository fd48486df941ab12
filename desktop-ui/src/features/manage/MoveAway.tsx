// Takes a line out of a list.

import { Trash2 } from "lucide-react";
import { useT } from "../../i18n";
import { IconButton } from "../../ui/IconButton";

export function MoveAway({ name, onRemove }: { name: string; onRemove: () => void }) {
  const t = useT();
  return (
    <IconButton label={t("manage.remove_named", { name })} onClick={onRemove}>
      <Trash2 size={15} aria-hidden="true" />
    </IconButton>
  );
}
