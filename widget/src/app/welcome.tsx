// The company's first words.

import { Avatar } from "./avatar";
import { Text } from "./bubble";

/** The site's welcome, shown on opening and stored by the relay with the first message. */
export function WelcomeBubble(props: { text: string }) {
  return (
    <div class="row they last" data-testid="welcome">
      <Avatar name={null} />
      <div class="bubble">
        <Text text={props.text} />
      </div>
    </div>
  );
}
