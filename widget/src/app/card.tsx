// A card in the stream: what is so, and what can be done about it.

import type { ComponentChildren } from "preact";

/** What can be done about it. */
export interface Action {
  id: string;
  words: string;
  run: () => void;
}

export function Card(props: {
  kind: string;
  title?: string;
  text: string;
  mark?: ComponentChildren;
  actions?: (Action | null)[];
}) {
  return (
    <section class={`card ${props.kind}`} data-testid="notice" data-kind={props.kind}>
      {props.title && (
        <h2>
          {props.mark}
          {props.title}
        </h2>
      )}
      <p>{props.text}</p>
      {props.actions?.map(
        (action) =>
          action && (
            <button key={action.id} type="button" data-testid={action.id} onClick={action.run}>
              {action.words}
            </button>
          ),
      )}
    </section>
  );
}
