// What can be done about a message that does not go: again, otherwise, not at all.

import { useTools } from "./context";
import type { TextKey, Translate } from "./i18n";
import { AlertIcon } from "./icons_later";
import type { OutboxItem } from "./outbox";
import type { ErrorCode } from "./protocol";

function whyFailed(code: ErrorCode, t: Translate): string {
  const key = `failed_${code}`;
  const known: readonly string[] = [
    "failed_too_large",
    "failed_empty_text",
    "failed_site_disabled",
    "failed_category_needed",
    "failed_category_needed",
  ];
  return t(known.includes(key) ? (key as TextKey) : "failed_other");
}

export function Repair(props: {
  item: OutboxItem;
  has_stopped: boolean;
  onEdit: (text: string) => void;
}) {
  const { t, client } = useTools();
  const { item } = props;
  const edit = () => {
    const text = client.discard(item.client_id);
    if (text !== null) props.onEdit(text);
  };
  return (
    <div class="repair">
      {item.state.kind === "failed" && (
        <span class="why">
          <AlertIcon />
          {t("state_failed")} · {whyFailed(item.state.code, t)}
        </span>
      )}
      {item.state.kind === "wedged" && <span class="why">{t("wedged")}</span>}
      {props.has_stopped && (
        <button type="button" data-testid="retry" onClick={() => client.retry(item.client_id)}>
          {t("retry")}
        </button>
      )}
      <button type="button" data-testid="edit" onClick={edit}>
        {t("edit")}
      </button>
      <button type="button" data-testid="delete" onClick={() => client.discard(item.client_id)}>
        {t("delete")}
      </button>
    </div>
  );
}
